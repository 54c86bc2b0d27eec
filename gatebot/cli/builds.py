# SPDX-License-Identifier: Apache-2.0
"""`gatebot build ...`: finished and running builds, and their logs.

A client of `/api/builds`, `/api/build/UUID` and the log's stream; decides nothing. Anybody may look,
as far as the changes behind the builds may be seen.
"""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from ..durations import duration
from ..errors import NotFound
from ..executor.log_html import REQUEST, calmed
from . import following
from .lazy import Lazy
from .output import Output

_SERVER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_PAUSE = 1.0  # seconds between two looks whether a build has begun
_REPRODUCE = "Run a build of a site once more, on this machine."


@click.group(cls=Lazy, elsewhere={"reproduce": ("given:reproduce", _REPRODUCE)})
def build() -> None:
    """Look at builds and their logs; stop them."""


@build.command("list")
@click.option("--change", type=int, help="Only of this change.")
@click.option("--project", help="Only of this project.")
@click.option("--job", help="Only of this job.")
@click.option("-n", "limit", default=30, show_default=True, help="At most this many.")
@click.pass_obj
def list_builds(out: Output, change: int | None, project: str | None, job: str | None, limit: int) -> None:
    """List builds, newest first."""
    query: dict[str, str | int] = {"limit": limit}
    query |= {key: value for key, value in (("change", change), ("project", project), ("job_name", job)) if value}
    found = out.client().get("/api/builds", **query)
    rows = [(one["uuid"], one["job_name"], one["state"], one["project"], one["change"] or "") for one in found]
    out.table(found, rows, ("build", "job", "result", "project", "change"), "No builds yet.")


@build.command("show")
@click.argument("uuid")
@click.pass_obj
def show(out: Output, uuid: str) -> None:
    """Show one build."""
    client = out.client()
    info = client.get(f"/api/build/{build_id(uuid)}")
    out.text(info, _lines(info, client.url))


@build.command("log")
@click.argument("uuid")
@click.option("-f", "--follow", is_flag=True, help="Go on until the build ends.")
@click.pass_obj
def log(out: Output, uuid: str, follow: bool) -> None:
    """Print the log of a build from its first line."""
    uuid, client = build_id(uuid), out.client()
    if not follow:
        found = False
        with contextlib.suppress(NotFound):
            for line in client.pieces(f"/logs/{uuid}/job-output.txt"):
                found = True
                _print(line)
        if not found:
            raise NotFound(_no_log(client.get(f"/api/build/{uuid}")))
    elif not following.follow(client, uuid, _print, _Once(), lambda: time.sleep(_PAUSE)):
        raise NotFound(_no_log(client.get(f"/api/build/{uuid}")))


def _print(line: bytes) -> None:
    if line:
        click.echo(calmed(line.decode(errors="replace").rstrip("\n"), colours=sys.stdout.isatty()))


class _Once:
    """Says why nothing comes, each thing once."""

    def __init__(self) -> None:
        self._said = ""

    def __call__(self, known: Mapping[str, Any] | str) -> None:
        text = known if isinstance(known, str) else _no_log(known)
        if text != self._said:
            click.echo(text, err=True)
        self._said = text


def _no_log(info: Mapping[str, Any]) -> str:
    """Why there is no log of a build, or none yet."""
    if info["state"] == "waiting":
        return f"The build has not begun. {info['waits_for']}"
    if not info["result"]:
        return "The build has begun, and nothing is printed yet."
    return f"There is no log of this build. {info['error_detail'] or ''}".rstrip()


@build.command("abort")
@click.argument("uuid")
@click.pass_obj
def abort(out: Output, uuid: str) -> None:
    """Stop a build that runs or waits; it counts as canceled.

    For whoever may take its change out of the pipeline. What is tested with it goes on: `gatebot change dequeue` stops
    all of that.
    """
    answer = out.client().call("POST", f"/api/build/{build_id(uuid)}/abort", {})
    out.text(answer, [answer["sentence"]])


@build.command("tests")
@click.argument("uuid")
@click.option("--failed", is_flag=True, help="Only those that failed, with what they said.")
@click.pass_obj
def tests(out: Output, uuid: str, failed: bool) -> None:
    """List the test results of a build, failed ones first."""
    info = out.client().get(f"/api/build/{build_id(uuid)}/tests")
    if not out.as_json:
        for line in _about_tests(info):
            click.echo(line, err=True)
    shown = [one for one in info["tests"] if not failed or one["outcome"] in ("failed", "error")]
    if failed and not out.as_json:
        for one in shown:
            head = f"{one['outcome']}: {one['name']}" + (f" ({one['mark']})" if one["mark"] else "")
            out.text(one, [head, *(f"  {line}" for line in one["output"].splitlines())])
        return
    rows = [(one["outcome"], one["name"], f"{one['seconds']:.2f} s", one["mark"] or "") for one in shown]
    out.table({**info, "tests": shown}, rows, ("outcome", "test", "time", ""), "No test results in its artifacts.")


def _about_tests(info: Mapping[str, Any]) -> Iterator[str]:
    """How many tests there are of each outcome, what they are compared with, and which files say nothing."""
    if info["tests"]:
        yield ", ".join(f"{count} {outcome}" for outcome, count in info["counts"].items() if count)
    if info["compared_with"]:
        found = {"fail that passed": "newly_failing", "pass that failed": "newly_passing", "new": "new", "gone": "gone"}
        told = "".join(f", {len(info[key])} {words}" for words, key in found.items() if info[key])
        yield f"beside the build {info['compared_with']} ({info['compared_as']}){told}"
    yield from (f"not read: {trouble}" for trouble in info["troubles"])


@build.command("requests")
@click.argument("uuid")
@click.argument("request", required=False)
@click.pass_obj
def requests(out: Output, uuid: str, request: str | None) -> None:
    """List the request ids in a build's logs, or lines about one. In order of time, of all files."""
    info = _of_logs(out, uuid, "requests", request, REQUEST)
    if info is None:
        return
    rows = [(one["at"] or "", f"{one['file']}:{one['line']}", one["text"]) for one in info["lines"]]
    out.table(info, rows, ("time", "where", "line"), "No line names this request.")


@build.command("resources")
@click.argument("uuid")
@click.argument("server", required=False)
@click.pass_obj
def resources(out: Output, uuid: str, server: str | None) -> None:
    """List the servers in a build's logs, or tell what happened to one."""
    info = _of_logs(out, uuid, "resources", server, _SERVER)
    if info is None:
        return
    rows = [
        (one["at"] or "", one["happened"], f"{one['times']}x" if one["times"] > 1 else "", one["text"],
         f"{one['file']}:{one['line']}")
        for one in info["steps"]
    ]  # fmt: skip
    out.table(info, rows, ("time", "what", "", "told", "where"), "No line names this server.")


def _of_logs(out: Output, uuid: str, what: str, id: str | None, shape: re.Pattern[str]) -> Any:
    """What a build's logs say of one thing; None: no id was given, and all things of that kind are listed."""
    path = f"/api/build/{build_id(uuid)}/{what}"
    if id is None:
        info = out.client().get(path)
        out.table(info, [(one["id"], one["lines"]) for one in info[what]], ("id", "lines"), "None.")
        return None
    if not shape.fullmatch(id):
        raise click.UsageError(f"'{id}' is no id of {what}. List them with: gatebot build {what} {uuid}")
    return out.client().get(f"{path}/{id}")


def _lines(info: Mapping[str, Any], site: str) -> Iterator[str]:
    """A build for people: what, how it ended and why, when, on what; then what it left."""
    about = f"change {info['change']},{info['patchset']} " if info["change"] else ""
    facts = {
        "build": info["uuid"],
        "job": info["job_name"] + ("" if info["voting"] else " (non-voting)"),
        "result": info["state"],
        "why": info["error_detail"] or info["waits_for"],
        "error": info["error_text"] and f"line {info['error_line']}: {info['error_text']}",
        "of": f"{about}of {info['project']} {info['branch']}, {info['pipeline']} in tenant {info['tenant']}",
        "try": info["attempt"] if info["attempt"] > 1 else "",
        "created": info["created"],
        "started": info["start_time"],
        "ended": info["end_time"] and f"{info['end_time']}{_took(info)}",
        "page": f"{site}/build/{info['uuid']}",
        "log": f"gatebot build log {info['uuid']}",
    }
    yield from (f"{name}: {value}" for name, value in facts.items() if value)
    yield from (f"node {told(node)}" if node["names"] else f"node: {told(node)}" for node in info["nodes"])
    yield from (f"artifact: {one['name']} {_address(info, site, one['url'])}" for one in info["artifacts"])


def _took(info: Mapping[str, Any]) -> str:
    """How long a build ran, if it ever began."""
    return "" if info["duration"] is None else f" (took {duration(info['duration'])})"


def _address(info: Mapping[str, Any], site: str, url: str) -> str:
    """Where an artifact is; what the build left is told as below its log."""
    return url if "://" in url else f"{site}{info['log_url']}{url.lstrip('/')}"


def told(node: Mapping[str, Any]) -> str:
    """A node in words: its names, its label, what it is, and who gives it."""
    names = f"{', '.join(node['names'])}: " if node["names"] else ""
    where = f" on {node['executor']}" if node["executor"] else ""
    return f"{names}{node['label']}, {node['arch']} {node['execution']}, {node['provider']}{where}"


def build_id(given: str) -> str:
    """The id in an id or in an address of a build's page."""
    found = re.search(r"(?:^|/)([0-9a-f]{32})/?(?:#.*)?$", given)
    if not found:
        raise click.UsageError(f"'{given}' is no build: give its id or address. List them with: gatebot build list")
    return found[1]
