# SPDX-License-Identifier: Apache-2.0
"""Records what a real Gerrit answers to an import, before and after people went on there, for `RecordedGerrit`.

python -m tests.clients.importing.record        renews tests/data/gerrit-import (needs Java 21 and mvn)
"""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from gatebot import db
from gatebot.app import places
from gatebot.cli import founding
from gatebot.clock import SystemClock
from gatebot.errors import NotFound
from gatebot.repo import Repositories
from gatebot.review.importing.asking import Gerrit
from gatebot.review.importing.model import ALL_USERS
from gatebot.review.importing.service import Importing
from tests.clients.importing.fill import Filled, fill, more
from tests.fakes.site import open_place
from tools import gerrit as real

TARGET = Path(__file__).resolve().parent.parent.parent / "data" / "gerrit-import"


class Recorder(Gerrit):
    """Keeps every answer by its path."""

    def _text(self, path: str, *, signed: bool = True) -> str:
        try:
            answers[path] = super()._text(path, signed=signed)
        except NotFound:
            answers[path] = ""
            raise
        return answers[path]


answers: dict[str, str] = {}


def record(stage: str, site: Path, server: real.Gerrit) -> None:
    """Import, and keep what was answered and fetched."""
    answers.clear()
    _, where = places.load(site)
    opened = db.Database.open(where.database_url)
    there = Recorder(server.url, "admin", real.SECRET)
    try:
        tallies = Importing(opened, Repositories(where.git), there, SystemClock(), _quiet).run()
        assert all(one.equal for one in tallies), tallies
    finally:
        opened.close_now()
    (TARGET / stage).mkdir(parents=True, exist_ok=True)
    told = json.dumps(answers, indent=1, sort_keys=True).replace(server.url, "http://gerrit.example.org")
    (TARGET / stage / "answers.json").write_text(told + "\n")
    basic = base64.b64encode(f"admin:{real.SECRET}".encode()).decode()
    for name in there.projects().keys() - {ALL_USERS}:
        with TemporaryDirectory() as scratch:
            header = f"http.extraHeader=Authorization: Basic {basic}"
            mirror = ["git", "-c", header, "clone", "-q", "--mirror", f"{server.url}/a/{name}", scratch]
            subprocess.run(mirror, check=True)
            bundle = TARGET / stage / f"{name.replace('/', '--')}.bundle"
            subprocess.run(["git", "-C", scratch, "bundle", "create", "-q", str(bundle), "--all"], check=True)


def _quiet(what: str, many: int, done: int) -> None:
    del what, many, done


def main() -> None:
    """Both stages."""
    with TemporaryDirectory() as root, open_place() as place:
        server = real.Gerrit(Path(root) / "site")
        server.init()
        server.start()
        try:
            for name in ("gate", "ann"):
                key = str(Path(root) / name)
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
            server.furnish((Path(root) / "gate.pub").read_text())
            filled = Filled(server, Path(root) / "trees", (Path(root) / "ann.pub").read_text().strip())
            fill(filled)
            founding.found(place / "site")
            record("before", place / "site", server)
            more(filled)
            record("after", place / "site", server)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
