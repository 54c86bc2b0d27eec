# SPDX-License-Identifier: Apache-2.0
"""Korean particles that fit the word before them: 변경 7은, 변경 9는, main으로.

A sentence of the catalogue writes both forms, `%(change)s은(는)`; which of them is right is known once the word is put
in. Pure. Where the sound of a word's end is not known, both forms stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Both forms as sentences write them, and each: after a consonant, after a vowel.
_FORMS = {
    "이(가)": ("이", "가"),
    "은(는)": ("은", "는"),
    "을(를)": ("을", "를"),
    "와(과)": ("과", "와"),
    "과(와)": ("과", "와"),
    "(이)": ("이", ""),
    "(으)로": ("으로", "로"),
}
_PARTICLE = re.compile("|".join(map(re.escape, _FORMS)))
#: What may stand between a word and its particle: marks that close, tags, and what either is escaped to.
_BEHIND = re.compile(r"(?:</?[a-zA-Z][^<>]*>|&(?:#\d+|[a-z]+);|[\"'`’”»)\]}*])+$")
_SYLLABLES, _FINALS, _RIEUL = 0xAC00, 28, 8
#: How digits are read: 영, 일, 이, 삼, 사, 오, 육, 칠, 팔, 구. The final consonant, "ㄹ" apart, or none.
_DIGITS = dict(zip("0123456789", ("x", "l", "", "x", "", "", "x", "l", "l", ""), strict=True))
#: Letters at the end of a Latin word whose sound leaves no doubt.
_LETTERS = {"l": "l", "m": "x", "n": "x"} | dict.fromkeys("aiouwy", "")


class Sentence(str):
    """A sentence of the catalogue; `%` puts words into it, and chooses the particles behind them."""

    __slots__ = ()

    def __mod__(self, values: object) -> str:
        """The sentence with these words. Raises what `%` of a `str` raises."""
        return str(filled(str(self), values))


def filled(template: str, values: object) -> str:
    """`template % values` with the template's particles chosen; those within the values are theirs, and stay."""
    parts = _PARTICLE.split(template)
    if len(parts) == 1 or not isinstance(values, Mapping):
        return template % values
    kind = type(template)  # of pages it is Markup, which escapes what is put in
    pieces = [kind(part) % values for part in parts]
    made = pieces[0]
    for both, piece in zip(_PARTICLE.findall(template), pieces[1:], strict=True):
        made += particle(both, made) + piece
    return made


def particle(both: str, before: str) -> str:
    """The form that fits behind a text; both, where its end does not tell."""
    consonant, vowel = _FORMS[both]
    match _final(_BEHIND.sub("", before)):
        case None:
            return both
        case "":
            return vowel
        case "l" if both == "(으)로":
            return vowel
        case _:
            return consonant


def _final(text: str) -> str | None:
    """The last sound of a text where it is a consonant (`l`: ㄹ), empty where it is a vowel; None: who knows."""
    last = text[-1:].lower()
    if "가" <= last <= "힣":
        number = (ord(last) - _SYLLABLES) % _FINALS
        return "" if number == 0 else "l" if number == _RIEUL else "x"
    return _DIGITS.get(last, _LETTERS.get(last))
