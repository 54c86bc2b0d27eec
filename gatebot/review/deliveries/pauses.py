# SPDX-License-Identifier: Apache-2.0
"""How long what failed waits until it is tried again: less and less often, up to a limit.

Pure: how often it failed and the chance of a pause are given.
"""

from __future__ import annotations

from datetime import timedelta

_MOST_TRIES = 30  # some four days


def pause(
    tries: int, first: timedelta = timedelta(seconds=10), longest: timedelta = timedelta(hours=1), chance: float = 1.0
) -> timedelta:
    """How long to wait after the `tries`-th failure; `chance` (0 to 1) keeps many from coming at once."""
    whole = min(longest, first * 2 ** min(tries - 1, 20))
    return whole / 2 + whole / 2 * chance


def patience(tries: int) -> timedelta | None:
    """The same for what is given up some day: None after its last try."""
    return None if tries >= _MOST_TRIES else pause(tries, timedelta(minutes=1), timedelta(hours=4))
