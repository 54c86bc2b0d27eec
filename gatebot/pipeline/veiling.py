# SPDX-License-Identifier: Apache-2.0
"""What is said on changes that everybody reads names no private change.

Nothing is read here but by the given look-up; pages, which know who reads them, veil by what he may see.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

from ..change import ChangeFacts
from ..reasons import Reason, changes_named, veil

_Look: TypeAlias = Callable[[int], Awaitable[ChangeFacts | None]]


async def without_private(why: Reason, about: Collection[int], look: _Look) -> Reason:
    """A reason as it may stand on the changes that it is `about`."""
    named = changes_named(why) - set(about)
    found = [await look(number) for number in sorted(named)]
    return veil(why, {change.number for change in found if change is not None and change.private})
