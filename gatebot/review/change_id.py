# SPDX-License-Identifier: Apache-2.0
"""The Change-Id footer of a commit message: where it must stand and what is wrong when it does not.

Pure text work. The sentences are Gerrit's, word for word: scripts and clients look for them in the
output of a push.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^Change-Id:[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_VALID = re.compile(r"I[0-9a-f]{40}\Z")

MISSING = "missing Change-Id in message footer"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a message has no usable Change-Id, in Gerrit's words."""

    text: str


def read(message: str) -> str | Flaw:
    """The Change-Id of a commit message, or what is wrong with it."""
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", message.strip()) if part.strip()]
    everywhere = _LINE.findall(message)
    if not everywhere:
        return Flaw(MISSING)
    if len(paragraphs) == 1 and _LINE.match(paragraphs[0]):
        return Flaw("missing subject; Change-Id must be in message footer")
    footer = _LINE.findall(paragraphs[-1]) if len(paragraphs) > 1 else []
    if not footer:
        return Flaw("Change-Id must be in message footer")
    if len(footer) > 1:
        return Flaw("multiple Change-Id lines in message footer")
    if not _VALID.match(footer[0]) or footer[0] == "I" + "0" * 40:
        return Flaw("invalid Change-Id line format in message footer")
    return footer[0]
