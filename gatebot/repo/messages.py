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
    paragraphs = body.split("\n\n")
    present = paragraphs[-1].splitlines() if len(paragraphs) > 1 else []
    joined = bool(present) and all(_FOOTER.match(line) or line.startswith((" ", "\t")) for line in present)
    new = [footer for footer in dict.fromkeys(footers) if not (joined and footer in present)]
    if not new:
        return f"{body}\n"
    return body + ("\n" if joined else "\n\n") + "\n".join(new) + "\n"
