# SPDX-License-Identifier: Apache-2.0
"""What a site says of builds that somebody runs on this machine, and `gatebot build reproduce`.

A client of `/api/build/UUID/assignment` and `/api/change/N/assignment`; decides nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from .. import words
from ..app import handed, solo
from ..app.footing import check_git
from ..assignment import Assignment, FrozenJob, Json
from ..change import own_number
from ..errors import Refused
from ..executor.model import Sandbox
from ..pipeline.reproducing.model import Handed
from ..reasons import Reason, reason
from .builds import build_id
from .here import Manner, run_here, say
from .output import Output

_SHORT = 120  # characters of a variable that is shown


def of_change(out: Output, change: int, job: str | None, asked: Mapping[str, str], manner: Manner) -> Handed | None:
    """What a job of a change would be given now; without a job the list of its jobs is shown, and there is nothing."""
    _guard(manner)
    if not job:
        found: list[dict[str, Any]] = out.client().get(f"/api/change/{change}/jobs", **asked)
        rows = [(one["name"], ", ".join(one["pipelines"])) for one in found]
        out.table(found, rows, ("job", "pipelines"), f"Change {change} runs no jobs.")
        return None
    given = msgspec.convert(out.client().get(f"/api/change/{change}/assignment", job=job, **asked), Handed)
    ahead = [f"{own_number(one.number)},{one.patch_set}" for one in given.assignment.changes[:-1]]
    say(f"{_title(given.assignment)}" + (f", on top of {', '.join(ahead)}" if ahead else ""))
    return given


def fetched(out: Output, given: Handed, scratch: Path) -> solo.Laid:
    """A build with its repositories fetched, after a word about what it lacks here."""
    for lack in lacks(given):
        say(words.say(lack))
    client = out.client()
    return handed.fetch(given, handed.SiteGit(client.url, client.signature), scratch)


@click.command("reproduce")
@click.argument("build")
@click.option("--print", "printed", is_flag=True, help="Only print what it was given.")
@click.option("--node", "label", default="", help="Run on nodes of this label instead of the build's.")
@click.option("--keep", is_flag=True, help="Keep what the job leaves in its home: the workspace as it is at the end.")
@click.pass_obj
def reproduce(out: Output, build: str, printed: bool, label: str, keep: bool) -> None:
    """Run a build of a site once more, on this machine.

    With exactly the commits and variables that it had. Secrets stay on the site. Exits with 0 when the
    job succeeds, with 1 when it does not.
    """
    client = out.client()
    told = client.get(f"/api/build/{build_id(build)}/assignment")
    given = msgspec.convert(told, Handed)
    command = f"gatebot --url {client.url} build reproduce {given.assignment.build}"
    lines = list(_described(given, command))
    if printed:
        out.text(told, lines)
        return
    check_git()
    for line in lines:
        say(line)
    sys.exit(run_here(out, lambda scratch: fetched(out, given, scratch), Manner(Sandbox.AUTO, label, keep)))


def _guard(manner: Manner) -> None:
    """What others wrote runs in a sandbox."""
    if manner.sandbox is Sandbox.NONE:
        raise Refused(reason=reason("executor.no-such-sandbox-for-others"))


def lacks(given: Handed) -> Iterator[Reason]:
    """What is on the site only."""
    job, told = given.assignment.job, given.assignment.inherited
    if given.lacks:
        yield reason("executor.secrets-stay", secrets=", ".join(given.lacks))
    if job.dependencies and not told:
        yield reason("executor.parents-elsewhere", jobs=", ".join(one.name for one in job.dependencies))
    if job.requires and not given.assignment.provided:
        yield reason("executor.artifacts-elsewhere", artifacts=", ".join(job.requires))


def _title(given: Assignment) -> str:
    own = next((f"change {own_number(one.number)},{one.patch_set}, " for one in reversed(given.changes)), "")
    return f"{given.job.name} of {given.project}, {own}{given.branch}, as in {given.pipeline}"


def _described(given: Handed, command: str) -> Iterator[str]:
    """A build in few lines, to be pasted where people talk about it."""
    build, job = given.assignment, given.assignment.job
    yield _title(build)
    yield f"build: {build.build}"
    for node in job.nodes:
        yield f"node: {', '.join(node.names)} ({' '.join(filter(None, (node.label, node.arch, node.execution)))})"
    yield "repositories:"
    width = max(len(one.project) for one in build.checkouts)
    for one in build.checkouts:
        note = "" if one.required else "  for playbooks"
        yield f"  {one.project:{width}}  {one.commit}  {one.branch}{note}"
    if len(build.changes) > 1:
        yield "on top of: " + ", ".join(f"{own_number(one.number)},{one.patch_set}" for one in build.changes[:-1])
    yield from _listed("variables", [f"{name}: {_short(value)}" for name, value in _variables(job).items()])
    yield from _listed("steps", [f"{phase}: {book.path} of {book.project}" for phase, book in _steps(job)])
    if given.lacks:
        yield f"without its secrets: {', '.join(given.lacks)}"
    yield f"run it: {command}"


def _listed(what: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{what}:"
    yield from (f"  {line}" for line in lines)


def _variables(job: FrozenJob) -> Mapping[str, Json]:
    return {**job.vars, **job.extra_vars}


def _steps(job: FrozenJob) -> Iterator[tuple[str, Any]]:
    phases = {"pre-run": job.pre_run, "run": job.run, "post-run": job.post_run, "cleanup": job.cleanup_run}
    for phase, books in phases.items():
        yield from ((phase, book) for book in books)


def _short(value: Json) -> str:
    text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."
