# SPDX-License-Identifier: Apache-2.0
"""`gatebot run`: a job of a work tree, on this machine, without a server: edit, run, read.

The job is frozen from the configuration that lies here, the workspace has the files as they are, committed or not, and
the build runs as a site's would: same sandbox, same variables, same steps. Nothing is reported to anybody.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from .. import words
from ..app import solo
from ..app.footing import check_git, check_reach
from ..app.users import User, server_user
from ..assignment import Assignment
from ..events import BuildCompleted
from ..executor.model import Sandbox
from ..pipeline.config.check import told
from ..pipeline.config.offline import tenant_of
from ..pipeline.config.secrets import used
from ..pipeline.solo import on_label, runnable
from ..reasons import reason
from ..repo.worktrees import branch_of, origin_of
from .output import Output, printable

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, exists=True, file_okay=False)
_USER = "gatebot"
_KEPT = "kept"
_HOME = "home"


@click.command("run")
@click.argument("job", required=False)
@click.option("--dir", "directory", type=_DIRECTORY, default=".", help="The work tree (default: here).")
@click.option("--project", default="", help="Its name (default: as where it was cloned from, else its directory's).")
@click.option("--branch", default="", help="The branch that it is meant for (default: what its branch follows).")
@click.option("--pipeline", default="", help="As in this pipeline (default: the first that has the job).")
@click.option("--node", "label", default="", help="Run on nodes of this label instead of the job's.")
@click.option("--tenant-config", type=_FILE, help="A tenant file, where the shipped configuration is not what you use.")
@click.option("--tenant", "name", default="", help="Which tenant of it (default: the first).")
@click.option("--repos", type=_DIRECTORY, help="Where other projects are: DIR/PROJECT, git or plain files.")
@click.option("--plain-branch", default="main", show_default=True, help="The branch of projects without git.")
@click.option(
    "--sandbox", type=click.Choice([one.value for one in Sandbox]), default="auto", show_default=True,
    help="How the job is kept apart from this machine; 'none' only for what you wrote yourself.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Keep what the job leaves in its home: the workspace as it is at the end.")
@click.pass_obj
def run(
    out: Output, job: str | None, directory: Path, project: str, branch: str, pipeline: str, label: str,
    tenant_config: Path | None, name: str, repos: Path | None, plain_branch: str, sandbox: str, keep: bool,
) -> None:  # fmt: skip
    """Run a job of this work tree on this machine, without a server. Without JOB: list the jobs there are.

    The files count as they are, committed or not, but for what git ignores. Exits with 0 when the job succeeds, with 1
    when it does not.
    """
    check_git()
    wish = solo.Wish(
        directory=directory.resolve(),
        project=project or _name(directory),
        branch=branch or branch_of(directory),
        tenant=tenant_of(tenant_config, name) if tenant_config is not None else None,
        repos=repos,
        plain_branch=plain_branch,
    )
    user = server_user(_USER)
    with _scratch(user) as scratch:
        ground = solo.Ground.lay(wish, scratch)
        if not job:
            _list(out, ground)
            return
        assigned = _assigned(ground, job, pipeline, label)
        prepared = solo.prepare(ground, user, {}, sandbox=Sandbox(sandbox))
        show = _say if out.as_json else _show
        home = scratch / _HOME if keep else None
        ended, left = asyncio.run(solo.build(prepared, ground, assigned, show, keep=home))
        kept = _keep(scratch, left, home)
    _tell(out, ended, job, kept)
    sys.exit(0 if ended.result == "SUCCESS" else 1)


def _name(directory: Path) -> str:
    """The project that a work tree is of: the path of where it was cloned from, without what servers put before it."""
    origin = origin_of(directory)
    path = urlsplit(origin).path if "://" in origin else origin.rpartition(":")[2]
    path = path.strip("/").removesuffix(".git").removeprefix("a/")
    return path if path and not Path(origin).is_absolute() else directory.resolve().name


@contextmanager
def _scratch(user: User | None) -> Generator[Path]:
    """A directory for one run. At the end nothing is left of it but what was put below `kept`."""
    scratch = Path(tempfile.mkdtemp(prefix="gatebot-run-", dir="/var/tmp"))
    scratch.chmod(0o711)
    try:
        check_reach(user, scratch)
        if user is not None:
            os.chown(scratch, user.uid, user.gid)
        yield scratch
    finally:
        for part in scratch.iterdir():
            if part.name != _KEPT:
                shutil.rmtree(part, ignore_errors=True)
        if not any(scratch.iterdir()):
            scratch.rmdir()


def _keep(scratch: Path, left: Path, home: Path | None) -> Path | None:
    """Where log, artifacts and home are kept; None where there is nothing that was not shown already."""
    if home is None and not any((left / "artifacts").rglob("*")):
        return None
    kept = left.rename(scratch / _KEPT)
    if home is not None and home.is_dir():
        home.rename(kept / _HOME)
    return kept


def _list(out: Output, ground: solo.Ground) -> None:
    wish = ground.wish
    found = runnable(ground.layout, wish.project, wish.branch)
    rows = [(name, ", ".join(pipelines)) for name, pipelines in found.items()]
    jobs = [{"name": name, "pipelines": pipelines} for name, pipelines in found.items()]
    nothing = reason("pipeline.no-jobs-here", project=wish.project, branch=wish.branch)
    out.table(jobs, rows, ("job", "pipelines"), words.say(nothing))


def _assigned(ground: solo.Ground, job: str, pipeline: str, label: str) -> Assignment:
    """The build, and a word about what it is and what it lacks."""
    chosen = ground.choose(job, pipeline)
    if label:
        chosen = replace(chosen, job=on_label(chosen.job, label))
    wanted = ground.assign(chosen)
    _say(f"{job} of {ground.wish.project} on {ground.wish.branch}, as in {chosen.pipeline}")
    if chosen.errors:
        _say(words.say(reason("pipeline.errors-beside", count=len(chosen.errors))))
        for line in told(chosen.errors, words.say).splitlines():
            _say(f"  {line}")
    secrets = sorted({ref.secret for ref in used(chosen.job)})
    if secrets:
        _say(words.say(reason("pipeline.secrets-not-here", secrets=", ".join(secrets))))
    return wanted


def _show(line: str) -> None:
    click.echo(printable(line))


def _say(line: str) -> None:
    """To the person, beside what the command prints."""
    click.echo(printable(line), err=True)


def _tell(out: Output, ended: BuildCompleted, job: str, kept: Path | None) -> None:
    why = words.say(ended.reason) if ended.reason is not None else ""
    lines = [f"{job}: {ended.result}" + (f". {why}" if why else "")]
    answer: dict[str, object] = {"job": job, "result": ended.result, "reason": why}
    if kept is not None:
        answer["kept"] = str(kept)
        lines.append(f"Log and artifacts: {kept}")
        if (kept / _HOME).is_dir():
            lines.append(f"Its home, with the workspace: {kept / _HOME}")
    out.text(answer, lines)
