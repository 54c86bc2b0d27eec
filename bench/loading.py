# SPDX-License-Identifier: Apache-2.0
"""Whether pages wait while configuration is loaded: a home page while OpenStack's tenant is read again and again.

The first load of 300 projects is the longest that there is. It runs on a thread of the server, as the driver lets it
run; and, to compare, in a process beside it that sends the parsed files back. The three kinds of seconds take turns, so
that they see the same machine. Usage: `python -m bench.loading [--seconds 3] [--rounds 5] [--tenant-config FILE
--repos DIR]`.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import pickle
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from aiohttp import web

from gatebot.app import places
from gatebot.app.site_app import SiteApp
from gatebot.cli import founding
from gatebot.clock import SystemClock
from gatebot.hearing import Runner
from gatebot.pipeline.config.build import build
from gatebot.pipeline.config.directories import Directories
from gatebot.pipeline.config.layout import Layout, Sources
from gatebot.pipeline.config.loader import Loader
from gatebot.pipeline.config.objects import ConfigFile
from gatebot.pipeline.config.offline import tenant_of
from gatebot.settings_file import init_text

from ._ground import eventually, figure, free_port, percentile

DATA = Path(__file__).parent.parent / "tests" / "data" / "openstack"
GOAL = 0.1  # seconds to a page
PAUSE = 0.02


def first_load(tenant_file: Path, repos: Path) -> Layout:
    """A load with nothing remembered."""
    return Loader(Directories(repos)).load(tenant_of(tenant_file))


def load_for(other: Connection, tenant_file: Path, repos: Path) -> None:
    """The process beside the server: what it loads it sends, branch by branch."""
    while other.recv_bytes() == b"load":
        layout = first_load(tenant_file, repos)
        for place, files in layout.sources.files.items():
            other.send_bytes(pickle.dumps((place, files), 5))
        other.send_bytes(pickle.dumps((None, layout.sources.branches), 5))


def receive(other: Connection, tenant_file: Path) -> Layout:
    """The server's part: the files come, the layout is built."""
    other.send_bytes(b"load")
    files: dict[tuple[str, str], tuple[ConfigFile, ...]] = {}
    while True:
        place, found = pickle.loads(other.recv_bytes())
        if place is None:
            return build(tenant_of(tenant_file), Sources(found, files))
        files[place] = found


async def serve(directory: Path, port: int, tenant_file: Path, repos: Path) -> None:
    """A site whose seconds are of the kind that the last line of the standard input names; no line: it ends."""
    settings, where = places.load(directory)
    site = await SiteApp.open(settings, where, None, SystemClock())
    runner = Runner(site.web(), 5.0)
    await runner.setup()
    await site.start()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    mine, other = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    context.Process(target=load_for, args=(other, tenant_file, repos), daemon=True).start()
    ways: dict[str, Callable[[], Layout]] = {
        "thread": lambda: first_load(tenant_file, repos),
        "process": lambda: receive(mine, tenant_file),
    }
    kind = ["nothing"]
    asyncio.get_running_loop().add_reader(sys.stdin, lambda: kind.append(sys.stdin.readline().strip()))
    while kind[-1]:
        if (way := ways.get(kind[-1])) is not None:
            await asyncio.to_thread(way)
        else:
            await asyncio.sleep(0.05)
    mine.send_bytes(b"end")


async def measure(server: subprocess.Popen[str], port: int, seconds: float, rounds: int) -> None:
    """Ask for the home page all the time, and tell how long it took while what was done."""
    taken: dict[str, list[float]] = {"nothing": [], "thread": [], "process": []}
    assert server.stdin is not None
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as asking:
        for turn in range(rounds + 1):
            for kind, into in taken.items():
                server.stdin.write(f"{kind}\n")
                server.stdin.flush()
                ends = time.perf_counter() + seconds
                while (began := time.perf_counter()) < ends:
                    async with asking.get("/") as answer:
                        await answer.read()
                    if turn:  # the first round warms up
                        into.append(time.perf_counter() - began)
                    await asyncio.sleep(PAUSE)
    for kind, times in taken.items():
        for part in (0.5, 0.95):
            figure(f"loading.page.{kind}.p{part * 100:.0f}", percentile(times, part), "s", len(times), goal=GOAL)


def answers(port: int) -> bool:
    """Whether anybody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def main() -> None:
    """Measure, or be the server."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tenant-config", type=Path, default=DATA / "tenant.yaml")
    parser.add_argument("--repos", type=Path, default=DATA / "repos")
    parser.add_argument("--serve", nargs=2, metavar=("DIRECTORY", "PORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    data = (given.tenant_config, given.repos)
    if given.serve:
        asyncio.run(serve(Path(given.serve[0]), int(given.serve[1]), *data))
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)  # the server's user may not be ours
        site, port = Path(directory) / "site", free_port()
        founding.found(site, init_text({"site.data": "data", "executor.enabled": False}))
        command = [sys.executable, "-m", "bench.loading", "--serve", str(site), str(port)]
        command += ["--tenant-config", str(data[0]), "--repos", str(data[1])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as server:
            eventually(lambda: answers(port), "the server to answer")
            asyncio.run(measure(server, port, given.seconds, given.rounds))


if __name__ == "__main__":
    main()
