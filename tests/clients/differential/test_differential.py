# SPDX-License-Identifier: Apache-2.0
"""A real Gerrit and gatebot beside it, in front of the same people: what differs is listed, with its reason.

`make test-differential` fetches the Gerrit (it needs Java 21 and mvn). A difference that is not in the table of
docs/gerrit-compatibility.md fails here, and so does a row of the table that has become untrue.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.differential import compared
from tests.clients.differential.listed import listed
from tests.clients.differential.play import act
from tests.clients.differential.shapes import Difference
from tests.clients.differential.sides import Side
from tests.fakes.irc import free_port
from tests.fakes.site import Builds, Template, begin, open_place
from tools import gerrit as real

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@dataclass(frozen=True)
class Played:
    """Both sides after the play, and the events that they told."""

    gerrit: Side
    here: Side
    of_gerrit: list[dict[str, Any]]
    of_here: list[dict[str, Any]]

    def differences(self) -> list[Difference]:
        """Everything in which the two differ."""
        events = compared.events(self.of_gerrit, self.of_here, self.gerrit.names, self.here.names)
        return [*compared.answers(self.gerrit, self.here), *compared.words(self.gerrit, self.here), *events]


@pytest.fixture(scope="module")
def played(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The play, before both."""
    if not real.jars() or real.java() is None:
        told = f"Gerrit {real.GERRIT} (and Java {real.LEAST_JAVA}) are not here; `make test-differential` fetches it"
        pytest.fail(told, pytrace=False) if os.environ.get("GATEBOT_GERRIT") else pytest.skip(told)
    root = tmp_path_factory.mktemp("differential")
    server = real.Gerrit(root / "site")
    server.init()
    server.start()
    try:
        gerrit = Side(server.url, server.ssh_port, root / "gerrit", {"admin": real.SECRET})
        of_gerrit = act(gerrit)
    finally:
        server.stop()
    with open_place() as place, our_side(template, place, root / "here") as here:
        yield Played(gerrit, here, of_gerrit, act(here))


class our_side:
    """A site of ours in the state of a new Gerrit, while it serves."""

    def __init__(self, template: Template, place: Path, root: Path) -> None:
        settings: dict[str, object] = {
            "ssh.listen": f"127.0.0.1:{free_port()}",
            "git.change_id": "strict",
            "git.default_branch": "master",
            "gate.submit_whole_topic": True,
            "gate.tenants_file": "tenants.yaml",
        }
        self._running = begin(template, place, Builds(), settings)
        # The play knows no gate: its projects are in no tenant.
        tenants = "- tenant:\n    name: main\n    source:\n      gatebot:\n        config-projects: [gatebot-config]\n"
        (self._running.directory / "tenants.yaml").write_text(tenants)
        self._root = root

    def __enter__(self) -> Side:
        site = self._running.__enter__()
        port = int(site.settings.ssh.listen.rpartition(":")[2])
        return Side(site.url, port, self._root, {"admin": site.tokens["admin"]})

    def __exit__(self, *_: object) -> None:
        self._running.__exit__()


def test_what_differs_from_gerrit_is_listed(played: Played) -> None:
    known = listed()
    unknown = [str(one) for one in played.differences() if not any(row.covers(one) for row in known)]
    assert unknown == []


def test_what_is_listed_differs(played: Played) -> None:
    found = played.differences()
    untrue = [f"{row.step} | {row.where}" for row in listed() if not any(row.covers(one) for one in found)]
    assert untrue == []
