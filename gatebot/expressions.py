# SPDX-License-Identifier: Apache-2.0
"""Regular expressions that people write in configuration: RE2, which takes linear time whatever they write.

RE2 cannot look ahead. `^(?!A)B`, what matches B and does not begin with A, is understood all the same: Zuul still
takes it, with a warning, and it is common where a job is for all branches but some. Any other look-around is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

import re2  # pyright: ignore[reportMissingTypeStubs]


class Compiled(Protocol):
    def match(self, text: str) -> object: ...
    def search(self, text: str) -> object: ...
    def fullmatch(self, text: str) -> object: ...


_QUIET = re2.Options()
_QUIET.log_errors = False  # a bad expression is reported to its author, not to the terminal


@lru_cache(maxsize=20_000)
def strictly(regex: str) -> Compiled:
    """The expression as RE2 has it, compiled once; raises ValueError with RE2's words."""
    try:
        return cast("Compiled", re2.compile(regex, _QUIET))  # pyright: ignore[reportUnknownMemberType]
    except cast("type[Exception]", re2.error) as problem:  # pyright: ignore[reportUnknownMemberType]
        said = problem.args[0] if problem.args else "not understood"
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None


@dataclass(frozen=True, slots=True)
class _Excluding:
    """What matches one expression and does not begin with another: `^(?!A)B`."""

    wanted: Compiled
    refused: Compiled

    def match(self, text: str) -> object:
        return None if self.refused.match(text) else self.wanted.match(text)

    def search(self, text: str) -> object:
        return None if self.refused.match(text) else self.wanted.search(text)

    def fullmatch(self, text: str) -> object:
        return None if self.refused.match(text) else self.wanted.fullmatch(text)


@lru_cache(maxsize=20_000)
def compiled(regex: str) -> Compiled:
    """The expression, compiled once; raises ValueError with RE2's words. `^(?!A)B` is understood too."""
    parts = _split(regex)
    return strictly(regex) if parts is None else _Excluding(strictly(parts[0]), strictly(parts[1]))


_BEGINNING = "^(?!"


def _split(regex: str) -> tuple[str, str] | None:
    """What must match and what must not, both from the start; None: this is no such expression."""
    rest, refused = regex, list[str]()
    while rest.startswith(_BEGINNING):
        end = _closing(rest, len(_BEGINNING))
        if end is None:
            return None
        refused.append(rest[len(_BEGINNING) : end])
        rest = f"^{rest[end + 1 :]}"
    return (rest, "|".join(f"(?:{one})" for one in refused)) if refused else None


def _closing(regex: str, start: int) -> int | None:
    """Where the group that begins before `start` ends; escapes and sets of characters are passed over."""
    depth, at, in_set = 1, start, False
    while at < len(regex):
        sign = regex[at]
        if sign == "\\":
            at += 1
        elif in_set:
            in_set = sign != "]" or regex[at - 1] == "["
        elif sign == "[":
            in_set = True
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return None
