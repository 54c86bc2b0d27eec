# SPDX-License-Identifier: Apache-2.0
"""A real site to measure: `gatebot init`, one project, two people, `gatebot serve` in a process of its own.

What the scripts share; it measures nothing. Everything lies in a directory of its own that other
users may enter (a server started by root gives root up), and is removed at the end.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gatebot import db as databases
from gatebot.app import places
from gatebot.app.users import give, server_user
from gatebot.cli import founding
from gatebot.cli.output import Client
from gatebot.clock import SystemClock
from gatebot.identity import Identity
from gatebot.repo import Repositories, environment
from gatebot.review.model import Project
from gatebot.review.projects import Projects
from gatebot.settings_file import init_text

from ._figures import figure, percentile

__all__ = ["Ground", "basic", "eventually", "figure", "free_port", "git", "percentile", "site"]
T = TypeVar("T")
PERSON = {
    "GIT_AUTHOR_NAME": "Mina",
    "GIT_AUTHOR_EMAIL": "mina@example.org",
    "GIT_COMMITTER_NAME": "Mina",
    "GIT_COMMITTER_EMAIL": "mina@example.org",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """A site that serves. `author` pushes, `core` votes."""

    directory: Path
    process: subprocess.Popen[bytes]
    author: Client
    core: Client

    @property
    def data(self) -> Path:
        """Where the site keeps everything."""
        return self.directory / "site" / "data"

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What the server has written, read from its database."""
        opened = sqlite3.connect(f"file:{self.data / 'gatebot.db'}?mode=ro", uri=True)
        try:
            return opened.execute(query, values).fetchall()
        finally:
            opened.close()

    def push(self, names: Sequence[str], project: str = "api") -> list[int]:
        """Independent changes on the tip, each adds the file of that name; their numbers."""
        work = self.directory / "work"
        if not work.exists():
            git(self.directory, "clone", "-q", f"{self.author.url}/{project}", str(work))
        git(work, "fetch", "-q", "origin")
        tip = git(work, "rev-parse", "origin/main").strip()
        git(work, "fast-import", "--quiet", "--force", given="".join(_commit(name, tip) for name in names))
        url = self.author.url.replace("://", f"://{self.author.user}:{self.author.token}@") + f"/{project}"

        def one(name: str) -> int:
            told = git(work, "push", url, f"refs/bench/{name}:refs/for/main")
            return int(re.findall(r"/\+/(\d+)", told)[0])

        with ThreadPoolExecutor(3) as pushing:
            return list(pushing.map(one, names))

    def vote(self, client: Client, number: int, **labels: int) -> None:
        """Cast votes on the current patch set; `Code_Review=2` is Code-Review +2."""
        body = {"labels": {name.replace("_", "-"): value for name, value in labels.items()}}
        client.call("POST", f"/changes/{number}/revisions/current/review", body)

    def status(self, number: int) -> str:
        """NEW, MERGED or ABANDONED."""
        return str(self.author.get(f"/changes/{number}")["status"])

    def verified(self, number: int) -> bool:
        """Whether check is content."""
        labels = self.author.get(f"/changes/{number}/detail")["labels"]
        return bool(labels["Verified"].get("approved") or labels["Verified"].get("recommended"))

    def memory_mb(self) -> float:
        """Resident memory of the server process, without its helpers."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def cpu(self) -> float:
        """CPU seconds of the server process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connection(self) -> http.client.HTTPConnection:
        """A connection of its own, for times without the client's own work."""
        host = self.author.url.removeprefix("http://")
        opened = http.client.HTTPConnection(host, timeout=60)
        opened.connect()
        return opened


@contextmanager
def site(
    configuration: Mapping[str, str], settings: Mapping[str, object] = {}, labels: Path | None = None
) -> Generator[Ground]:
    """A site with one project `api` whose first commit has these files; `labels` is a file that has more of them."""
    base = "/var/tmp" if os.access("/var/tmp", os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="gatebot-bench-", dir=base))
    directory.chmod(0o755)
    port = free_port()
    changes = {
        "site.data": "data",
        "web.listen": f"127.0.0.1:{port}",
        "ssh.listen": "",
        "executor.slots": 4,
        **settings,
    }
    try:
        founding.found(directory / "site", init_text(changes) + (labels.read_text() if labels else ""))
        tokens = asyncio.run(_furnish(directory, configuration))
        command = [str(Path(sys.executable).parent / "gatebot"), "serve", str(directory / "site")]
        with (directory / "server.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        ground = Ground(directory, process, *(Client(url, name, tokens[name]) for name in ("mina", "core")))
        try:
            eventually(lambda: _answers(ground), "the server to answer", 60)
            yield ground
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def eventually(what: Callable[[], T | None], why: str, seconds: float = 60.0) -> T:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds:.0f} s in vain for {why}")
        time.sleep(0.05)
    return answer


def git(work: Path, *arguments: str, given: str = "") -> str:
    """Run git as the author; what it printed, of a push also what the server told."""
    done = subprocess.run(
        ["git", *arguments], cwd=work, env={**environment(), **PERSON}, input=given, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout or done.stderr


def basic(client: Client) -> str:
    """The Authorization header of a person."""
    return "Basic " + base64.b64encode(f"{client.user}:{client.token}".encode()).decode()


def _commit(name: str, tip: str) -> str:
    """A commit as `git fast-import` reads it."""
    message = f"Add {name}\n\nChange-Id: I{os.urandom(20).hex()}\n"
    person = f"Mina <mina@example.org> {int(time.time())} +0000"
    return (
        f"commit refs/bench/{name}\nauthor {person}\ncommitter {person}\ndata {len(message)}\n{message}"
        f"from {tip}\nM 644 inline {name}\ndata {len(name)}\n{name}\n\n"
    )


def _answers(ground: Ground) -> bool:
    if ground.process.poll() is not None:
        raise SystemExit(f"the server ended:\n{(ground.directory / 'server.log').read_text()[-2000:]}")
    with suppress(OSError), urllib.request.urlopen(ground.author.url + "/health", timeout=2) as answer:
        return answer.status == 200
    return False


async def _furnish(directory: Path, configuration: Mapping[str, str]) -> dict[str, str]:
    """The people and the project, before the server starts."""
    found, where = places.load(directory / "site")
    source = directory / "source"
    source.mkdir()
    git(source, "init", "-q", "-b", "main")
    for path, text in configuration.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
        (source / path).chmod(0o755)
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "Begin")
    opened = databases.Database.open(where.database_url)
    try:
        identity = Identity(opened, SystemClock())
        tokens: dict[str, str] = {}
        for name, groups in (("mina", ()), ("core", ("Core",))):
            account = await identity.create(name, name=name.title(), email=f"{name}@example.org", groups=groups)
            tokens[name] = await identity.create_token(account.id, "bench")
        hosted = Projects(opened, Repositories(where.git), SystemClock())
        await hosted.host(Project("api"), None, source=str(source))
    finally:
        await opened.close()
    give(where.data, server_user(found.executor.run_as))
    return tokens


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
