# SPDX-License-Identifier: Apache-2.0
"""Much at once, and nothing lost: many pushes at the same time, a large pack, very many change refs, a long history.

Everything goes through a real site over HTTP, and afterwards everything is looked at: each change is there, each
reference is where it was pushed, each object of a clone is that of its source. What is wrong ends it with status 1.

    python -m bench.load [--short]          200 pushes of 5 commits, 120 MB, 30,000 change refs, 20,000 commits
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from gatebot.app import places
from gatebot.cli.output import Client
from gatebot.repo import environment

from ._ground import PERSON, Ground, figure, git, percentile, site

COMMITS = 5


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each."""

    pushes: int
    megabytes: int
    refs: int
    history: int


LONG = Size(200, 120, 30_000, 20_000)
SHORT = Size(12, 6, 1_000, 500)


def wrong(what: str) -> NoReturn:
    """Something is lost: say it and end."""
    sys.exit(f"WRONG: {what}")


def address(ground: Ground) -> str:
    """Where Mina pushes."""
    return ground.author.url.replace("://", f"://{ground.author.user}:{ground.author.token}@") + "/api"


def run(work: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """git as Mina, however it ends."""
    settings = {**environment(), **PERSON, **env}
    return subprocess.run(["git", *words], cwd=work, env=settings, capture_output=True, text=True, check=False)


def chains(work: Path, tip: str, count: int) -> None:
    """So many chains of five commits, each at refs/load/N."""
    person, parts = f"Mina <mina@example.org> {int(time.time())} +0000", list[str]()
    for chain in range(count):
        for step in range(COMMITS):
            name, seed = f"load/{chain}-{step}", hashlib.sha1(f"{chain}-{step}".encode()).hexdigest()
            message = f"Add {name}\n\nChange-Id: I{seed}\n"
            parts.append(
                f"commit refs/load/{chain}\nauthor {person}\ncommitter {person}\ndata {len(message)}\n{message}"
                + (f"from {tip}\n" if step == 0 else "")
                + f"M 644 inline {name}\ndata {len(name)}\n{name}\n\n"
            )
    git(work, "fast-import", "--quiet", "--force", given="".join(parts))


def many_pushes(ground: Ground, work: Path, count: int) -> None:
    """All at the same time."""
    chains(work, git(work, "rev-parse", "origin/main").strip(), count)

    def one(chain: int) -> tuple[float, str]:
        began = time.perf_counter()
        done = run(work, "push", address(ground), f"refs/load/{chain}:refs/for/main")
        return time.perf_counter() - began, "" if done.returncode == 0 else done.stderr

    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pushing:
        done = list(pushing.map(one, range(count)))
    taken = time.perf_counter() - began
    if failed := [text for _, text in done if text]:
        wrong(f"{len(failed)} of {count} pushes failed, the first: {failed[0]}")
    changes_are_there(ground, work, count)
    figure(
        f"{count} pushes of {COMMITS} commits at once",
        taken,
        "s",
        count * COMMITS,
        a_second=round(count * COMMITS / taken, 1),
        slowest=round(max(seconds for seconds, _ in done), 2),
        p50=round(percentile((seconds for seconds, _ in done), 0.5), 2),
        memory_mb=round(ground.memory_mb()),
    )


def changes_are_there(ground: Ground, work: Path, count: int) -> None:
    """Every commit is one change, in its chain, and its reference is where it must be."""
    wanted = git(work, "log", "--format=%H", "--glob=refs/load/*", "--not", "origin/main").split()
    if len(wanted) != count * COMMITS:
        wrong(f"{len(wanted)} commits were made")
    rows = patch_sets(ground)
    listed = run(work, "ls-remote", address(ground), "refs/changes/*").stdout
    told = {ref: commit for commit, ref in map(str.split, listed.splitlines())}
    for commit in wanted:
        number = rows.get(commit)
        if number is None:
            wrong(f"{commit} has no change")
        if told.get(f"refs/changes/{number % 100:02d}/{number}/1") != commit:
            wrong(f"the reference of change {number} is not {commit}")
    if len({rows[commit] for commit in wanted}) != len(wanted):
        wrong("two commits have one change")


def patch_sets(ground: Ground) -> dict[str, int]:
    """Every change by its commit, as REST tells it."""
    found: dict[str, int] = {}
    start = 0
    while True:
        page = ground.author.get("/changes/", q="project:api", S=str(start), n="500", o="CURRENT_REVISION")
        found |= {str(one["current_revision"]): int(one["_number"]) for one in page}
        start += len(page)
        if not page or not page[-1].get("_more_changes"):
            return found


def large_pack(ground: Ground, work: Path, megabytes: int) -> None:
    """One commit with one file that cannot be compressed, there and back."""
    git(work, "checkout", "-q", "--detach", "origin/main")
    digest = hashlib.sha256()
    with (work / "large.bin").open("wb") as file:
        for _ in range(megabytes):
            file.write(block := os.urandom(1 << 20))
            digest.update(block)
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", f"Add much\n\nChange-Id: I{os.urandom(20).hex()}")
    began = time.perf_counter()
    told = git(work, "push", address(ground), "HEAD:refs/for/main")
    taken = time.perf_counter() - began
    number = int(re.findall(r"/\+/(\d+)", told)[0])
    back = ground.directory / "back"
    git(ground.directory, "init", "-q", str(back))
    git(back, "fetch", "-q", address(ground), f"refs/changes/{number % 100:02d}/{number}/1")
    git(back, "checkout", "-q", "FETCH_HEAD")
    if hashlib.sha256((back / "large.bin").read_bytes()).hexdigest() != digest.hexdigest():
        wrong("the large file came back otherwise")
    figure(f"push of {megabytes} MB", taken, "s", 1, mb_a_second=round(megabytes / taken, 1),
           memory_mb=round(ground.memory_mb()))  # fmt: skip


def many_refs(ground: Ground, work: Path, count: int) -> None:
    """Change refs by the thousand: what is not asked for is not sent, what is asked for is there."""
    store = ground.data / "git" / "api.git"
    tip = git(work, "rev-parse", "origin/main").strip()
    first = 1_000_000
    lines = "".join(f"create refs/changes/{n % 100:02d}/{n}/1 {tip}\n" for n in range(first, first + count))
    owner = store.stat()
    git(store, "update-ref", "--stdin", given=lines)
    git(store, "pack-refs", "--all")
    subprocess.run(["chown", "-R", f"{owner.st_uid}:{owner.st_gid}", str(store)], check=True)
    for version, most in (("0", 20), ("2", count * 2)):
        began = time.perf_counter()
        done = run(work, "-c", f"protocol.version={version}", "ls-remote", address(ground))
        lines_told = done.stdout.count("\n")
        if done.returncode or (version == "0" and lines_told > most):
            wrong(f"protocol {version} tells {lines_told} references: {done.stderr}")
        figure(f"ls-remote with {count} change refs, protocol {version}", time.perf_counter() - began, "s", lines_told)
    some = first + count // 2
    git(work, "fetch", "-q", address(ground), f"refs/changes/{some % 100:02d}/{some}/1")
    if git(work, "rev-parse", "FETCH_HEAD").strip() != tip:
        wrong("a change ref is not what it was")
    git(work, "checkout", "-q", "--detach", "origin/main")
    git(work, "commit", "-q", "--allow-empty", "-m", f"Nothing\n\nChange-Id: I{os.urandom(20).hex()}")
    began = time.perf_counter()
    git(work, "push", address(ground), "HEAD:refs/for/main")
    figure(f"push with {count} change refs", time.perf_counter() - began, "s", 1)


def history(directory: Path, commits: int) -> Path:
    """A repository with many commits, some merges, and tags."""
    made = directory / "history"
    git(directory, "init", "-q", "--bare", "-b", "main", str(made))
    git(made, "fast-import", "--quiet", given="".join(_history(commits)))
    return made


def _history(commits: int) -> Iterator[str]:
    for number in range(commits):
        person = f"Mina <mina@example.org> {1_700_000_000 + number} +0000"
        text, message = f"{number}\n" * (number % 40 + 1), f"Commit {number}\n"
        yield f"commit refs/heads/main\nmark :{number + 1}\nauthor {person}\ncommitter {person}\n"
        yield f"data {len(message)}\n{message}"
        if number > 20 and number % 50 == 0:
            yield f"merge :{number - 19}\n"
        yield f"M 644 inline d{number % 97}/f{number % 1009}.txt\ndata {len(text)}\n{text}\n\n"
        if number % 500 == 0:
            yield f"reset refs/tags/t{number}\nfrom :{number + 1}\n\n"


def long_history(ground: Ground, commits: int) -> None:
    """Pushed by the admin, and cloned: the same references, the same objects."""
    source, clone = history(ground.directory, commits), ground.directory / "clone"
    token = (ground.directory / "site" / places.TOKEN).read_text().strip()
    admin = Client(ground.author.url, "admin", token)
    admin.call("PUT", "/projects/history", {"branches": ["main"]})
    url = admin.url.replace("://", f"://admin:{token}@") + "/history"
    began = time.perf_counter()
    # As Gerrit asks of whoever imports so much.
    git(source, "push", "-q", "-o", "skip-validation", url, "refs/heads/main", "refs/tags/*")
    figure(f"push of {commits} commits past review", time.perf_counter() - began, "s", commits)
    began = time.perf_counter()
    git(ground.directory, "clone", "-q", "--mirror", url, str(clone))
    taken = time.perf_counter() - began
    for what in (["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"], OBJECTS):
        theirs, ours = (sorted(git(place, *what).splitlines()) for place in (source, clone))
        if theirs != ours:
            wrong(f"the clone differs in {what[0]}: {len(theirs)} there, {len(ours)} here")
    git(clone, "fsck", "--full", "--strict")
    figure(f"clone of {commits} commits", taken, "s", len(git(source, *OBJECTS).splitlines()))


OBJECTS = ["cat-file", "--batch-all-objects", "--batch-check"]


def main(words: Sequence[str] | None = None) -> None:
    """All of it, on one site."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true")
    size = SHORT if parser.parse_args(words).short else LONG
    files = {f"d{n % 20}/f{n}.txt": f"file {n}\n" * 20 for n in range(100)}
    with site(files, {"executor.enabled": False}) as ground:
        work = ground.directory / "work"
        git(ground.directory, "clone", "-q", address(ground), str(work))
        many_pushes(ground, work, size.pushes)
        large_pack(ground, work, size.megabytes)
        many_refs(ground, work, size.refs)
        long_history(ground, size.history)


if __name__ == "__main__":
    main()
