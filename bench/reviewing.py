# SPDX-License-Identifier: Apache-2.0
"""How long a reviewer waits for pages: forty changes wait for him, and one change has a long history.

A whole site. Forty changes wait for one reviewer, one of them with 2,000 lines; another has 200 patch sets and
500 comments. Each page is fetched, signed in, over one connection; times are from the request's first byte to the
answer's last, the CPU seconds those of the server. Usage: `python -m bench.reviewing [-n 40] [--fetches 15]`.
"""

from __future__ import annotations

import argparse
import statistics
import time
import urllib.request
from collections.abc import Mapping

from gatebot.cli.output import Client

from . import _ground
from ._ground import Ground, basic, figure, percentile
from .pages import settled

PAGE, DATA = 0.2, 0.06
CONFIGURATION = {".zuul.yaml": "- project:\n    check: {jobs: [noop]}\n    gate: {jobs: [noop]}\n", "readme": "Hello\n"}
PATCH_SETS, COMMENTS = 200, 500
SOURCE = "".join(
    f'def part_{n}(value: int) -> str:\n    """Part {n}."""\n    return f"{{value}} {n}"\n\n' for n in range(500)
)


def write(client: Client, number: int, path: str, text: str) -> None:
    """One more patch set, with this file."""
    where = f"{client.url}/a/changes/{number}/edit/{path}"
    asked = urllib.request.Request(where, data=text.encode(), method="PUT")
    asked.add_header("Authorization", basic(client))
    asked.add_header("Content-Type", "text/plain")
    with urllib.request.urlopen(asked):
        client.call("POST", f"/changes/{number}/edit:publish", {})


def long_history(ground: Ground, number: int) -> None:
    """Patch sets and comments, a hundred of these in one review; each patch set changes the file."""
    lines = [f"line {line}" for line in range(200)]
    for patch_set in range(2, PATCH_SETS + 1):
        lines[patch_set % 200] = f"line {patch_set % 200} of patch set {patch_set}"
        write(ground.author, number, "history", "\n".join(lines) + "\n")
    each = COMMENTS // 50
    for review in range(50):
        patch_set = 2 + review * (PATCH_SETS - 2) // 49
        said = [
            {"line": 1 + 7 * n, "message": f"Why is this so ({review}, {n})?", "unresolved": n == 0}
            for n in range(each)
        ]
        body = {"message": "Some questions.", "comments": {"history": said}}
        ground.core.call("POST", f"/changes/{number}/revisions/{patch_set}/review", body)


def fetch(ground: Ground, path: str, headers: Mapping[str, str], fetches: int) -> tuple[list[float], float, int]:
    """Seconds of each fetch but the first, CPU seconds of one, and the size of the answer."""
    connection = ground.connection()
    taken: list[float] = []
    size, began_cpu = 0, 0.0
    for turn in range(fetches + 1):
        began = time.perf_counter()
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        size = len(answer.read())
        if turn:
            taken.append(time.perf_counter() - began)
        else:
            began_cpu = ground.cpu()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {answer.reason}")
    return taken, (ground.cpu() - began_cpu) / fetches, size


def first(ground: Ground, path: str, headers: Mapping[str, str]) -> float:
    """Seconds of the first fetch, with nothing kept."""
    taken, began = ground.connection(), time.perf_counter()
    taken.request("GET", path, headers=dict(headers))
    answer = taken.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {answer.reason}")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=40, help="how many changes wait")
    parser.add_argument("--fetches", type=int, default=15, help="how often each address is fetched")
    wanted = parser.parse_args()
    with _ground.site(CONFIGURATION) as ground:
        numbers = ground.push([f"file{n:04}" for n in range(wanted.n)])
        for number in numbers:
            ground.author.call("POST", f"/changes/{number}/reviewers", {"reviewer": "core"})
        write(ground.author, numbers[0], "part.py", SOURCE)
        (history,) = ground.push(["history"])
        long_history(ground, history)
        settled(ground)
        page = {"Authorization": basic(ground.core), "Accept": "text/html"}
        source = f"/c/api/+/{numbers[0]}/2/part.py"
        figure("review.diff.first", first(ground, source, page), "s", 1, goal=PAGE)
        options = "&".join(f"o={one}" for one in ("ALL_REVISIONS", "MESSAGES", "DETAILED_LABELS", "DETAILED_ACCOUNTS"))
        asked = {
            "dashboard": ("/dashboard/self", PAGE),
            "list": ("/q/status:open", PAGE),
            "change": (f"/c/api/+/{numbers[1]}", PAGE),
            "diff of 2,000 lines": (source, PAGE),
            "diff of a small file": (f"/c/api/+/{numbers[1]}/1/file0001", PAGE),
            f"change of {PATCH_SETS} patch sets, {COMMENTS} comments": (f"/c/api/+/{history}", PAGE),
            "its diff between two patch sets": (f"/c/api/+/{history}/100..200/history", PAGE),
            "its data by REST": (f"/a/changes/{history}/detail?{options}", DATA),
            "its comments by REST": (f"/a/changes/{history}/comments", DATA),
        }
        for name, (path, goal) in asked.items():
            taken, cpu, size = fetch(ground, path, page, wanted.fetches)
            more = {"p95": round(percentile(taken, 0.95), 4), "cpu": round(cpu, 4), "kb": size // 1024, "goal": goal}
            figure(f"review.{name}.p50", statistics.median(taken), "s", len(taken), **more)


if __name__ == "__main__":
    main()
