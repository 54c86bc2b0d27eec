# SPDX-License-Identifier: Apache-2.0
"""How long each step of a cloud took, said as it ends and kept as a table: name, begin, length, CPU, all in seconds.

CPU is that of all that runs in the cloud's namespaces, also what runs beside the step. It says what a step costs where
the length only says how busy the machine was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_PROCESSES = Path("/proc")


def spent(processes: Path) -> float:
    """The seconds of CPU of all processes that are there, and of those whose end they have taken note of."""
    ticks = 0
    for place in processes.glob("[0-9]*/stat"):
        try:
            told = place.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        ticks += sum(map(int, told[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Timings:
    """A table that several processes add to, one after another; the first row is when the cloud began."""

    def __init__(self, path: Path) -> None:
        """Begin the table, or go on with it."""
        self._path = path
        if not path.exists():
            path.write_text(f"begin\t{time.monotonic():.2f}\t0\t0\n")
        self._began = float(path.read_text().split("\t", 2)[1])
        self.since = ""  # when the step that is being done was begun, as logs write times

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """Say how long something took, when it went well."""
        begin, before, around = time.monotonic(), spent(_PROCESSES), self.since
        self.since = time.strftime("%Y-%m-%d %H:%M:%S")
        yield  # what fails leaves its own begin behind
        self.since = around
        now, cpu = time.monotonic(), spent(_PROCESSES) - before
        print(f"T+{now - self._began:6.1f}  {name}: {now - begin:.1f} s", flush=True)
        with self._path.open("a") as file:
            file.write(f"{name}\t{begin - self._began:.2f}\t{now - begin:.2f}\t{cpu:.1f}\n")
