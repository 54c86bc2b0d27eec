# SPDX-License-Identifier: Apache-2.0
"""What is written into the one search box, before a room reads it: conditions as `name:value`, and plain words.

Pure. Each room knows its own conditions. Here it is only seen which names are asked for: the room that has all of them
tells what is wrong with their values, and no other.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"[^"]*"?|\{[^}]*\}')
# An address, as of a page that somebody pasted, is a word.
_CONDITION = re.compile(r"(?:(?<=[\s(-])|^)-?([a-z][a-z_-]*):(?!//)(?=\S)[^\s()]*")
_JOINING = re.compile(r"\b(?:AND|OR|NOT)\b")
_WORD = re.compile(r"\w")


def conditions(text: str) -> frozenset[str]:
    """The names of the conditions of a query."""
    return frozenset(_CONDITION.findall(_bare(text)))


def has_words(text: str) -> bool:
    """Whether a query has plain words, beside its conditions or alone."""
    return _WORD.search(_JOINING.sub(" ", _CONDITION.sub(" ", _bare(text)))) is not None


def _bare(text: str) -> str:
    """The query with a letter for each quotation: what stands inside is neither condition nor several words."""
    return _QUOTED.sub("x", text)
