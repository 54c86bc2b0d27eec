# SPDX-License-Identifier: Apache-2.0
"""How fast a log reaches a reader, as a file and as the stream of a page, and what that does to everybody else's pages.

A whole site; one job prints the log. One `curl` reads it as fast as it can, again and again, while another client asks
for the home page, the build's page and the status in turns; the peer of their times is the same with nobody reading.
Usage: `python -m bench.log_stream [SECONDS]`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from . import _ground
from ._ground import Ground, eventually, figure, percentile

GOAL_SPEED, GOAL_PAGE = 50.0, 0.1
_MB = 1_000_000
LINES = 1_200_000  # of 99 characters, and the time before them
CONFIGURATION = {
    ".zuul.yaml": """\
- job: {name: loud, run: ci/loud}
- project:
    check: {jobs: [loud]}
    gate: {jobs: [noop]}
""",
    "ci/loud": f"#!/bin/sh\nhead -c {LINES * 99} /dev/zero | tr '\\0' 'x' | fold -w 99\n",
}


#: Reads so many bytes of an address, and tells when it began, how many there were, and when it was through.
READ = 'date +%s.%N; curl -sN "$1" | head -c "$2" | wc -c; date +%s.%N'


@dataclass
class Reading:
    """A reader that begins again when it is through. `taken` are its bytes and seconds."""

    line: list[str]
    process: subprocess.Popen[str] | None = None
    taken: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def go_on(self) -> None:
        """Begin, or begin again."""
        if self.process is not None:
            if self.process.poll() is None:
                return
            told, _ = self.process.communicate()
            began, size, ended = map(float, told.split())
            self.taken.append((size, ended - began))
        self.process = subprocess.Popen(self.line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    @property
    def speed(self) -> float:
        """MB a second."""
        return sum(size for size, _ in self.taken) / sum(seconds for _, seconds in self.taken) / _MB


def pages(ground: Ground, build: str, seconds: float, beside: Reading | None = None) -> list[float]:
    """How long each page took, one after another, while somebody reads."""
    paths, taken = ("/", f"/build/{build}", "/status"), list[float]()
    connection = ground.connection()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if beside is not None:
            beside.go_on()
        for path in paths:
            began = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"{path} answered {answer.status}")
            taken.append(time.perf_counter() - began)
            time.sleep(0.02)
    return taken


@contextmanager
def reading(url: str, size: int) -> Generator[Reading]:
    """A reader, until the end."""
    found = Reading(["sh", "-c", READ, "sh", url, str(size)])
    try:
        yield found
    finally:
        if found.process is not None:
            found.process.communicate()


def measure(ground: Ground, seconds: float) -> None:
    """Print the figures."""
    ground.push(["file"])
    build = str(eventually(lambda: ground.rows("SELECT uuid FROM pipeline_builds"), "the build")[0][0])
    began = time.monotonic()
    eventually(lambda: ground.rows("SELECT 1 FROM pipeline_builds WHERE result = 'SUCCESS'"), "the log")
    log = ground.data / "logs" / build / "job-output.txt"
    size = log.stat().st_size
    figure("log.written", size / (time.monotonic() - began) / _MB, "MB/s", 1)
    idle = pages(ground, build, seconds / 2)
    before = ground.memory_mb()
    url = ground.author.url
    for name, address in (
        ("raw", f"{url}/logs/{build}/job-output.txt"),
        ("sse", f"{url}/live?topics=log/{build}"),
    ):
        with reading(address, size) as reader:
            taken = pages(ground, build, seconds, reader)
            figure(f"log.stream.{name}", reader.speed, "MB/s", len(reader.taken), goal=GOAL_SPEED)
        ratio = round(percentile(taken, 0.95) / percentile(idle, 0.95), 2)
        peer = round(percentile(idle, 0.95), 4)
        figure(f"log.stream.{name}.pages.p50", percentile(taken, 0.5), "s", len(taken))
        figure(
            f"log.stream.{name}.pages.p95", percentile(taken, 0.95), "s", len(taken), goal=GOAL_PAGE, peer=peer,
            ratio=ratio,
        )  # fmt: skip
    figure("log.stream.memory", ground.memory_mb() - before, "MB", 1)


def main(arguments: list[str]) -> None:
    """Measure on a site of its own."""
    with _ground.site(CONFIGURATION) as ground:
        measure(ground, float(arguments[0]) if arguments else 10.0)


if __name__ == "__main__":
    main(sys.argv[1:])
