# SPDX-License-Identifier: Apache-2.0
"""Two hosts of a cloud, each in a network of its own that nothing leads out of, reach each other over their cards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatebot import assets

CODE = assets.path("jobs", "cloud")
ALONE = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]
NODES = {"controller": "127.0.0.61", "compute1": "127.0.0.62"}
#: Opens the sockets on the network of the node, then makes the host.
NODE = """\
import subprocess, sys
from cloud import link

address, *line = sys.argv[1:]
opened = link.opened(address)
sockets = [one.fileno() for one in opened]
sys.exit(subprocess.run([*line, *map(str, sockets)], pass_fds=sockets).returncode)
"""
#: Brings the cards of one host up; then the controller gives what it was given to the other one.
HOST = """\
import asyncio, sys
from pathlib import Path
from cloud import hosts
from cloud.options import Options
from cloud.processes import Processes
from cloud.timings import Timings


async def main(place, host, *sockets):
    options = Options(host=host, hosts=dict(controller="127.0.0.61", compute1="127.0.0.62"))
    programs = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    processes = Processes(Path(place), programs, Timings(Path(place, "timings")))
    await hosts.connect(options, processes, [int(one) for one in sockets])
    where, told = (options.controller, 8000), asyncio.Event()

    async def tell(reader, writer):
        writer.write(sys.stdin.buffer.read())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        print(writer.get_extra_info("peername")[0])
        told.set()

    if host == "controller":
        async with await asyncio.start_server(tell, *where):
            while not told.is_set():
                processes.all_live()
                await asyncio.sleep(0.05)
        return
    while True:
        processes.all_live()
        try:
            reader, _ = await asyncio.open_connection(*where)
            break
        except OSError:
            await asyncio.sleep(0.05)
    sys.stdout.buffer.write(await reader.read())


asyncio.run(main(*sys.argv[1:]))
"""


def node(place: Path, name: str, given: Path) -> subprocess.Popen[bytes]:
    """A node with a host of the cloud, which has a network of its own."""
    (place / name).mkdir()
    host = [*ALONE, sys.executable, "-c", HOST, str(place / name), name]
    with given.open("rb") as told:
        return subprocess.Popen(
            [sys.executable, "-c", NODE, NODES[name], *host], env={**os.environ, "PYTHONPATH": str(CODE)}, stdin=told,
            stdout=subprocess.PIPE,
        )  # fmt: skip


@pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="there is no /dev/net/tun")
def test_two_hosts_of_a_cloud_reach_each_other(tmp_path: Path) -> None:
    if subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("there are no namespaces here for who is not root")
    given = tmp_path / "given"
    given.write_bytes(os.urandom(1024) * 4000)
    with node(tmp_path, "controller", given) as controller, node(tmp_path, "compute1", given) as compute:
        assert controller.stdout is not None
        assert compute.stdout is not None
        assert compute.stdout.read() == given.read_bytes()
        assert controller.stdout.read() == b"192.0.2.2\n"
    assert (controller.returncode, compute.returncode) == (0, 0)
