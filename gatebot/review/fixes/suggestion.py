# SPDX-License-Identifier: Apache-2.0
"""An edit that a comment suggests, in Gerrit's form: a fenced block of the kind `suggestion` in its text.

Pure. It stands for the lines that the comment speaks of, whole lines, and may be none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ...change import TextRange
from .model import Fix, Replacement

_BLOCK = re.compile(r"^```suggestion[ \t]*\n(?P<text>.*?)^```[ \t]*$\n?", re.MULTILINE | re.DOTALL)


def suggested(text: str) -> str | None:
    """The new lines that a comment suggests, each with its end; None: it suggests nothing."""
    found = _BLOCK.search(text.replace("\r\n", "\n") + "\n")
    return None if found is None else found["text"]


def without(text: str) -> str:
    """What a comment says beside its suggestion."""
    return _BLOCK.sub("", text.replace("\r\n", "\n") + "\n", count=1).strip("\n")


def plain(text: str, gettext: Callable[[str], str]) -> str:
    """A comment as letters tell it: what it suggests stands behind what it says, line by line."""
    new = suggested(text)
    if new is None:
        return text
    lines = [f"+ {line}".rstrip() for line in new.split("\n")[:-1]] or [gettext("nothing: take the lines out")]
    told = "\n".join([gettext("Suggested instead:"), *lines])
    return "\n".join(part for part in (without(text).strip(), told) if part)


def lines_of(line: int, span: TextRange | None) -> tuple[int, int]:
    """The first and the last line that a comment speaks of."""
    if span is None:
        return line, line
    first, last = span.start_line, span.end_line
    return first, last - 1 if span.end_character == 0 and last > first else last


def fix_of(id: str, path: str, text: str, line: int | None, span: TextRange | None) -> Fix | None:
    """The suggestion of a comment on lines of a file; its name is the comment's."""
    new = suggested(text)
    if new is None or line is None:
        return None
    first, last = lines_of(line, span)
    return Fix(id, "Suggested edit", (Replacement(path, TextRange(first, 0, last + 1, 0), new),))
