# SPDX-License-Identifier: Apache-2.0
"""An edit that a comment suggests, in Gerrit's form: a fenced block of the kind `suggestion` in its text.

Pure. It stands for the lines that the comment speaks of, whole lines, and may be none.
"""

from __future__ import annotations

import re

_BLOCK = re.compile(r"^```suggestion[ \t]*\n(?P<text>.*?)^```[ \t]*$\n?", re.MULTILINE | re.DOTALL)


def suggested(text: str) -> str | None:
    """The new lines that a comment suggests, each with its end; None: it suggests nothing."""
    found = _BLOCK.search(text.replace("\r\n", "\n") + "\n")
    return None if found is None else found["text"]


def without(text: str) -> str:
    """What a comment says beside its suggestion."""
    return _BLOCK.sub("", text.replace("\r\n", "\n") + "\n", count=1).strip("\n")


def applied(old: str, first: int, last: int, new: str) -> str | None:
    """A text with some of its lines replaced, counted from 1; None when it has not so many."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", old)
    if not 1 <= first <= last <= len(lines):
        return None
    if not lines[last - 1].endswith("\n"):
        new = new.removesuffix("\n")
    elif lines[first - 1].endswith("\r\n"):
        new = new.replace("\n", "\r\n")
    return "".join([*lines[: first - 1], new, *lines[last:]])
