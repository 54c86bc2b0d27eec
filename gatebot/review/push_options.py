# SPDX-License-Identifier: Apache-2.0
"""What a push to `refs/for/` asks for beside its commits: `%topic=x,r=bob` behind the branch, or `-o topic=x`.

Pure text work with Gerrit's names, aliases and refusals. Who `bob` is and whether a vote is
allowed, `push.py` finds out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

_ALIASES = {
    "t": "hashtag",
    "reviewer": "r",
    "label": "l",
    "message": "m",
    "work-in-progress": "wip",
    "np": "no-publish-comments",
}
# Of Gerrit, and without anything to do here: there is no mail that they could steer, no drafts, no tracing.
_WITHOUT_EFFECT = {
    "notify", "notify-to", "notify-cc", "notify-bcc", "trace", "deadline", "publish-comments", "no-publish-comments",
}  # fmt: skip
_FLAGS = {"wip", "ready", "private", "remove-private", "submit"}
_LABEL = re.compile(r"([A-Za-z][A-Za-z0-9-]*?)(?:=?([+-]?\d+))?\Z")
_TOPIC_LENGTH = 2048
KNOWN = ("topic=", "hashtag=", "r=", "cc=", "l=", "m=", "wip", "ready", "private", "remove-private", "submit")


class BadOption(ValueError):
    """The sentence is what the push is refused with."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `wip` and `private` None: as it is. `topic` None: as it is."""

    topic: str | None = None
    hashtags: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    labels: tuple[tuple[str, int], ...] = ()
    message: str = ""
    wip: bool | None = None
    private: bool | None = None
    submit: bool = False


def parse(suffix: str, pushed: Iterable[str]) -> Options:
    """The options behind `%` and those of `-o`; `BadOption` names the first that is not understood."""
    words = [word for word in suffix.split(",") if word] + list(pushed)
    given: list[tuple[str, str]] = []
    for word in words:
        name, _, value = word.partition("=")
        given.append((_ALIASES.get(name, name), value))
    names = {name for name, _ in given}
    for one, other in (("wip", "ready"), ("private", "remove-private"), ("publish-comments", "no-publish-comments")):
        if {one, other} <= names:
            raise BadOption(f"the options '{one}' and '{other}' are mutually exclusive")
    options = Options()
    for name, value in given:
        options = _with(options, name, value)
    return options


def _with(options: Options, name: str, value: str) -> Options:
    match name:
        case "topic" if len(value) > _TOPIC_LENGTH:
            raise BadOption(f"topic length exceeds the limit ({_TOPIC_LENGTH})")
        case "topic":
            return replace(options, topic=value)
        case "hashtag":
            tag = value.strip().lstrip("#").strip()
            return replace(options, hashtags=(*options.hashtags, tag)) if tag else options
        case "r":
            return replace(options, reviewers=(*options.reviewers, value))
        case "cc":
            return replace(options, cc=(*options.cc, value))
        case "l":
            return replace(options, labels=(*options.labels, _label(value)))
        case "m":
            return replace(options, message=unquote_plus(value.replace("_", " ")))
        case _ if name in _FLAGS:
            return _flagged(options, name)
        case _ if name in _WITHOUT_EFFECT:
            return options
        case _:
            raise BadOption(f'"--{name}" is not a valid option')


def _flagged(options: Options, name: str) -> Options:
    match name:
        case "wip" | "ready":
            return replace(options, wip=name == "wip")
        case "private" | "remove-private":
            return replace(options, private=name == "private")
        case _:
            return replace(options, submit=True)


def _label(value: str) -> tuple[str, int]:
    """`Code-Review+2`, `Verified-1`, `Workflow` (which is +1)."""
    found = _LABEL.match(value)
    if found is None:
        raise BadOption(f'"{value}" is not a valid label')
    return found[1], int(found[2] or 1)
