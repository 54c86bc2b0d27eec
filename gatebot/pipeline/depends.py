# SPDX-License-Identifier: Apache-2.0
"""`Depends-On:` footers of a commit message, as Zuul reads them.

Pure. Which change an address names is the review room's knowledge.
"""

from __future__ import annotations

import re

_FOOTER = re.compile(r"^\s*Depends-On:\s*(?:<)?(\S+?)(?:>)?\s*$", re.MULTILINE | re.IGNORECASE)
_MOST = 50


def depends_on(message: str) -> tuple[str, ...]:
    """The addresses (or `Change-Id`s) that the message depends on, each once, in order."""
    return tuple(dict.fromkeys(_FOOTER.findall(message)))[:_MOST]
