# SPDX-License-Identifier: Apache-2.0
"""How long a push for review and a query take: gatebot, plain git, and a real Gerrit, in one run on one machine.

New commits are pushed to each in turn: over HTTP to gatebot, to `git http-backend` and to Gerrit; over SSH to gatebot,
to OpenSSH's sshd and to Gerrit. Plain git takes each as a branch of its own. Then the changes that were pushed are
queried of both servers. Printed are medians on the clock, with the value beside that 95 of a hundred do not exceed.
Gerrit is left out where it is not (`make gerrit` fetches it; it needs Java 21).

    python -m bench.beside_gerrit [--pushes 40] [--queries 60] [--changes 300]
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gatebot.repo import environment
from tests.fakes.ssh_desk import SshDesk
from tests.fakes.ssh_host import loopback_host
from tools import gerrit as real

from ._ground import PERSON, Ground, figure, free_port, git, percentile, site
from .push_ratio import history

FILES = 200
WARM = 3
QUERIES = (
    "changes/?q=status:open&n=25&o=LABELS&o=DETAILED_ACCOUNTS",
    "changes/?q=project:api+status:open+owner:self&n=25",
    "changes/{n}/detail",
    "changes/{n}?o=ALL_REVISIONS&o=ALL_COMMITS&o=ALL_FILES&o=MESSAGES&o=DETAILED_LABELS&o=DETAILED_ACCOUNTS",
)


@dataclass
class Target:
    """Where commits go. `url` says who pushes; `ssh` is the command that git uses."""

    name: str
    url: str
    ref: str
    ssh: str = ""
    seconds: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True)
class Asked:
    """A server that answers queries."""

    name: str
    url: str
    user: str
    password: str


def push(work: Path, target: Target, ref: str) -> float:
    """One push of HEAD; the seconds on the clock."""
    env = {**environment(), **PERSON, **({"GIT_SSH_COMMAND": target.ssh} if target.ssh else {})}
    began = time.perf_counter()
    done = subprocess.run(["git", "push", "-q", target.url, f"HEAD:{ref}"], cwd=work, env=env, capture_output=True,
                          text=True, check=False)  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{target.name}: {done.stderr}")
    return time.perf_counter() - began


def pushes(work: Path, targets: Sequence[Target], count: int) -> None:
    """New commits, each to every target, in turn which is first."""
    for number in range(count + WARM):
        first = number % len(targets)
        for turn, target in enumerate([*targets[first:], *targets[:first]]):
            git(work, "checkout", "-q", "--detach", "main")
            (work / "d1" / "f1.txt").write_text(f"changed {number} {turn} {os.getpid()}\n")
            git(work, "commit", "-q", "-a", "-m", f"Change {number} {turn}\n\nChange-Id: I{os.urandom(20).hex()}")
            taken = push(work, target, target.ref.format(f"{number}-{turn}"))
            if number >= WARM:
                target.seconds.append(taken)


def ask(server: Asked, path: str) -> float:
    """One GET on a connection that is there; the seconds until all of the answer is read."""
    basic = base64.b64encode(f"{server.user}:{server.password}".encode()).decode()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    connection.connect()
    began = time.perf_counter()
    connection.request("GET", f"/a/{path}", headers={"Authorization": f"Basic {basic}", "Accept": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    taken = time.perf_counter() - began
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{server.name} {path}: {answer.status} {body[:200]!r}")
    return taken


@contextmanager
def plain(directory: Path, seed: Path) -> Generator[list[Target]]:
    """git's own programs: `http-backend`, and receive-pack behind sshd."""
    bare = directory / "plain" / "api.git"
    bare.parent.mkdir()
    git(directory, "clone", "-q", "--bare", str(seed), str(bare))
    for name, value in (("http.receivepack", "true"), ("receive.fsckObjects", "true"), ("gc.auto", "0")):
        git(bare, "config", name, value)
    port = free_port()
    line = [sys.executable, "-m", "bench._plain", str(bare.parent), str(port)]
    with subprocess.Popen(line) as served, loopback_host(directory / "sshd") as host:
        try:
            wait_for(port)
            options = f"-F none -i {host.key} -o UserKnownHostsFile={host.known_hosts} -o BatchMode=yes"
            user = os.environ.get("USER", "root")
            yield [
                Target("plain git over HTTP", f"http://mina:x@127.0.0.1:{port}/plain/api.git", "refs/heads/c{}"),
                Target(
                    "OpenSSH's sshd", f"ssh://{user}@127.0.0.1:{host.port}{bare}", "refs/heads/s{}", f"ssh {options}"
                ),
            ]
        finally:
            served.terminate()


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on {port}")


@contextmanager
def gerrit(directory: Path, work: Path) -> Generator[tuple[list[Target], Asked] | None]:
    """A real one with the same project, or nothing."""
    if not real.jars() or real.java() is None:
        yield None
        return
    server = real.Gerrit(directory / "gerrit")
    server.init()
    server.start()
    try:
        server.call("PUT", "projects/api", {"branches": ["main"]})
        allow = {"rules": {server.group("Administrators"): {"action": "ALLOW"}}}
        rights = dict.fromkeys(("create", "push", "pushMerge", "forgeAuthor", "forgeCommitter"), allow)
        server.call("POST", "projects/All-Projects/access", {"add": {"refs/heads/*": {"permissions": rights}}})
        desk = SshDesk.new("admin", directory / "gerrit-desk", server.ssh_port)
        server.call("POST", "accounts/self/sshkeys", desk.public)
        # The commits are Mina's: her address is the admin's here.
        server.call("PUT", "accounts/self/emails/mina@example.org", {"no_confirmation": True})
        http_url = f"http://admin:{real.SECRET}@{server.url.removeprefix('http://')}/a/api"
        push(work, Target("seed", http_url, ""), "refs/heads/main")
        yield (
            [
                Target("Gerrit over HTTP", http_url, "refs/for/main"),
                Target(
                    "Gerrit over SSH", f"ssh://admin@127.0.0.1:{server.ssh_port}/api", "refs/for/main", command(desk)
                ),
            ],
            Asked("Gerrit", server.url, "admin", real.SECRET),
        )
    finally:
        server.stop()


def command(desk: SshDesk) -> str:
    """What git uses as ssh."""
    return shlex.join(["ssh", *desk.options])


def ours(ground: Ground, ssh_port: int, work: Path) -> tuple[list[Target], Asked]:
    """gatebot, with the same history."""
    mina, desk = ground.author, SshDesk.new("mina", ground.directory / "desk", ssh_port)
    mina.call("POST", "/accounts/self/sshkeys", {"ssh_key": desk.public})
    http_url = f"http://mina:{mina.token}@{mina.url.removeprefix('http://')}/api"
    return [
        Target("gatebot over HTTP", http_url, "refs/for/main"),
        Target("gatebot over SSH", f"ssh://mina@127.0.0.1:{ssh_port}/api", "refs/for/main", command(desk)),
    ], Asked("gatebot", mina.url, "mina", mina.token)


def tell_pushes(targets: Sequence[Target]) -> None:
    """One line for each target, with its ratio to plain git over the same protocol."""
    medians = {target.name: statistics.median(target.seconds) for target in targets}
    for target in targets:
        peer = medians["OpenSSH's sshd" if target.ssh else "plain git over HTTP"]
        value = medians[target.name]
        figure(f"push to {target.ref.partition('/c{')[0].partition('/s{')[0]}: {target.name}", value, "s",
               len(target.seconds), p95=round(percentile(target.seconds, 0.95), 4), peer=round(peer, 4),
               ratio=round(value / peer, 2))  # fmt: skip


def tell_queries(servers: Sequence[Asked], count: int, number: int) -> None:
    """One line for each query and server."""
    for query in QUERIES:
        taken: dict[str, list[float]] = {server.name: [] for server in servers}
        for turn in range(count + WARM):
            for server in servers:
                seconds = ask(server, query.format(n=number))
                if turn >= WARM:
                    taken[server.name].append(seconds)
        peer = statistics.median(taken["Gerrit"]) if "Gerrit" in taken else None
        for name, values in taken.items():
            value = statistics.median(values)
            beside = {"peer": round(peer, 4), "ratio": round(value / peer, 2)} if peer is not None else {}
            figure(f"GET {query}: {name}", value, "s", count, p95=round(percentile(values, 0.95), 4), **beside)


def fill(work: Path, targets: Sequence[Target], count: int) -> None:
    """So many changes at each server, one push of a chain of ten at a time."""
    for _ in range(0, count, 10):
        git(work, "checkout", "-q", "--detach", "main")
        for step in range(10):
            (work / f"fill-{step}.txt").write_text(os.urandom(8).hex())
            git(work, "add", "-A")
            git(work, "commit", "-q", "-m", f"Fill {step}\n\nChange-Id: I{os.urandom(20).hex()}")
        for target in targets:
            push(work, target, "refs/for/main")


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pushes", type=int, default=40)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--changes", type=int, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gatebot-bench-", dir="/var/tmp") as name, ExitStack() as open_:
        directory = Path(name)
        directory.chmod(0o755)
        seed = history(directory, FILES)
        ssh_port = free_port()
        files = {str(path.relative_to(seed)): path.read_text() for path in seed.rglob("*.txt")}
        ground = open_.enter_context(site(files, {"ssh.listen": f"127.0.0.1:{ssh_port}", "executor.enabled": False}))
        work = directory / "work"
        git(directory, "clone", "-q", str(ground.directory / "source"), str(work))
        here, served = ours(ground, ssh_port, work)
        plain_targets = open_.enter_context(plain(directory, work))
        there = open_.enter_context(gerrit(directory, work))
        targets = [here[0], plain_targets[0], here[1], plain_targets[1], *(there[0] if there else [])]
        pushes(work, targets, asked.pushes)
        tell_pushes(targets)
        fill(work, [here[0], *(there[0][:1] if there else [])], asked.changes)
        tell_queries([served, *([there[1]] if there else [])], asked.queries, 5)


if __name__ == "__main__":
    main()
