# SPDX-License-Identifier: Apache-2.0
"""How long each step of a cloud took, said as it ends and kept as a table: name, begin and length in seconds."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class Timings:
    """A table that several processes add to, one after another; the first row is when the cloud began."""

    def __init__(self, path: Path) -> None:
        """Begin the table, or go on with it."""
        self._path = path
        if not path.exists():
            path.write_text(f"begin\t{time.monotonic():.2f}\t0\n")
        self._began = float(path.read_text().split("\t", 2)[1])

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """Say how long something took, when it went well."""
        begin = time.monotonic()
        yield
        now = time.monotonic()
        print(f"T+{now - self._began:6.1f}  {name}: {now - begin:.1f} s", flush=True)
        with self._path.open("a") as file:
            file.write(f"{name}\t{begin - self._began:.2f}\t{now - begin:.2f}\n")
