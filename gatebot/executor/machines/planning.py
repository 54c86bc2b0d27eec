# SPDX-License-Identifier: Apache-2.0
"""What machines of an architecture need here and how they run, found by starting one.

The answer is the same for the provider and for whoever builds an image: so a saved state fits.
"""

from __future__ import annotations

import contextlib
import json
import platform
import shutil
from dataclasses import replace
from pathlib import Path

from ...architectures import canonical
from ...errors import Unavailable
from ...reasons import Reason, reason
from . import images
from .running import ENVIRONMENT, acceleration, program, version
from .saving import Plan
from .shapes import EMULATED, KINDS, VIRTUALIZED, Shape


def lacks(arch: str) -> Reason | None:
    """Why no image helps to have machines of an architecture here, with what does; None: one does."""
    kind = KINDS.get(arch)
    if kind is None:
        return reason("executor.machine-unproven", arch=arch, known=", ".join(KINDS))
    if program(kind) is None:
        return reason("executor.program-missing", program=kind.program, package=kind.package)
    if shutil.which("qemu-img", path=ENVIRONMENT["PATH"]) is None:
        return reason("executor.program-missing", program="qemu-img", package="qemu-utils")
    return None


async def plan(arch: str, place: Path, known: Path) -> Plan:
    """How machines of an architecture run here, shown with one of their images, which are in `place`.

    The file `known` has what was found before. Raises `Unavailable` with what would bring what is missing.
    """
    if (why := lacks(arch)) is not None:
        raise Unavailable(reason=why)
    image = images.trial(arch, place)
    if image is None:
        raise Unavailable(reason=reason("executor.machine-image", arch=arch))
    return await plan_of(arch, image, known)


async def plan_of(arch: str, image: Path, known: Path) -> Plan:
    """The same, of an image that is there, where nothing lacks."""
    found = Plan(KINDS[arch], image, EMULATED, await version(KINDS[arch]))
    return replace(found, how=await _acceleration(found, known, own=arch == canonical(platform.machine())))


async def is_saved(arch: str, image: Path, shape: Shape) -> bool:
    """Whether machines of that shape have a saved state for this qemu, however they run; nothing is started."""
    found = Plan(KINDS[arch], image, EMULATED, await version(KINDS[arch]))
    return any(replace(found, how=how).is_saved(shape) for how in (EMULATED, *VIRTUALIZED))


async def _acceleration(found: Plan, file: Path, *, own: bool) -> tuple[str, ...]:
    """What was found once holds until this machine, qemu or the image is another."""
    boot, known = _known(file)
    key = f"{boot} {found.image.name} {found.version}"
    if key not in known:
        known[key] = list(await acceleration(found.kind, found.image, own=own))
        _keep(file, {name: how for name, how in known.items() if name.startswith(boot)})
    return tuple(known[key])


def _known(file: Path) -> tuple[str, dict[str, list[str]]]:
    """The number of this machine's start, and what was found."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with contextlib.suppress(OSError, ValueError):
        return boot, json.loads(file.read_text())
    return boot, {}


def _keep(file: Path, known: dict[str, list[str]]) -> None:
    file.write_text(json.dumps(known))
