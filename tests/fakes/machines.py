# SPDX-License-Identifier: Apache-2.0
"""Other machines that run builds for a site of a story: the real program, in a process and a directory of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gatebot.settings_file import init_text
from tests.fakes.site import Person, RunningSite, eventually

#: Seconds that a start or an end may take on a busy machine: what an executor imports alone costs three of CPU.
_PATIENCE = 180.0


class Asked(Protocol):
    """What a machine must know of its site."""

    url: str

    def person(self, name: str) -> Person: ...


@dataclass
class Machine:
    """A machine with an executor. `said` is what it printed."""

    name: str
    site: Asked
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def said(self) -> str:
        return (self.directory.parent / f"{self.name}.log").read_text()

    @property
    def shown(self) -> dict[str, object]:
        """As the site's REST shows it."""
        return next(one for one in self.site.person("admin").rest.get("/api/executors") if one["name"] == self.name)

    def lives(self) -> None:
        """Wait until the site hears it."""
        try:
            eventually(lambda: self.shown["alive"] or self.process.poll() is not None, f"heard: {self.name}", _PATIENCE)
        finally:
            assert self.process.poll() is None, self.said
            assert self.shown["alive"], self.said

    def runs(self, count: int = 1) -> list[str]:
        """Wait until it runs so many builds; which."""
        return eventually(lambda: found if len(found := self.shown["builds"]) == count else None, f"{count} builds", 60)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def says(self, words: str) -> None:
        """Wait until it printed this."""
        eventually(lambda: words in self.said, f"said by {self.name}: {words}", 60)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        self.process.wait(_PATIENCE)


def enrol(site: Asked, name: str) -> str:
    """The token of the line that an administrator gets."""
    made = site.person("admin").rest.call("POST", "/api/executors", {"name": name})
    assert re.fullmatch(
        rf"GATEBOT_TOKEN=\S+ gatebot serve {name} --role executor --connect {re.escape(site.url)}", made["command"]
    )
    return made["token"]


def begin(
    site: Asked, place: Path, name: str, *, token: str = "", slots: int = 2, sandbox: str = "none", url: str = "",
    program: str = "gatebot",
) -> Machine:  # fmt: skip
    """Run the line; without a token as one that was there before. `url`: by another way than the site's own."""
    directory = place / name
    directory.mkdir(exist_ok=True)
    settings = {"executor.sandbox": sandbox, "executor.slots": slots, "site.data": "data"}
    (directory / "gatebot.toml").write_text(init_text(settings))
    environment = {**os.environ, **({"GATEBOT_TOKEN": token} if token else {})}
    line = [sys.executable, "-m", program, "serve", str(directory), "--role", "executor", "--connect", url or site.url]
    with (place / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(line, env=environment, stdout=log, stderr=log, start_new_session=True)
    return Machine(name, site, directory, process)


@contextmanager
def machine(site: RunningSite, place: Path, name: str, *, slots: int = 2) -> Iterator[Machine]:
    """A machine that is enrolled, comes, and lives."""
    made = begin(site, place, name, token=enrol(site, name), slots=slots)
    try:
        made.lives()
        yield made
    finally:
        made.end()
