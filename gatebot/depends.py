# SPDX-License-Identifier: Apache-2.0
"""`Depends-On:` footers of a commit message, as Zuul reads them: anywhere in the message, from the start of a line.

Pure. Which change an address names is the knowledge of whoever keeps the changes.
"""

from __future__ import annotations

import re

_FOOTER = re.compile(r"^Depends-On:[ \t]*<?([^\s<>]+)>?[ \t]*$", re.MULTILINE | re.IGNORECASE)
_CHANGE_ID = re.compile(r"I[0-9a-f]{40}")
_MOST = 50


def depends_on(message: str) -> tuple[str, ...]:
    """The addresses (or `Change-Id`s) that the message depends on, each once, in order."""
    return tuple(dict.fromkeys(_FOOTER.findall(message)))[:_MOST]


def is_change_id(address: str) -> bool:
    """Whether a footer names changes as Zuul allowed it before it knew addresses: on whatever branches they are."""
    return _CHANGE_ID.fullmatch(address) is not None
