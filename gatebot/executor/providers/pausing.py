# SPDX-License-Identifier: Apache-2.0
"""When what failed is tried again: soon at first, and ever more seldom while nothing else changes.

Nothing is tried here, and nobody waits here; whoever tries asks before. What a failure costs others is why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...reasons import Reason, reason

#: After the first failure, the second, and all that follow.
_MINUTES = (1, 5, 30)


@dataclass(slots=True)
class Pauses:
    """The last failure; `now` are seconds of a clock that only goes on."""

    now: Callable[[], float]
    _last: tuple[object, Reason] | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)

    def still(self, around: object) -> Reason | None:
        """Why it is not to be tried now; None: it is, as also when what is `around` it has changed."""
        if self._last is None or self._last[0] != around:
            self.over()
            return None
        return self._last[1] if self.now() < self._until else None

    def failed(self, why: Reason, around: object) -> Reason:
        """It failed; the same reason with when it is tried again."""
        minutes = _MINUTES[min(self._count, len(_MINUTES) - 1)]
        told = Reason(why.kind, why.params, (*why.because, reason("executor.tried-again", minutes=minutes)))
        self._last, self._count, self._until = (around, told), self._count + 1, self.now() + minutes * 60
        return told

    def over(self) -> None:
        """It did not fail, or may not any more."""
        self._last, self._count = None, 0
