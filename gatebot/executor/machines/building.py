# SPDX-License-Identifier: Apache-2.0
"""Makes what nodes of a label begin with: the image of the machine, and the state that is saved of it.

For `gatebot image build`; never at job time.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable
from pathlib import Path

from ...architectures import canonical
from ...errors import Unavailable
from ...reasons import reason
from ..model import Label
from . import images
from .planning import plan
from .shapes import KINDS, Shape


def build(label: Label, arch: str, place: Path, progress: Callable[[str], None]) -> Path:
    """Make both, unless they are there; some minutes. Raises `Unavailable` with what is missing."""
    arch = arch or label.arch or canonical(platform.machine())
    if arch not in KINDS:
        raise Unavailable(reason=reason("executor.machine-unproven", arch=arch, known=", ".join(KINDS)))
    made = images.build(images.definition(arch), place, progress)

    async def save() -> None:
        found = await plan(arch, place, made / "acceleration.json")
        shape = Shape.of(label)
        if not found.is_saved(shape):
            progress(f"starting it once ({' '.join(found.how)}), to save the state that nodes begin in")
            await found.save(shape)

    asyncio.run(save())
    return made
