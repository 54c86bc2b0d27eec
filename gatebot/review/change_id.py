# SPDX-License-Identifier: Apache-2.0
"""The Change-Id footer of a commit message: where it must stand, what is wrong when it does not, and one for those
who have none.

Pure text work. The sentences are Gerrit's, word for word: scripts and clients look for them in the output of a push.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_LINE = re.compile(r"^Change-Id:[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_VALID = re.compile(r"I[0-9a-f]{40}\Z")

MISSING = "missing Change-Id in message footer"
NO_SUBJECT = "missing subject; Change-Id must be in message footer"
MISPLACED = "Change-Id must be in message footer"
SEVERAL = "multiple Change-Id lines in message footer"
INVALID = "invalid Change-Id line format in message footer"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a message has no usable Change-Id, in Gerrit's words; `found` are the footers when there are several."""

    text: str
    found: tuple[str, ...] = ()


def read(message: str) -> str | Flaw:
    """The Change-Id of a commit message, or what is wrong with it."""
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", message.strip()) if part.strip()]
    everywhere = _LINE.findall(message)
    if not everywhere:
        return Flaw(MISSING)
    if len(paragraphs) == 1 and _LINE.match(paragraphs[0]):
        return Flaw(NO_SUBJECT)
    footer = _LINE.findall(paragraphs[-1]) if len(paragraphs) > 1 else []
    if not footer:
        return Flaw(MISPLACED)
    if len(footer) > 1:
        return Flaw(SEVERAL, tuple(footer))
    if not is_valid(footer[0]):
        return Flaw(INVALID)
    return footer[0]


def is_valid(text: str) -> bool:
    """Whether this can be a Change-Id; 40 zeros are what a client writes that has forgotten to make one."""
    return _VALID.match(text) is not None and text != "I" + "0" * 40


def derive(author: str, email: str, authored: str, subject: str, taken: frozenset[str] = frozenset()) -> str:
    """The Change-Id of a commit that carries none.

    Made of what stays when a commit is amended or rebased: who wrote it, when, and its subject. So the next version
    finds the change even where nobody has added the line. `taken` are the ids of this push.
    """
    for salt in range(len(taken) + 1):
        text = "\0".join((author, email.lower(), authored, subject, *([str(salt)] if salt else ())))
        made = "I" + hashlib.sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
        if made not in taken:
            return made
    raise AssertionError("one of more ids than are taken is free")
