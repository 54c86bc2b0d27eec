# SPDX-License-Identifier: Apache-2.0
"""Why something waits, left, or was refused: what the cores return instead of sentences.

Here lives only the value; `words.py` turns it into a sentence in the reader's language, from the
catalogues in `locale/`. A kind is `room.words-with-hyphens`; its sentence is the catalogue entry
of that id. Nothing here knows any sentence.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, for example `Reason("pipeline.job-failed", (("job", "unit"), ("line", 12)))`.

    `params` fill the named places of the sentence. Nested reasons (`because`) are said after it.
    """

    kind: str
    params: tuple[tuple[str, str | int], ...] = ()
    because: tuple[Reason, ...] = ()

    def get(self, name: str) -> str | int | None:
        """One parameter, or None."""
        return dict(self.params).get(name)


UNNAMED = "\u2022\u2022\u2022"
"""Stands for a change that the reader may not know of."""
_NAMING = ("change", "on", "other")


def changes_named(*whys: Reason | None) -> frozenset[int]:
    """The changes whose numbers are in reasons, also in nested ones."""
    found: set[int] = set()
    for why in whys:
        if why is not None:
            for name, value in why.params:
                found |= _numbers(value) if name in _NAMING else set()
            found |= changes_named(*why.because)
    return frozenset(found)


def veil(why: Reason, hidden: Collection[int]) -> Reason:
    """A reason for somebody who may not see some changes: without their numbers, nor what is the matter with them."""
    if not changes_named(why) & set(hidden):
        return why
    hides = {name for name, value in why.params if name in _NAMING and _numbers(value) & set(hidden)}
    params = tuple((name, UNNAMED if name in hides else value) for name, value in why.params)
    return Reason(why.kind, params, () if hides else tuple(veil(one, hidden) for one in why.because))


def _numbers(value: str | int) -> set[int]:
    if isinstance(value, int):
        return {value}
    return {int(one) for one in value.split(", ") if one.isascii() and one.isdecimal() and len(one) < 19}


def reason(kind: str, *because: Reason, **params: str | int) -> Reason:
    """Write a reason shortly: `reason("review.needs-vote", label="Verified", value="+1")`."""
    return Reason(kind, tuple(params.items()), because)


def N_(text: str) -> str:
    """Marks a text of a page that is said, in the reader's language, where it is shown."""
    return text
