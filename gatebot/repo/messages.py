# SPDX-License-Identifier: Apache-2.0
"""Messages of the commits that the server makes, worded as Gerrit words them.

Floor 2 by its place in the hall, but pure: text in, text out.
"""

from __future__ import annotations

import re

_FOOTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*: ?\S")


def merge(subject: str, branch: str | None) -> str:
    """The message of a merge of one change; `branch` is named when it is not the project's default one."""
    return f'Merge "{subject}"' + (f" into {branch}" if branch else "") + "\n"


def with_footers(message: str, footers: tuple[str, ...]) -> str:
    """The message with footers at its end: in the paragraph of footers when it has one; none is said twice."""
    body = message.rstrip("\n")
    present = last_footers(body)
    joined = bool(present)
    new = [footer for footer in dict.fromkeys(footers) if footer not in present]
    if not new:
        return f"{body}\n"
    return body + ("\n" if joined else "\n\n") + "\n".join(new) + "\n"


def last_footers(message: str) -> tuple[str, ...]:
    """The lines of the last paragraph, where it is one of footers."""
    paragraphs = message.rstrip("\n").split("\n\n")
    lines = paragraphs[-1].splitlines() if len(paragraphs) > 1 else []
    return tuple(lines) if all(_FOOTER.match(line) or line.startswith((" ", "\t")) for line in lines) else ()


def with_note(message: str, note: str) -> str:
    """The message with a paragraph more, before its footers."""
    if not note:
        return message
    body, footers = message.rstrip("\n"), last_footers(message)
    if footers:
        body = body.rpartition("\n\n")[0]
    return "\n\n".join((body, note, *(["\n".join(footers)] if footers else ()))) + "\n"
