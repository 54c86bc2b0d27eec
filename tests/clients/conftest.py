# SPDX-License-Identifier: Apache-2.0
"""What clients are tried on: a site of their own, as in stories, or a gatebot that looks like a new Gerrit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.stand_in_gerrit import init
from tests.fakes.irc import free_port
from tests.fakes.site import open_place
from tests.stories.conftest import builds, place, site, template, working_site

__all__ = ["builds", "place", "site", "template", "working_site"]
GATEBOT = str(Path(sys.executable).with_name("gatebot"))


@dataclass(frozen=True, slots=True)
class StandIn:
    """A gatebot as a new Gerrit is: `admin` with the password `secret`, the branch `master`, one approval to submit."""

    url: str
    ssh_port: int
    directory: Path

    @property
    def port(self) -> int:
        """Of HTTP."""
        return int(self.url.rpartition(":")[2])


@contextmanager
def stand_in() -> Generator[StandIn]:
    """One, while it serves."""
    with open_place() as directory:
        site, http, ssh = directory / "site", free_port(), free_port()
        init(site, GATEBOT)
        (site / "etc" / "gerrit.config").write_text(
            f"[httpd]\nlistenUrl = http://127.0.0.1:{http}\n[sshd]\nlistenAddress = 127.0.0.1:{ssh}\n"
        )
        program = str(site / "bin" / "gerrit.sh")
        subprocess.run([program, "start"], check=True)
        try:
            yield StandIn(f"http://127.0.0.1:{http}", ssh, directory)
        finally:
            subprocess.run([program, "stop"], check=True)


@pytest.fixture(scope="module")
def new_gerrit() -> Iterator[StandIn]:
    """What suites of Gerrit's clients start from, one for each file of tests."""
    with stand_in() as gerrit:
        yield gerrit
