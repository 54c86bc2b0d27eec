# SPDX-License-Identifier: Apache-2.0
"""A build on this machine, as a command shows it: scratch directory, sandbox, log, and what is left at the end.

What the build is, and where it comes from, others say. Nothing is reported to anybody but the person in front of it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from stat import S_ISDIR
from urllib.parse import urlsplit

import click

from .. import words
from ..app import handed, places, solo
from ..app.footing import check_reach
from ..app.users import User, server_user
from ..assignment import FrozenJob, NodeChoice
from ..errors import NotFound
from ..events import BuildCompleted
from ..executor.labels import site_labels
from ..executor.log_html import calmed
from ..executor.model import DEFAULT_LABELS, LOCAL, Label, Sandbox
from ..executor.providing import kinds
from ..pipeline.solo import on_label
from ..reasons import reason
from .output import Output, printable

HOME = "home"
_USER = "gatebot"
_KEPT = "kept"
_PLACE, _PREFIX = "/var/tmp", "gatebot-run-"  # noqa: S108 - what is made there has a name that nobody can guess
_DAYS = 7  # that log and artifacts of a run stay


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody wants a build to run: `label` instead of the job's nodes, `keep` to look at it afterwards.

    `labels` are those of a site beside the ones that every site has, `images` is where that site has its images; `host`
    stands for the site in workspaces.
    """

    sandbox: Sandbox
    label: str = ""
    keep: bool = False
    labels: Mapping[str, Label] = field(default_factory=dict[str, Label])
    images: Path | None = None
    host: str = ""

    def of_site(self, directory: Path) -> Manner:
        """With what the settings of a site say of the nodes that this machine makes by itself."""
        settings, there = places.load(directory)
        found = site_labels(settings.labels, kinds(settings.providers))
        own = {name: label for name, label in found.items() if label.provider == LOCAL}
        host = urlsplit(settings.url).hostname or ""
        return replace(self, labels=own, images=places.images_of(settings, there), host=host)


#: Lays out a build below a scratch directory; None: there is nothing to run.
Lay = Callable[[Path], solo.Laid | None]


def run_here(out: Output, lay: Lay, manner: Manner) -> int:
    """Run a build to its end; the exit code."""
    user = server_user(_USER)
    with _scratch(user) as scratch:
        laid = lay(scratch)
        if laid is None:
            return 0
        laid = _on_nodes(laid, manner.label, {**DEFAULT_LABELS, **manner.labels})
        prepared = solo.prepare(scratch, user, manner.labels, sandbox=manner.sandbox, where=manner.images)
        home = scratch / HOME if manner.keep else None
        ended, left = asyncio.run(solo.build(prepared, laid, partial(_show, err=out.as_json), keep=home))
        kept = _keep(scratch, laid, left, home)
    _tell(out, ended, laid, kept)
    return 0 if ended.result == "SUCCESS" else 1


def say(line: str) -> None:
    """To the person, beside what the command prints."""
    click.echo(printable(line), err=True)


def _on_nodes(laid: solo.Laid, label: str, known: Mapping[str, Label]) -> solo.Laid:
    """On nodes of a label, or of those that the job names; this machine must have one of its alternatives."""
    job = on_label(laid.assignment.job, label) if label else laid.assignment.job
    lacking = [_lacks(choice, known) for choice in job.alternatives or (NodeChoice(job.nodes, job.groups),)]
    if all(lacking):
        names = ", ".join(known)
        raise NotFound(reason=reason("executor.no-label-here", label=lacking[0], known=names, first=next(iter(known))))
    return replace(laid, assignment=replace(laid.assignment, job=job))


def _lacks(choice: NodeChoice, known: Mapping[str, Label]) -> str:
    """A label of an alternative that is not known; "" if all are."""
    return next((node.label for node in choice.nodes if node.label not in known), "")


@contextmanager
def _scratch(user: User | None) -> Generator[Path]:
    """A directory for one run. At the end nothing is left of it but what was put below `kept`."""
    scratch = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_PLACE))
    scratch.chmod(0o711)
    try:
        check_reach(user, scratch)
        if user is not None:
            os.chown(scratch, user.uid, user.gid)
        _forget(scratch)
        yield scratch
    finally:
        for part in scratch.iterdir():
            if part.name != _KEPT:
                shutil.rmtree(part, ignore_errors=True)
        if not any(scratch.iterdir()):
            scratch.rmdir()


def _forget(scratch: Path) -> None:
    """Remove what runs of the same user left long ago. A home was asked for by `--keep`: that stays."""
    owner, long_ago = scratch.stat().st_uid, time.time() - _DAYS * 86_400
    for kept in Path(_PLACE).glob(f"{_PREFIX}*/{_KEPT}"):
        with suppress(OSError):
            theirs, since = kept.parent.lstat(), kept.lstat().st_mtime
            if S_ISDIR(theirs.st_mode) and theirs.st_uid == owner and since < long_ago and not (kept / HOME).exists():
                shutil.rmtree(kept.parent, ignore_errors=True)


def _keep(scratch: Path, laid: solo.Laid, left: Path, home: Path | None) -> Path | None:
    """Where log, artifacts and home are kept; None where there is nothing that was not shown already."""
    if home is None and not any((left / "artifacts").rglob("*")):
        return None
    kept = left.rename(scratch / _KEPT)
    if home is not None and home.is_dir():
        home.rename(kept / HOME)
        handed.keep(laid, kept)
    return kept


def _show(line: str, *, err: bool) -> None:
    """A line of the log: what a job prints may colour a terminal, and do nothing else to it."""
    click.echo(calmed(line, colours=(sys.stderr if err else sys.stdout).isatty()), err=err)


def _tell(out: Output, ended: BuildCompleted, laid: solo.Laid, kept: Path | None) -> None:
    job: FrozenJob = laid.assignment.job
    why = words.say(ended.reason) if ended.reason is not None else ""
    lines = [f"{job.name}: {ended.result}"]  # why is the last line of its log
    answer: dict[str, object] = {"job": job.name, "result": ended.result, "reason": why}
    if kept is not None:
        answer["kept"] = str(kept)
        lines.append(f"Log and artifacts: {kept}")
        if (kept / HOME).is_dir():
            again = f"gatebot run --again {kept}"
            answer["again"] = again
            lines.append(f"Its home, with the workspace: {kept / HOME}")
            lines.append(f"Edit it there, run it again with your files, read: {again} --keep")
    out.text(answer, lines)
