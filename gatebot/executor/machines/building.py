# SPDX-License-Identifier: Apache-2.0
"""Makes what nodes of a label begin with: the image of the machine, and the state that is saved of it.

For whoever builds images beside the server, and for `gatebot image build`; never at job time.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...architectures import ANY, Execution, canonical
from ...errors import Unavailable
from ..images import alone
from ..model import Label
from . import images, planning
from .shapes import KINDS, Shape

_KNOWN = "acceleration.json"


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine of an architecture, and the shape in which nodes begin; what its image has besides, as labels say."""

    arch: str
    shape: Shape
    packages: tuple[str, ...] = ()
    script: str = ""

    @property
    def name(self) -> str:
        """The directory of its image."""
        return images.name_of(self.arch, self.packages, self.script)

    def is_built(self, place: Path) -> bool:
        """Whether its image is there; nodes begin with its kernel where no state was saved."""
        return (place / self.name).is_dir()

    def build(self, place: Path, progress: Callable[[str], None]) -> Path:
        """Make both, unless they are there; some minutes. Raises `Unavailable` with what is missing."""
        if (why := planning.lacks(self.arch)) is not None:
            raise Unavailable(reason=why)
        made = place / self.name
        if asyncio.run(planning.is_saved(self.arch, made, self.shape)):
            return made

        def save(image: Path) -> None:
            asyncio.run(self._save(image, progress))

        with alone(self.name, place) as held:
            if self.is_built(place):
                save(made)
            elif lacking := images.missing():
                raise Unavailable(f"A machine needs {', '.join(lacking)}. Debian: apt-get install {' '.join(lacking)}")
            else:
                images.build(images.definition(self.arch, self.packages, self.script), place, progress, save, held)
        return made

    async def _save(self, image: Path, progress: Callable[[str], None]) -> None:
        found = await planning.plan_of(self.arch, image, image / _KNOWN)
        progress(f"starting it once ({' '.join(found.how)}), to save the state that nodes begin in")
        await found.save(self.shape)


def machine_of(label: Label, architectures: Sequence[str]) -> Machine | None:
    """What nodes of a label begin with, of a provider that has these architectures (none: all); None: it has none.

    A label that names none has the one of this computer, where the provider has it.
    """
    own, known = canonical(platform.machine()), architectures or tuple(KINDS)
    arch = label.arch or (own if own in known else known[0])
    runs = ("", ANY, Execution.EMULATED_SYSTEM, *((Execution.KVM,) if arch == own else ()))
    if arch not in known or arch not in KINDS or label.execution not in runs:
        return None
    return Machine(arch, Shape.of(label), label.packages, label.script)
