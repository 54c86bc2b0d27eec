# SPDX-License-Identifier: Apache-2.0
"""`gatebot run`: a job on this machine: edit, run, read. Of a work tree without a server, or of a change on a site.

Of a work tree the job is frozen from the configuration that lies here, with the files as they are, committed or not. Of
a change the site says what the job would be given, and it is fetched. Both run as a site's would: same sandbox, same
variables, same steps. Nothing is queued and nothing reported.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from .. import words
from ..app import handed, solo
from ..app.footing import check_git
from ..executor.model import Sandbox
from ..pipeline.config.check import told
from ..pipeline.config.offline import tenant_of
from ..pipeline.config.secrets import used
from ..pipeline.solo import runnable
from ..reasons import reason
from ..repo.worktrees import branch_of, cloned_from, origin_of
from .given import fetched, of_change
from .here import HOME, Manner, run_here, say
from .output import Output

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("run")
@click.argument("job", required=False)
@click.option("--change", type=click.IntRange(min=1), help="A change of a site: the job as the site would run it now.")
@click.option("--patch-set", type=click.IntRange(min=1), help="Of the change (default: the newest).")
@click.option("--server", metavar="URL", help="The site that has the change (default: as for other commands).")
@click.option("--again", type=_DIRECTORY, help="What --keep left: run it again, with the files that are there now.")
@click.option("--dir", "directory", type=_DIRECTORY, default=".", help="The work tree (default: here).")
@click.option("--project", default="", help="Its name (default: as where it was cloned from, else its directory's).")
@click.option("--branch", default="", help="The branch that it is meant for (default: what its branch follows).")
@click.option("--pipeline", default="", help="As in this pipeline (default: the first that has the job).")
@click.option("--node", "label", default="", help="Run on nodes of this label instead of the job's.")
@click.option("--site", type=_DIRECTORY, help="With the labels of this machine's nodes that a site's gatebot.toml has.")
@click.option("--tenant-config", type=_FILE, help="A tenant file, where the shipped configuration is not what you use.")
@click.option("--tenant", "name", default="", help="Which tenant, of that file or of the site (default: the first).")
@click.option("--repos", type=_DIRECTORY, help="Where other projects are: DIR/PROJECT, git or plain files.")
@click.option("--plain-branch", default="main", show_default=True, help="The branch of projects without git.")
@click.option(
    "--sandbox", type=click.Choice([one.value for one in Sandbox]), default="auto", show_default=True,
    help="How the job is kept apart from this machine; 'none' only for what you wrote yourself.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Keep what the job leaves in its home: the workspace as it is at the end.")
@click.pass_obj
def run(
    out: Output, job: str | None, change: int | None, patch_set: int | None, server: str | None, again: Path | None,
    directory: Path, project: str, branch: str, pipeline: str, label: str, tenant_config: Path | None, name: str,
    repos: Path | None, plain_branch: str, sandbox: str, keep: bool, site: Path | None,
) -> None:  # fmt: skip
    """Run a job on this machine: of this work tree, or of a change.

    Without JOB: list the jobs. A work tree needs no server; its files count as they are, committed or not, but for what
    git ignores. A change is merged with all that it depends on onto the present tip of its branch, as the site does it,
    and nothing is queued there. Exits with 0 when the job succeeds, with 1 when it does not.
    """
    check_git()
    manner = Manner(Sandbox(sandbox), label, keep)
    if site is not None:
        manner = manner.of_site(site)
    if again is not None:
        sys.exit(run_here(out, lambda scratch: _again(again, scratch), manner))
    if change is not None:
        out = replace(out, url=server or out.url)
        asked = {"pipeline": pipeline, "tenant": name, "patch_set": str(patch_set or "")}
        found = of_change(out, change, job, {key: value for key, value in asked.items() if value}, manner)
        if found is not None:
            sys.exit(run_here(out, lambda scratch: fetched(out, found, scratch), manner))
        return
    host, origin = cloned_from(origin_of(directory))
    wish = solo.Wish(
        directory=directory.resolve(),
        project=project or origin or directory.resolve().name,
        branch=branch or branch_of(directory),
        tenant=tenant_of(tenant_config, name) if tenant_config is not None else None,
        repos=repos,
        plain_branch=plain_branch,
        host=manner.host or host or solo.HOST,
    )
    sys.exit(run_here(out, lambda scratch: _laid(out, solo.Ground.lay(wish, scratch), job, pipeline), manner))


def _again(kept: Path, scratch: Path) -> solo.Laid:
    laid, edited = handed.again(kept, scratch, HOME)
    given = laid.assignment
    say(
        f"{given.job.name} of {given.project} again, "
        + (f"with edits in {', '.join(edited)}" if edited else "as it was")
    )
    return laid


def _list(out: Output, ground: solo.Ground) -> None:
    wish = ground.wish
    found = runnable(ground.layout, wish.project, wish.branch)
    rows = [(name, ", ".join(pipelines)) for name, pipelines in found.items()]
    jobs = [{"name": name, "pipelines": pipelines} for name, pipelines in found.items()]
    nothing = reason("pipeline.no-jobs-here", project=wish.project, branch=wish.branch)
    out.table(jobs, rows, ("job", "pipelines"), words.say(nothing))


def _laid(out: Output, ground: solo.Ground, job: str | None, pipeline: str) -> solo.Laid | None:
    """The build, and a word about what it is and what it lacks; without a job, the list of those there are."""
    if not job:
        _list(out, ground)
        return None
    chosen = ground.choose(job, pipeline)
    laid = ground.assign(chosen)
    say(f"{job} of {ground.wish.project} on {ground.wish.branch}, as in {chosen.pipeline}")
    if chosen.errors:
        say(words.say(reason("pipeline.errors-beside", count=len(chosen.errors))))
        for line in told(chosen.errors, words.say).splitlines():
            say(f"  {line}")
    secrets = sorted({ref.secret for ref in used(chosen.job)})
    if secrets:
        say(words.say(reason("pipeline.secrets-not-here", secrets=", ".join(secrets))))
    return laid
