# SPDX-License-Identifier: Apache-2.0
"""What a script of the library finds, and what it gives back.

Imported by the scripts beside it, on nodes: only the standard library of Python 3.9 and later, and of this folder
nothing. What goes wrong is said in one line that begins with `error:`, the line that people read first.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

ARTIFACTS = Path(os.environ["GATEBOT_ARTIFACTS"])
HOME = Path(os.environ["HOME"])


@cache
def variables() -> dict[str, Any]:
    """The variables of the job, with `zuul` and `gatebot` among them."""
    found: dict[str, Any] = json.loads(Path(os.environ["GATEBOT_VARIABLES"]).read_text("utf-8"))
    return found


def text(name: str) -> str:
    """A variable of the job; empty where it is not set."""
    return str(variables().get(name) or "")


def words(name: str) -> list[str]:
    """A variable that is a list, or a text of words that are quoted as in a shell."""
    value = variables().get(name) or []
    return shlex.split(value) if isinstance(value, str) else [str(one) for one in value]


def table(name: str) -> dict[str, Any]:
    """A variable that is a mapping."""
    return dict(variables().get(name) or {})


def flag(name: str) -> bool:
    """A variable that is yes or no; a text as Ansible reads one."""
    return str(variables().get(name) or "").lower() in ("true", "yes", "on", "1")


def fail(why: str) -> NoReturn:
    """End the job with the one line that says why, and what to do."""
    print(f"error: {why}", flush=True)
    sys.exit(1)


def run(*command: str | Path, **environment: str) -> int:
    """Run a program with more environment, its output into the log; its exit code."""
    argv = [str(word) for word in command]
    print(f"$ {shlex.join(argv)}", flush=True)
    return subprocess.run(argv, env={**os.environ, **environment}, check=False).returncode


def heard(*command: str | Path) -> tuple[int, str]:
    """Run a program, its output into the log and to the caller; its exit code and what it said."""
    argv = [str(word) for word in command]
    print(f"$ {shlex.join(argv)}", flush=True)
    said: list[str] = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as one:
        for line in one.stdout or ():
            print(line, end="", flush=True)
            said.append(line)
    return one.returncode, "".join(said)


def must(*command: str | Path, **environment: str) -> None:
    """Run a program that has to succeed; the job ends with its exit code if it does not."""
    code = run(*command, **environment)
    if code:
        sys.exit(code)


@cache
def commit() -> str:
    """The commit that is checked out."""
    return _git("rev-parse", "HEAD")


@cache
def moment() -> str:
    """When it was made, in seconds: what is built of it says this time and no other, so that it comes out the same."""
    return _git("log", "-1", "--format=%ct")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def artifacts(kind: str) -> list[tuple[dict[str, str], str]]:
    """What the jobs before this one, and those it requires, told of this type: metadata and address, nearest first."""
    found = [(one.get("metadata") or {}, one["url"]) for one in variables()["zuul"].get("artifacts", [])]
    return [(about, url) for about, url in found if about.get("type") == kind]


def fetched(url: str) -> Path:
    """A file of another build, fetched from the site; the job ends if it is not to be had."""
    target = HOME / "fetched" / url.rpartition("/")[2]
    target.parent.mkdir(exist_ok=True)
    print(f"fetching {url}", flush=True)
    try:
        with _outside(url) as answer:
            target.write_bytes(answer.read())
    except OSError as error:
        fail(f"what another job made cannot be fetched from {url}: {error}")
    return target


def answer(url: str, asked: Any = None) -> Any:
    """What the site answers at an address (to JSON that it is `asked`), as JSON; None, and a line in the log, if it
    does not."""
    try:
        with _outside(url, None if asked is None else json.dumps(asked).encode()) as said:
            return json.loads(said.read())
    except (OSError, ValueError) as error:
        print(f"{url} does not answer: {error}", flush=True)
        return None


def _outside(url: str, body: bytes | None = None) -> Any:
    """Ask the site, by the way that leads out of the node also where the site has an address of this machine."""
    shown, site = os.environ.get("GATEBOT_ARTIFACT_PASS", ""), variables()["zuul"]["executor"]["hostname"]
    headers = {"Gatebot-Build": shown} if shown and urlsplit(url).hostname == site else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - the site says where
    way = urlsplit(os.environ.get(f"{request.type}_proxy", "")).netloc
    if way:
        request.set_proxy(way, "http")
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)


def give_back(**told: Any) -> None:
    """Add to what the job returns under `zuul`: lists and tables grow, other values are replaced."""
    place = Path(os.environ["GATEBOT_RESULT"])
    kept = json.loads(place.read_text("utf-8")) if place.exists() and place.stat().st_size else {"zuul": {}}
    for name, value in told.items():
        before = kept["zuul"].get(name)
        if isinstance(before, list):
            value = before + value
        elif isinstance(before, dict):
            value = before | value
        kept["zuul"][name] = value
    place.write_text(json.dumps(kept), "utf-8")


def artifact(name: str, path: str, /, **metadata: str) -> None:
    """Tell of something in the artifacts directory: people find it by this name, later jobs by its metadata."""
    give_back(artifacts=[{"name": name, "url": f"artifacts/{path}", "metadata": metadata}])
