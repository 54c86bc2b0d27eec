# SPDX-License-Identifier: Apache-2.0
"""From the request for a node on this machine to the first act of the first command on it, sandboxed as jobs are.

The provider `local` alone: overlay, control group, network namespace, uid, bubblewrap. The layer is there before, as a
workspace is; the command writes the time. The peer is bubblewrap by itself with the same first command.
Usage: `python -m bench.node_create [RUNS]`.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from gatebot.assignment import NodeChoice, NodeSpec
from gatebot.executor.model import LOCAL
from gatebot.executor.providers.bubblewrap import HOME, PLAY
from gatebot.executor.providers.model import Command, NodeRequest
from tests.fakes.workshop import Workshop, workshop

from ._ground import figure, percentile

GOAL = 0.03
FIRST = ("/bin/bash", "-c", "echo $EPOCHREALTIME")
PEER = ("bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib",
        "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", *FIRST)  # fmt: skip


async def once(shop: Workshop, layers: Path, label: str) -> tuple[float, float]:
    """Seconds to the first act, and to take the node away again."""
    build = uuid4().hex
    choice = NodeChoice((NodeSpec(("node",), label),))
    (placed,) = (await shop.executor.supply.take(build, [choice], post_review=False, busy=print)).nodes
    provider = shop.executor.supply.provider(LOCAL)
    layer = layers / placed.node
    for place in (HOME, PLAY):
        (layer / place.lstrip("/")).mkdir(parents=True)
    printed = bytearray()
    began = time.time()
    await provider.create(NodeRequest(placed.node, placed.label, str(layer), placed.arch, placed.execution))
    await provider.wait_ready(placed.node, 20)
    ended = await provider.connect(placed.node).run(Command(FIRST, {}, "/"), printed.extend)
    if ended.status:
        raise SystemExit(f"nothing runs in a sandbox here: {printed.decode()}")
    took, gone = float(printed) - began, time.monotonic()
    await shop.executor.supply.destroy(build)
    return took, time.monotonic() - gone


def peer() -> float:
    """The same by a bare bubblewrap."""
    began = time.time()
    done = subprocess.run(PEER, capture_output=True, check=True, text=True)
    return float(done.stdout) - began


async def measure(runs: int, directory: Path) -> None:
    """Print the figures."""
    async with workshop(directory) as shop:
        for network, label in (("none", "small"), ("mirrors", "mirrors")):
            taken: list[tuple[float, float]] = []
            alone: list[float] = []
            for _ in range(runs + 2):
                taken.append(await once(shop, directory / "site" / "executor" / "layers", label))
                alone.append(await asyncio.to_thread(peer))
            made, gone = zip(*taken[2:], strict=True)
            took, other = statistics.median(made), statistics.median(alone[2:])
            more = {"goal": GOAL, "peer": round(other, 4), "ratio": round(took / other, 2), "network": network}
            figure("node.create.p50", took, "s", runs, **more)
            figure("node.create.p95", percentile(made, 0.95), "s", runs, network=network)
            figure("node.destroy.p50", statistics.median(gone), "s", runs, network=network)


def main(arguments: list[str]) -> None:
    """Measure in a directory of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        asyncio.run(measure(int(arguments[0]) if arguments else 50, Path(directory)))


if __name__ == "__main__":
    main(sys.argv[1:])
