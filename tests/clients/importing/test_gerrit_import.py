# SPDX-License-Identifier: Apache-2.0
"""A real Gerrit moves here: `gatebot gerrit import`, and again after people went on there.

Everything is real: the Gerrit, the command, the server that then serves what came. `make test-differential` runs this.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.importing import compared
from tests.clients.importing.fill import Filled, fill, more
from tests.fakes.git import WorkTree
from tests.fakes.irc import free_port
from tests.fakes.site import eventually, open_place
from tools import gerrit as real

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


class Here:
    """The site that people move to."""

    def __init__(self, directory: Path, gerrit: str) -> None:
        self.directory = directory
        self.url = f"http://127.0.0.1:{free_port()}"
        self._gerrit = gerrit
        listen = self.url.removeprefix("http://")
        assert self.gatebot("init", str(directory), "--listen", listen, "--ssh-listen", "").returncode == 0
        self.token = (directory / "admin.token").read_text().strip()

    def gatebot(self, *words: str, password: str = real.SECRET) -> subprocess.CompletedProcess[str]:
        """The command line."""
        env = {**os.environ, "GATEBOT_GERRIT_PASSWORD": password}
        command = [sys.executable, "-m", "gatebot", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    def bring(self, *words: str, password: str = real.SECRET) -> subprocess.CompletedProcess[str]:
        """The import."""
        more = ("--site", str(self.directory), *words)
        return self.gatebot("gerrit", "import", self._gerrit, *more, password=password)

    @contextmanager
    def served(self) -> Generator[None]:
        """While its server runs."""
        command = [sys.executable, "-m", "gatebot", "serve", str(self.directory)]
        with (self.directory / "serve.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            eventually(lambda: process.poll() is None and self._answers(), "the site starts", 240)
            yield
        finally:
            process.terminate()
            process.wait(60)

    def _answers(self) -> bool:
        try:
            return bool(self.get("config/server/version"))
        except OSError:
            return False

    def get(self, path: str) -> Any:
        """REST, as the site's administrator."""
        basic = base64.b64encode(f"admin:{self.token}".encode()).decode()
        request = urllib.request.Request(f"{self.url}/a/{path}", headers={"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read().decode().removeprefix(")]}'"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A Gerrit that people work on."""
    if not real.jars() or real.java() is None:
        told = f"Gerrit {real.GERRIT} (and Java {real.LEAST_JAVA}) are not here; `make test-differential` fetches it"
        pytest.fail(told, pytrace=False) if os.environ.get("GATEBOT_GERRIT") else pytest.skip(told)
    root = tmp_path_factory.mktemp("moving")
    server = real.Gerrit(root / "site")
    server.init()
    server.start()
    try:
        for name in ("gate", "ann"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / name)], check=True)
        server.furnish((root / "gate.pub").read_text())
        filled = Filled(server, root / "trees", (root / "ann.pub").read_text().strip())
        fill(filled)
        yield filled
    finally:
        server.stop()


@pytest.fixture(scope="module")
def here(filled: Filled) -> Iterator[Here]:
    """The new site."""
    with open_place() as place:
        yield Here(place / "site", filled.gerrit.url)


def table(said: str) -> dict[str, tuple[int, int]]:
    """The counts at the end: there and here."""
    rows = [line.split("\t") for line in said.splitlines() if line.count("\t") == 3]
    return {name: (int(there), int(here)) for name, there, here, _ in rows if name}


def same(filled: Filled, here: Here, names: Sequence[str]) -> None:
    """Changes are told alike by both servers."""
    for name in names:
        number = filled.numbers[name]
        there = filled.call("admin", "GET", f"changes/{number}?{compared.ASKED}")
        assert compared.change(here.get(f"changes/{number}?{compared.ASKED}")) == compared.change(there), name
        said = compared.comments(filled.call("admin", "GET", f"changes/{number}/comments"))
        assert compared.comments(here.get(f"changes/{number}/comments")) == said, name


def clone(here: Here, project: str, target: Path) -> WorkTree:
    """A clone of a repository of the new site, with all patch sets."""
    host = here.url.removeprefix("http://")
    tree = WorkTree.clone(f"http://admin:{here.token}@{host}/a/{project}", target)
    tree.git("fetch", "-q", "origin", "+refs/changes/*:refs/changes/*", "+refs/meta/config:refs/meta/config")
    return tree


def test_a_gerrit_moves_here(filled: Filled, here: Here, tmp_path: Path) -> None:
    wrong = here.bring(password="wrong")
    assert wrong.returncode == 1
    assert "does not know admin with this password. It is the HTTP password" in wrong.stderr
    unworthy = here.bring("--as", "ann")
    assert "ann is no administrator of" in unworthy.stderr
    assert "Import as a member of" in unworthy.stderr

    done = here.bring()
    assert done.returncode == 0, done.stdout + done.stderr
    counts = table(done.stdout)
    assert counts["open changes"] == (5, 5)
    assert counts["merged changes"] == (1, 1)
    assert counts["patch sets"] == (8, 8)
    assert counts["comments"] == (4, 4)
    assert counts["accounts"] == (6, 6)
    assert all(there == mine for there, mine in counts.values()), done.stdout

    with here.served():
        running = here.bring()
        assert running.returncode == 1
        assert "stop the server, import, and start it again" in running.stderr
        same(filled, here, list(filled.numbers))
        ann = here.get("accounts/ann/detail")
        there = filled.call("admin", "GET", "accounts/ann/detail")
        assert [ann[key] for key in ("_account_id", "name", "email")] == [
            there[key] for key in ("_account_id", "name", "email")
        ]
        assert [one["email"] for one in here.get("accounts/ann/emails")] == ["ann@example.com", "ann@home.example.net"]
        assert [one["ssh_public_key"] for one in here.get("accounts/ann/sshkeys")] == [filled.key]
        assert here.get("accounts/1000005/detail").get("inactive") is True
        group = filled.call("admin", "GET", "groups/everyone-who-writes/detail")
        mine = here.get("groups/everyone-who-writes/detail")
        assert mine["id"] == group["id"]
        assert [one["username"] for one in mine["members"]] == ["admin", "ann"]
        assert [one["name"] for one in mine["includes"]] == ["api-core"]
        tree = clone(here, "api", tmp_path / "api")
        refs = tree.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/changes", "refs/meta", "refs/tags")
        for line in refs.splitlines():
            commit, ref = line.split()
            assert filled.gerrit_refs("api")[ref] == commit
        assert len([line for line in refs.splitlines() if "refs/changes" in line]) == 5


def test_another_import_brings_only_what_is_new(filled: Filled, here: Here, tmp_path: Path) -> None:
    more(filled)
    done = here.bring()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Brought: 1 accounts, ")
    assert "2 patch sets" in done.stdout
    assert "1 changes" in done.stdout
    assert all(there == mine for there, mine in table(done.stdout).values()), done.stdout
    again = here.bring()
    assert again.returncode == 0
    assert again.stdout.startswith("Nothing is new there.")
    with here.served():
        same(filled, here, list(filled.numbers))
        main = filled.call("admin", "GET", "projects/api/branches/main")["revision"]
        assert clone(here, "api", tmp_path / "api").git("rev-parse", "origin/main") == main


def test_what_is_no_gerrit_or_does_not_answer_is_told(here: Here) -> None:
    silent = here.gatebot("gerrit", "import", f"http://127.0.0.1:{free_port()}", "--site", str(here.directory))
    assert silent.returncode == 3
    assert "Is the address right, and does this machine reach it?" in silent.stderr
