# SPDX-License-Identifier: Apache-2.0
"""What review costs a push: `git push` to `refs/for` against a plain one of the same commit.

The plain push goes through `git http-backend`, started for each request by the same kind of aiohttp
server, to an equal repository with the same sign-in. Both are pushed in turn. Printed is the CPU
time of everything (client, server, git, hooks) and, as a second line, the time on the clock.

    python -m bench.push_ratio [--pushes 40] [--files 200]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

from aiohttp import web

from gatebot import db as database
from gatebot.access import Actor
from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.errors import GatebotError, Refused, http_status
from gatebot.identity import Account, Identity
from gatebot.repo import Repositories, environment
from gatebot.review import hosting
from gatebot.review.git_http import GitHttp
from gatebot.review.model import Project
from gatebot.review.push import Receiver

from ._plain import Backend

PERSON = {
    "GIT_AUTHOR_NAME": "Mina",
    "GIT_AUTHOR_EMAIL": "mina@example.org",
    "GIT_COMMITTER_NAME": "Mina",
    "GIT_COMMITTER_EMAIL": "mina@example.org",
}
ACCOUNT: web.RequestKey[Account | None] = web.RequestKey("account", object)  # type: ignore[arg-type]


class Frame:
    """The part of a site's frame that git needs: who signs a request."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def account(self, request: web.Request) -> Account | None:
        return request.get(ACCOUNT)

    def language(self, request: web.Request) -> str:
        return "en"

    @web.middleware
    async def identify(self, request: web.Request, handler: object) -> web.StreamResponse:
        header = request.headers.get("Authorization")
        try:
            request[ACCOUNT] = None
            if header:
                login, _, password = b64decode(header.removeprefix("Basic ")).decode().partition(":")
                request[ACCOUNT] = await self._identity.authenticate(login, password)
            return await handler(request)  # type: ignore[operator]
        except GatebotError as error:
            return web.Response(status=http_status(error), headers={"WWW-Authenticate": 'Basic realm="bench"'})


async def nothing_hidden(_actor: Actor, _project: str) -> tuple[int, ...]:
    """No change is private here."""
    return ()


async def nothing_comes() -> tuple[int, ...]:
    """Nobody else makes changes here."""
    return ()


class NoSubmit:
    """Nothing is submitted here."""

    async def submit(self, actor: Actor, number: int) -> NoReturn:
        raise Refused


@asynccontextmanager
async def site(root: Path, seed: Path) -> AsyncGenerator[tuple[str, str]]:
    """Both servers in one process, on one port; the address and a token."""
    url = f"sqlite:///{root / 'gatebot.db'}"
    await asyncio.to_thread(database.migrate, url)
    db, clock = Database.open(url), SystemClock()
    identity = Identity(db, clock)
    account = await identity.create("mina", name="Mina", email="mina@example.org")
    token = await identity.create_token(account.id, "bench")
    repositories = Repositories(root / "git")
    await asyncio.to_thread(repositories.import_from, "api", str(seed))
    await db.run(hosting.create_project, Project("api"), None, clock.now())
    frame = Frame(identity)
    receiver = Receiver(db, repositories, clock, "http://bench")
    app = web.Application(middlewares=[frame.identify])  # type: ignore[list-item]
    app.add_routes(Backend(frame, root / "plain").routes())
    app.add_routes(
        GitHttp(frame, repositories, receiver, NoSubmit(), root / "hooks", nothing_hidden, nothing_comes).routes()
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}", token
    finally:
        await runner.cleanup()
        await db.close()


def git(work: Path, *arguments: str) -> str:
    env = {**environment(), **PERSON}
    done = subprocess.run(["git", *arguments], cwd=work, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def history(root: Path, files: int) -> Path:
    """A repository with some history."""
    seed = root / "seed"
    seed.mkdir()
    git(seed, "init", "-q", "-b", "main")
    for number in range(files):
        (seed / f"d{number % 20}").mkdir(exist_ok=True)
        (seed / f"d{number % 20}" / f"f{number}.txt").write_text(f"file {number}\n" * 20)
    for number in range(20):
        (seed / "log.txt").write_text(f"{number}\n")
        git(seed, "add", "-A")
        git(seed, "commit", "-q", "-m", f"Commit {number}")
    return seed


def prepare(root: Path, files: int) -> Path:
    """The same, and an equal bare one for the peer."""
    seed = history(root, files)
    plain = root / "plain" / "api.git"
    plain.parent.mkdir()
    git(root, "clone", "-q", "--bare", str(seed), str(plain))
    git(plain, "config", "http.receivepack", "true")
    git(plain, "config", "receive.fsckObjects", "true")
    git(plain, "config", "gc.auto", "0")
    return seed


def spent() -> float:
    """CPU seconds of this process and of all children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def none_left() -> None:
    """Wait until each process that was started here is gone: what it spent counts only then, and for its own push."""
    end = time.monotonic() + 10
    while any(one.read_text() for one in Path("/proc/self/task").glob("*/children")):
        if time.monotonic() > end:
            raise SystemExit("a process of the last push is still there")
        time.sleep(0.001)


def measure(work: Path, targets: dict[str, tuple[str, str]], pushes: int) -> dict[str, list[tuple[float, float]]]:
    """CPU and clock seconds of each push; every commit goes to each target, in turn which is first."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in targets}
    for number in range(pushes + 3):
        git(work, "checkout", "-q", "--detach", "origin/main")
        (work / "d1" / "f1.txt").write_text(f"changed {number} {os.getpid()}\n")
        git(work, "commit", "-q", "-a", "-m", f"Change {number}\n\nChange-Id: I{number + 1:040x}")
        names = list(targets) if number % 2 else list(reversed(targets))
        for name in names:
            url, ref = targets[name]
            cpu, clock = spent(), time.perf_counter()
            git(work, "push", "-q", url, "HEAD:" + ref.format(number))
            seconds = time.perf_counter() - clock
            none_left()
            if number >= 3:  # the first warm up
                taken[name].append((spent() - cpu, seconds))
    return taken


async def run(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        seed = prepare(root, arguments.files)
        async with site(root, seed) as (address, token):
            work = root / "work"
            await asyncio.to_thread(git, root, "clone", "-q", str(seed), str(work))
            targets = {
                "review": (f"http://mina:{token}@{address}/api", "refs/for/main"),
                "plain": (f"http://mina:{token}@{address}/plain/api.git", "refs/heads/c{}"),
            }
            taken = await asyncio.to_thread(measure, work, targets, arguments.pushes)
    for column, unit in ((0, "CPU s"), (1, "s")):
        ours, plain = (statistics.median(pair[column] for pair in taken[name]) for name in ("review", "plain"))
        figure = {
            "figure": "push to refs/for against a plain push",
            "value": round(ours, 4),
            "unit": unit,
            "n": arguments.pushes,
            "peer": round(plain, 4),
            "ratio": round(ours / plain, 2),
        }
        print(json.dumps(figure))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pushes", type=int, default=40)
    parser.add_argument("--files", type=int, default=200)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
