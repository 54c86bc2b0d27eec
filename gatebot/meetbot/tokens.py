# SPDX-License-Identifier: Apache-2.0
"""Words for the index and for a search: Hangul and CJK as single characters and pairs, the rest as words.

Pure, and the same for SQLite (FTS5) and PostgreSQL (`simple` tsvector): both store and match exactly these
tokens, so both find a Korean word of two syllables inside a longer one, with its particle or without.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

# Hangul syllables and letters, kana, ideographs (with extension A and the compatibility forms).
_SYLLABIC = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_RUN = re.compile(rf"[{_SYLLABIC}]+|[^\W_{_SYLLABIC}]+")
_SYLLABIC_RUN = re.compile(rf"[{_SYLLABIC}]")
_LONGEST = 64  # characters of one word; longer ones are found by their beginning


def normal(text: str) -> str:
    """The form in which texts are compared: composed, and without the difference of case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words(text: str) -> Iterator[str]:
    """The words of a text in order; a run of Hangul or CJK is one word."""
    return (found[0] for found in _RUN.finditer(normal(text)))


def is_syllabic(word: str) -> bool:
    """Whether a word is indexed by characters and pairs."""
    return _SYLLABIC_RUN.match(word) is not None


def cut(word: str) -> str:
    """A word that is not syllabic as the index has it."""
    return word[:_LONGEST]


def indexed(said: Iterable[str]) -> list[str]:
    """Every token that the words of a text are found by. A long word of syllables is a phrase of its pairs."""
    tokens: list[str] = []
    for word in said:
        if is_syllabic(word):
            tokens += word
            tokens += [word[i : i + 2] for i in range(len(word) - 1)]
        else:
            tokens.append(cut(word))
    return tokens
