# SPDX-License-Identifier: Apache-2.0
"""What people are told of a configuration that cannot be used: each error where it is, on the line at fault.

Errors in files of the change become remarks on these lines; all of them, those in other repositories too, are in the
message with project, file and line. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..change import FileComment
from ..reasons import Reason, reason
from .config.model import ConfigError
from .queue.model import ItemChange

_MOST = 20
_AT = "pipeline.config-error-at"


def configuration_broken(errors: Sequence[ConfigError]) -> Reason:
    """The first errors of a configuration, each where it is."""
    told = tuple(
        reason(_AT, error.reason, project=error.at.project, path=error.at.path, line=error.at.line)
        for error in errors[:_MOST]
    )
    return Reason("pipeline.config-error", (("count", len(errors)),), told)


def remarks(why: Reason | None, change: ItemChange, say: Callable[[Reason], str]) -> tuple[FileComment, ...]:
    """The errors that are in files of a change, as remarks on their lines."""
    found = (
        FileComment(str(one.get("path")), int(one.get("line") or 0), say(cause), "error")
        for one in (() if why is None else _placed(why))
        if one.get("project") == change.project and one.get("path") in change.files
        for cause in one.because
    )
    return tuple(dict.fromkeys(found))


def _placed(why: Reason) -> Iterator[Reason]:
    """The reasons that have a place, however deep."""
    if why.kind == _AT:
        yield why
    for cause in why.because:
        yield from _placed(cause)
