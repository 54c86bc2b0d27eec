# SPDX-License-Identifier: Apache-2.0
"""When the next line may go out, and when to try a network again: flood limits and back-off.

Pure: times are arguments, and so is the dice of the back-off (0 to 1).
"""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST, LONGEST = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """Lines that may be sent at once, refilled by the second."""

    burst: float
    rate: float
    level: float
    at: float

    def wait(self, now: float) -> float:
        """Seconds until a line may be sent."""
        level = self._filled(now)
        return (1 - level) / self.rate if level < 1 else 0.0

    def take(self, now: float) -> Bucket:
        """The bucket after a line was sent at `now`."""
        return Bucket(self.burst, self.rate, self._filled(now) - 1, now)

    def _filled(self, now: float) -> float:
        # A hair more: what was waited for by the clock must be there then, however numbers are rounded.
        return min(self.burst, self.level + max(now - self.at, 0) * self.rate + 1e-9)


def bucket(burst: int, rate: float, now: float) -> Bucket:
    """A full bucket."""
    return Bucket(burst, rate, burst, now)


def back_off(failures: int, dice: float, shortest: float = SHORTEST) -> float:
    """Seconds to wait after so many failures in a row: longer each time, never all bots at once."""
    ceiling = min(shortest * 2 ** min(failures, 30), max(LONGEST, shortest))
    return min(shortest, ceiling) * 0.5 + dice * (ceiling - min(shortest, ceiling) * 0.5)
