# SPDX-License-Identifier: Apache-2.0
"""Inputs that nobody should send: some from hypothesis, which makes small what it finds, and very many from dice.

Hypothesis remembers everything that it tried and takes milliseconds for each, so a hundred thousand of its inputs are
hours and gigabytes. Behind the first of them come thrown ones: made of the same pieces, or changed copies of such as
were thrown before. `GATEBOT_INPUTS` says how many for each test, `GATEBOT_SEED` which.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

T = TypeVar("T")
INPUTS = int(os.environ.get("GATEBOT_INPUTS", "150"))
SEED = os.environ.get("GATEBOT_SEED", "1")
_SEARCHED = 2_000
_KEPT, _LONGEST = 256, 600
_ODD_NUMBERS = ("9" * 5000, "-1", "1e9", "٣", "²", "0x1f")
_LETTERS = (
    *map(chr, range(256)),
    *"회의ŁΩжא\u0661\u200b\u202e\u2028\ufeff\uffff😀👩\U0010ffff",
    "e\u0301",
    "İ",
    "ß",
    "ǆ",
)
_searched = settings(max_examples=min(INPUTS, _SEARCHED), deadline=None, suppress_health_check=list(HealthCheck))


class Given(Protocol):
    """Bytes that a fuzzer chose, taken piece by piece."""

    def ConsumeBytes(self, count: int) -> bytes: ...
    def ConsumeIntInRange(self, least: int, most: int) -> int: ...
    def remaining_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """Where inputs of one kind come from: `strategy` searches, `draw` throws, `read` makes one of a fuzzer's bytes.

    `words` help the fuzzer on.
    """

    strategy: st.SearchStrategy[T]
    draw: Callable[[random.Random], T]
    read: Callable[[Given], T]
    words: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Thrown:
    """What a test looks at, and where its inputs come from: for the fuzzer, see `tests/laws/guided.py`."""

    check: Callable[..., None]
    sources: dict[str, Source[Any]]


THROWN: dict[str, Thrown] = {}


def thrown(**sources: Source[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """A test that is made with so many inputs, one from each source."""

    def decorate(check: Callable[..., None]) -> Callable[[], None]:
        THROWN[check.__name__] = Thrown(check, sources)
        search = _searched(given(**{name: source.strategy for name, source in sources.items()})(check))

        def test() -> None:
            search()
            dice = random.Random(f"{SEED} {check.__name__}")
            for number in range(INPUTS - _SEARCHED):
                inputs = {name: source.draw(dice) for name, source in sources.items()}
                try:
                    check(**inputs)
                except Exception as error:
                    raise AssertionError(f"input {number} of seed {SEED}: {inputs!r}") from error

        test.__name__, test.__qualname__, test.__doc__ = check.__name__, check.__qualname__, check.__doc__
        test.__module__ = check.__module__
        return test

    return decorate


def pieces(*known: str) -> Source[str]:
    """Texts of a language: its own words, numbers of any length, and anything else, in any order."""
    digits = st.integers(0, 10**9).map(str) | st.sampled_from(_ODD_NUMBERS)
    strategy = st.lists(st.sampled_from(known) | digits | st.text(max_size=8), max_size=14).map("".join)
    memory: WeakKeyDictionary[random.Random, list[str]] = WeakKeyDictionary()  # the same dice throw the same

    def piece(dice: random.Random) -> str:
        chance = dice.random()
        if chance < 0.7:
            return dice.choice(known)
        if chance < 0.85:
            return (
                dice.choice(_ODD_NUMBERS) if dice.random() < 0.1 else str(dice.randrange(10 ** dice.randrange(1, 10)))
            )
        return "".join(dice.choices(_LETTERS, k=dice.randrange(1, 9)))

    def draw(dice: random.Random) -> str:
        kept = memory.setdefault(dice, [])
        if kept and dice.random() < 0.5:
            text = _changed(dice, dice.choice(kept), piece)
        else:
            text = "".join(piece(dice) for _ in range(dice.randrange(15)))
        if len(text) < _LONGEST:
            _keep(dice, kept, text)
        return text

    def read(given: Given) -> str:
        # A length before each text, so that several can come from one input.
        count = given.ConsumeIntInRange(0, _LONGEST)
        return given.ConsumeBytes(count).decode("utf-8", "replace")

    return Source(strategy, draw, read, tuple(word.encode("utf-8", "surrogatepass") for word in known))


def _keep(dice: random.Random, kept: list[str], text: str) -> None:
    if len(kept) < _KEPT:
        kept.append(text)
    else:
        kept[dice.randrange(_KEPT)] = text


def _changed(dice: random.Random, text: str, piece: Callable[[random.Random], str]) -> str:
    """A copy with one or more places that are otherwise."""
    for _ in range(dice.randrange(1, 4)):
        start = dice.randrange(len(text) + 1)
        end = min(start + dice.randrange(1, 12), len(text))
        match dice.randrange(4):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + piece(dice) + text[start:]
            case 2:
                text = text[:start] + text[start:end] * dice.randrange(2, 30) + text[end:]
            case _:
                text = text[:start] + piece(dice) + text[end:]
    return text


def one_of(*values: T) -> Source[T]:
    """One of some values."""
    return Source(
        st.sampled_from(values),
        lambda dice: dice.choice(values),
        lambda given: values[given.ConsumeIntInRange(0, len(values) - 1)],
    )


def several(source: Source[T], most: int) -> Source[list[T]]:
    """So many at most."""
    return Source(
        st.lists(source.strategy, max_size=most),
        lambda dice: [source.draw(dice) for _ in range(dice.randrange(most + 1))],
        lambda given: [source.read(given) for _ in range(given.ConsumeIntInRange(0, most))],
        source.words,
    )


def cuts(most: int) -> Source[list[int]]:
    """Where a stream is cut: the lengths of its first parts."""
    one = Source(st.integers(1, 50), lambda dice: dice.randrange(1, 51), lambda given: given.ConsumeIntInRange(1, 50))
    return several(one, most)


def packets(*lines: str, odd: Sequence[bytes]) -> Source[list[bytes]]:
    """Packets of git's protocol with these lines, packets that are none, and any bytes."""
    made = [f"{len(line) + 4:04x}{line}".encode() for line in lines]

    def draw(dice: random.Random) -> bytes:
        chance = dice.random()
        return (
            dice.choice(made)
            if chance < 0.5
            else dice.choice(odd)
            if chance < 0.8
            else dice.randbytes(dice.randrange(13))
        )

    def read(given: Given) -> bytes:
        return given.ConsumeBytes(given.ConsumeIntInRange(0, 80))

    one = st.sampled_from(made) | st.sampled_from(odd) | st.binary(max_size=12)
    return several(Source(one, draw, read, (*made, *odd)), 10)
