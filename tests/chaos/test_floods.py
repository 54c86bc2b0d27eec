# SPDX-License-Identifier: Apache-2.0
"""Jobs that print without end, and readers of logs who hardly read, or do not at all: the site serves on.

A log is cut at its limit and says so, also on the page of the build; what slow readers make the server hold is bounded,
and they are let go.
"""

from __future__ import annotations

import os
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from gatebot.app import users
from gatebot.cli.output import Client
from gatebot.pipeline import store
from tests.chaos import verdicts
from tests.fakes.irc import free_port
from tests.fakes.served import Served
from tests.fakes.site import Person, Template, eventually, open_place

ROUNDS = int(os.environ.get("GATEBOT_ROUNDS", "10"))
SEED = int(os.environ.get("GATEBOT_SEED", "20261128"))
MIB = 1 << 20
MAX_LOG = 24 * MIB
#: Twice what a log may have, however long that takes; then as fast as it can, for so many seconds.
FLOOD = f"""\
#!/bin/sh
line="a line that says as little as all the others, again and again and again and again and again"
yes "$line" | head -c {2 * MAX_LOG}
timeout 8 yes "$line"
echo "the end of the flood"
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 10 * ROUNDS)]


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[Served, Person]]:
    with open_place() as place:
        template = Template.make(place / "template" / "site")
        settings: dict[str, object] = {"executor.sandbox": "auto", "executor.slots": 2, "logs.max_log": MAX_LOG}
        served = Served(template.copy(place / "site", free_port(), settings), place / "homes")
        users.give(served.places.data, users.server_user(served.settings.executor.run_as))
        served.start()
        try:
            served.answers()
            yield served, Person.of(served, "ann", template.tokens)
        finally:
            served.stop()


def memory(served: Served) -> int:
    """What the server's process holds in memory."""
    told = Path(f"/proc/{served.pid}/status").read_text()
    return int(told.split("VmRSS:")[1].split()[0]) * 1024


def begun(served: Served, change: int) -> str:
    """The newest build of a change, once it prints."""
    database = served.places.database_file
    assert database is not None
    query = sa.select(store.builds.c.uuid).where(store.builds.c.change == change, store.builds.c.result == "")

    def printing() -> str | None:
        with verdicts.looking(database) as session:
            build = session.execute(query).scalar()
        log = served.places.data / "logs" / str(build) / "job-output.txt"
        return build if log.exists() and log.stat().st_size > MIB else None

    return eventually(printing, "it prints", 60)


def paces(ann: Person, build: str, over: threading.Event) -> list[float]:
    """How long each page took until it is over."""
    taken: list[float] = []
    while True:
        taken += [pace(ann, path) for path in ("/", f"/build/{build}", "/status")]
        if over.wait(0.05):
            return taken


@contextmanager
def until_verdict(ann: Person, change: int, over: threading.Event) -> Iterator[None]:
    """It is over when the change has its verdict, or none comes, or what is done meanwhile fails."""

    def wait() -> None:
        try:
            ann.hears(change, "succeeded", 180)
        finally:
            over.set()

    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(wait)
        try:
            yield
        finally:
            over.set()
        waiting.result()


def pace(ann: Person, path: str) -> float:
    """How long a page takes."""
    began = time.perf_counter()
    "".join(Client(ann.site.url, "", "").text_lines(path))
    return time.perf_counter() - began


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def bearable(ann: Person) -> float:
    """How long pages may take: on a machine that is busy with other things more."""
    return max(1.5, 6 * p95([pace(ann, path) for path in ("/", "/status") * 5]))


def test_a_job_that_prints_a_gigabyte_a_minute_is_cut_and_disturbs_nobody(site: tuple[Served, Person]) -> None:
    served, ann = site
    limit, before, over = bearable(ann), memory(served), threading.Event()
    change = ann.propose("api", "Flood", {"ci/unit": FLOOD})
    build = begun(served, change)
    with until_verdict(ann, change, over):
        taken = paces(ann, build, over)
    most = memory(served)
    log = served.places.data / "logs" / build / "job-output.txt"
    told = f"gatebot: the log reached {MAX_LOG // MIB} MiB (logs.max_log); what the job prints from here on is dropped."
    end = log.read_text().splitlines()[-3:]
    assert told in "".join(end), end
    assert end[-1].endswith("result: SUCCESS")
    assert log.stat().st_size < MAX_LOG + MIB
    page = "".join(Client(served.url, "", "").text_lines(f"/build/{build}"))
    assert "the log is cut" in re.sub(r"\s+", " ", page).lower()
    print(f"{len(taken)} pages, p95 {p95(taken):.3f} s; memory {before / MIB:.0f} MiB, then {most / MIB:.0f} MiB")
    assert p95(taken) < limit
    assert most - before < 96 * MIB


def test_readers_who_hardly_read_are_let_go_and_cost_nothing(site: tuple[Served, Person]) -> None:
    served, ann = site
    chance, over = random.Random(f"{SEED} readers"), threading.Event()
    print(f"seed {SEED}, {ROUNDS} readers of each kind")
    limit = bearable(ann)
    change = ann.propose("api", "Flood again", {"ci/unit": FLOOD})
    build = begun(served, change)
    before, open_before = memory(served), connections(served)
    paths = (f"/live?topics=log/{build}", f"/api/build/{build}/log")
    with ExitStack() as ends:
        readers = [ends.enter_context(reader(served, chance.choice(paths))) for _ in range(2 * ROUNDS)]
        slow = readers[:ROUNDS]

        def drip() -> None:
            while not over.wait(1):
                for one in slow:
                    with suppress(OSError):
                        one.recv(1)

        dripping = threading.Thread(target=drip)
        dripping.start()
        with until_verdict(ann, change, over):
            taken = paces(ann, build, over)
        most = memory(served)
        eventually(lambda: connections(served) <= open_before + 1, "the readers are let go")
        dripping.join()
    print(f"{len(taken)} pages, p95 {p95(taken):.3f} s; memory {before / MIB:.0f} MiB, then {most / MIB:.0f} MiB")
    assert p95(taken) < limit
    assert most - before < 96 * MIB + 2 * ROUNDS * MIB


def connections(served: Served) -> int:
    """How many sockets the server's process has open."""
    found = 0
    for entry in os.scandir(f"/proc/{served.pid}/fd"):
        with suppress(OSError):
            found += os.readlink(entry.path).startswith("socket:")
    return found


@contextmanager
def reader(served: Served, path: str) -> Iterator[socket.socket]:
    """A connection that asks, and has room for little."""
    with closing(socket.socket()) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, _, port = served.url.removeprefix("http://").partition(":")
        made.connect((host, int(port)))
        made.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        made.settimeout(10)
        assert made.recv(8).startswith(b"HTTP/1.1")
        yield made
