# SPDX-License-Identifier: Apache-2.0
"""From the request for a virtual machine to the end of the first command on it, over SSH with keys made for it.

The machine begins in a saved state; the peer, once, is the same from its kernel on. Needs what `gatebot image build
--vm --arch ARCH` makes. Usage: `python -m bench.vm_restore [ARCH] [RUNS]`, of arm64 ten times by default.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from gatebot.executor.images import shared
from gatebot.executor.machines.building import Machine
from gatebot.executor.machines.shapes import Shape
from gatebot.executor.model import MIB, Label, Network
from gatebot.executor.providers.model import Capacity, Command, NodeRequest, Platform
from gatebot.executor.providers.qemu import Qemu
from gatebot.words import say

from ._ground import figure, percentile

GOAL = 3.0
LABEL = Label("machine", network=Network.NONE, memory=1024 * MIB, disk=1024 * MIB, cpus=1.0)
#: A size that nobody has a state of.
COLD = replace(LABEL, disk=LABEL.disk + 1021 * 4096)
FIRST = Command(("uname", "-m"), {"PATH": "/usr/bin:/bin"}, "/")


async def once(provider: Qemu, platform: Platform, label: Label) -> tuple[float, float, float]:
    """Seconds until the first command on a new machine has ended, those of processors in it, those until it is gone."""
    name, printed = uuid4().hex, bytearray()
    began = time.monotonic()
    await provider.create(NodeRequest(name, label, "", platform.arch, platform.execution))
    await provider.wait_ready(name, 300)
    ended = await provider.connect(name).run(FIRST, printed.extend)
    took = time.monotonic() - began
    if ended.status:
        raise SystemExit(f"nothing runs in a machine here: {printed.decode()}")
    used, gone = processors(provider.directory / name / "pid"), time.monotonic()
    await provider.destroy(name)
    return took, used, time.monotonic() - gone


def processors(file: Path) -> float:
    """Seconds that a process has had of processors, all its threads."""
    fields = Path("/proc", file.read_text(), "stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(arch: str, runs: int, directory: Path) -> None:
    """Print the figures."""
    provider = Qemu(directory, shared(), "bench", architectures=(arch,))
    found = await provider.probe()
    if not isinstance(found, Capacity):
        print(f"not measured: {say(found)}", file=sys.stderr)
        return
    platform = found.platforms[0]
    await asyncio.to_thread(Machine(arch, Shape.of(LABEL)).build, shared(), lambda line: print(line, file=sys.stderr))
    try:
        cold, _, _ = await once(provider, platform, COLD)
        taken = [await once(provider, platform, LABEL) for _ in range(runs + 1)][1:]
    finally:
        await provider.close()
    made, used, gone = zip(*taken, strict=True)
    about = {"arch": arch, "execution": platform.execution.value, "load": round(os.getloadavg()[0], 1)}
    took = statistics.median(made)
    figure("vm.restore.p50", took, "s", runs, goal=GOAL, peer=round(cold, 2), ratio=round(took / cold, 3), **about)
    figure("vm.restore.p95", percentile(made, 0.95), "s", runs, **about)
    figure("vm.restore.cpu", statistics.median(used), "s", runs, **about)
    figure("vm.restore.least", min(made), "s", runs, **about)
    figure("vm.destroy.p50", statistics.median(gone), "s", runs, **about)


def main(arguments: list[str]) -> None:
    """Measure in a directory of its own."""
    arch, runs = [*arguments, "arm64", "10"][:2] if len(arguments) != 1 else (arguments[0], "10")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        asyncio.run(measure(arch, int(runs), Path(directory)))


if __name__ == "__main__":
    main(sys.argv[1:])
