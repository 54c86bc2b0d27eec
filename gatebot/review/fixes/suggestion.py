# SPDX-License-Identifier: Apache-2.0
"""An edit that a comment suggests, in Gerrit's form: a fenced block of the kind `suggestion` in its text.

Pure. It stands for the lines that the comment speaks of, whole lines, and may be none.
"""

from __future__ import annotations

import re

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


def fix_of(id: str, path: str, text: str, line: int | None, span: TextRange | None) -> Fix | None:
    """The suggestion of a comment on lines of a file; its name is the comment's."""
    new = suggested(text)
    if new is None or line is None:
        return None
    first, last = (span.start_line, span.end_line) if span is not None else (line, line)
    if span is not None and span.end_character == 0 and last > first:
        last -= 1
    return Fix(id, "Suggested edit", (Replacement(path, TextRange(first, 0, last + 1, 0), new),))
