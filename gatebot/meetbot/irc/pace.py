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

    def take(self, now: float) -> tuple[Bucket, float]:
        """Take one line out at `now`; returns the bucket after it and the seconds to wait before sending."""
        level = min(self.burst, self.level + max(now - self.at, 0) * self.rate)
        wait = max((1 - level) / self.rate, 0.0) if level < 1 else 0.0
        return Bucket(self.burst, self.rate, level - 1, now), wait


def bucket(burst: int, rate: float, now: float) -> Bucket:
    """A full bucket."""
    return Bucket(burst, rate, burst, now)


def back_off(failures: int, dice: float, shortest: float = SHORTEST) -> float:
    """Seconds to wait after so many failures in a row: longer each time, never all bots at once."""
    ceiling = min(shortest * 2**failures, max(LONGEST, shortest))
    return min(shortest, ceiling) * 0.5 + dice * (ceiling - min(shortest, ceiling) * 0.5)
