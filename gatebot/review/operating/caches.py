# SPDX-License-Identifier: Apache-2.0
"""What this process remembers so that it need not be found out again: its caches by name, and forgetting them.

They are the `lru_cache` of functions, and those that parts of the room keep. All hold what follows from something else
alone, so that nothing is lost by forgetting, and nothing is wrong without it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast


class _Info(Protocol):
    hits: int
    misses: int
    currsize: int


class _Remembering(Protocol):
    def cache_info(self) -> _Info: ...
    def cache_clear(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Cache:
    """One cache as it is now; `hits` of all that was asked, in percent, None before anybody asked."""

    name: str
    entries: int
    hits: int | None


class Caches:
    """The caches of this process; `parts` are values that keep some of their own."""

    def __init__(self, parts: Mapping[str, object]) -> None:
        self._parts = parts

    def all(self) -> list[Cache]:
        """Every cache, by name."""
        return [_told(name, one) for name, one in sorted(self._found().items())]

    def find(self, name: str) -> Cache | None:
        """The one of this name."""
        one = self._found().get(name)
        return None if one is None else _told(name, one)

    def flush(self, names: list[str]) -> None:
        """Forget what these remember."""
        found = self._found()
        for name in names:
            found[name].cache_clear()

    def _found(self) -> dict[str, _Remembering]:
        modules = {name: module for name, module in list(sys.modules.items()) if name.startswith("gatebot.")}
        found = {
            f"{name.removeprefix('gatebot.')}.{key.lstrip('_')}": one
            for name, module in modules.items()
            for key, one in _kept(module)
            if getattr(one, "__module__", name) == name
        }
        return found | {
            f"{name}.{key.lstrip('_')}": one for name, part in self._parts.items() for key, one in _kept(part)
        }


_KIND = type(lru_cache(len))


def _kept(part: object) -> Iterator[tuple[str, _Remembering]]:
    for key, one in list(getattr(part, "__dict__", {}).items()):
        if isinstance(one, _KIND):
            yield key, cast("_Remembering", one)


def _told(name: str, one: _Remembering) -> Cache:
    info = one.cache_info()
    asked = info.hits + info.misses
    return Cache(name, info.currsize, info.hits * 100 // asked if asked else None)
