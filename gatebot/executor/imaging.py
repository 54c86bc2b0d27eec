# SPDX-License-Identifier: Apache-2.0
"""Builds the images that labels lack in a process beside the server, one after another: never at job time.

The process is started while the server may still be root, and ends with it. What became of an image is told by the
directory of images alone: NAME is there, NAME.lock is held by who makes it, NAME.failed says why it is not.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ..architectures import ANY, Execution, canonical
from ..errors import Unavailable
from ..reasons import Reason, reason
from ..words import say
from . import images
from .images import Definition
from .machines import planning
from .machines.building import Machine, machine_of
from .machines.shapes import Shape
from .model import LOCAL, Label
from .providers import emulation, kernel
from .providers.processes import kill_tree

#: The root file system of sandboxes, or what virtual machines begin with.
Wanted: TypeAlias = Definition | Machine

log = logging.getLogger(__name__)
_AGAIN = 300.0
#: What labels ask for whose nodes may be those of another architecture.
_EMULATED = ("", ANY, Execution.EMULATED_USER)
#: The builders that this server started; each ends when nobody can write to it any more.
_STARTED: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Imaging:
    """Which labels need an image on this machine; `place` is the directory that has them.

    `machines` are the providers whose nodes are virtual machines, with their architectures (none: all); where jobs are
    not `sandboxed`, those of this machine see no image.
    """

    place: Path
    machines: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    sandboxed: bool = True

    def wanted(self, label: Label) -> Wanted | None:
        """The image that nodes of a label cannot be without, where this machine can have such nodes."""
        if label.provider in self.machines:
            made = machine_of(label, self.machines[label.provider])
            return None if made is None or planning.lacks(made.arch) is not None else made
        return _sandbox(label) if self.sandboxed else None

    def lacking(self, labels: Iterable[Label]) -> list[Wanted]:
        """What is to be built for labels, each once; whether a machine's state lacks is known to who builds it."""
        needed = dict.fromkeys(one for label in labels if (one := self.wanted(label)) is not None)
        return [one for one in needed if isinstance(one, Machine) or not images.is_built(one, self.place)]

    def unready(self, label: Label) -> Reason | None:
        """Why there is no node of a label yet: its image is not there. None: it is, or it needs none."""
        wanted = self.wanted(label)
        if wanted is None or _is_built(wanted, self.place):
            return None
        if (failed := self.place / f"{wanted.name}.failed").exists():
            return reason("executor.label-image-failed", label=label.name, told=failed.read_text("utf-8").strip()[:500])
        if (since := images.begun(wanted.name, self.place)) is not None:
            return reason("executor.label-image-building", label=label.name, since=f"{since:%H:%M}")
        return reason("executor.label-image-lacks", label=label.name)

    def start(self, labels: Iterable[Label]) -> None:
        """Begin to build what labels lack, if they lack anything."""
        wanted = self.lacking(labels)
        if not wanted:
            return
        package = Path(__file__).resolve().parents[2]
        line = [sys.executable, "-P", "-m", "gatebot.executor.imaging", str(self.place)]
        process = subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(package)}, stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(json.dumps([asdict(one) for one in wanted]).encode() + b"\n")
        process.stdin.flush()
        _STARTED.append(process)


def _sandbox(label: Label) -> Definition | None:
    """The root file system of sandboxes; those of this machine's own architecture can be without the default one.

    They show its own programs then.
    """
    if label.provider != LOCAL or label.image != "default":
        return None
    foreign = label.arch not in ("", canonical(platform.machine()))
    if not label.imaged and not foreign:
        return None
    if not is_ours(label) or (foreign and label.arch not in {one.arch for one in emulation.installed()}):
        return None
    return images.definition_of(label)


def is_ours(label: Label) -> bool:
    """Whether a sandbox here can be what a label says, by itself or with an emulator: else no image helps."""
    return label.arch in ("", canonical(platform.machine())) or label.execution in _EMULATED


def _is_built(one: Wanted, place: Path) -> bool:
    return one.is_built(place) if isinstance(one, Machine) else images.is_built(one, place)


def main(place: Path, wanted: list[Wanted]) -> None:
    """Build until all are there; what fails is tried again later."""
    told: dict[Wanted, str] = {}
    while wanted:
        for one in tuple(wanted):
            if (why := _failed(one, place)) is None:
                wanted.remove(one)
            elif why != told.get(one):
                log.warning("the image %s could not be built, again every %d seconds: %s", one.name, _AGAIN, why)
                told[one] = why
        if wanted:
            time.sleep(_AGAIN)


def _failed(one: Wanted, place: Path) -> str | None:
    """Build an image; what went wrong, which is also put where others find it."""
    if not (there := _is_built(one, place)):
        log.info("the image %s is being built", one.name)
    try:
        if isinstance(one, Machine):
            one.build(place, _silent)
        else:
            images.build(one, place, _silent)
    except (Unavailable, OSError, subprocess.CalledProcessError) as problem:
        why = say(problem.reason) if isinstance(problem, Unavailable) and problem.reason else str(problem)
        with contextlib.suppress(OSError):  # a directory that only others may write to
            (place / f"{one.name}.failed").write_text(why, "utf-8")
        return why
    if not there:
        log.info("the image %s is built", one.name)
    return None


def _silent(_: str) -> None:
    """What is printed meanwhile is only of use where it fails."""


def read(text: str) -> list[Wanted]:
    """What is wanted, as it is handed to the process that builds."""
    told: list[dict[str, Any]] = json.loads(text)
    return [_machine(**one) if "shape" in one else Definition(**one) for one in told]


def _machine(arch: str, shape: dict[str, int], packages: list[str], script: str) -> Machine:
    return Machine(arch, Shape(**shape), tuple(packages), script)


def watch(builder: int) -> None:
    """Until all is built; when the server is gone before, the builder and what it started are ended.

    A server that gave up its rights cannot end them, and the kernel does not in its name.
    """
    ended = os.pidfd_open(builder)
    if ended not in select.select([ended, sys.stdin], [], [])[0]:
        kill_tree(builder)


if __name__ == "__main__":
    os.nice(10)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    asked = read(sys.stdin.readline())
    if (builder := os.fork()) == 0:
        if os.geteuid() == 0:  # what is mounted for an image goes with whoever builds it, however that ends
            kernel.unshare(kernel.NEW_MOUNTS)
            kernel.private_mounts()
        main(Path(sys.argv[1]), asked)
    else:
        watch(builder)
