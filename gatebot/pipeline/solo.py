# SPDX-License-Identifier: Apache-2.0
"""One job of a layout for one build that no queue asked for: somebody runs it on a machine of theirs.

Pure. Which job is meant, in which pipeline, which repositories it reads, and the assignment an executor gets. The
build is never reported, so its ids mean nothing to anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..assignment import Assignment, Checkout, FrozenJob, NodeSpec
from ..reasons import Reason, reason
from .config.freeze import freeze
from .config.layout import Layout
from .config.model import ConfigError
from .workspace import Choose, Wanted, includes, wanted

_FIRST = ("check", "gate")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A frozen job and the pipeline that it is in. `errors` are those of other jobs there: a change would not pass."""

    pipeline: str
    job: FrozenJob
    post_review: bool
    errors: tuple[ConfigError, ...] = ()


@dataclass(frozen=True, slots=True)
class NotChosen:
    """Why a job cannot be run; `errors` are those of the configuration, where they are the cause."""

    why: Reason
    errors: tuple[ConfigError, ...] = ()


def runnable(layout: Layout, project: str, branch: str) -> dict[str, list[str]]:
    """The jobs that changes of a branch of a project run, each with its pipelines."""
    found: dict[str, list[str]] = {}
    for pipeline in by_habit(layout.pipelines):
        for job in freeze(layout, pipeline, project, branch).jobs:
            found.setdefault(job.name, []).append(pipeline)
    return found


def choose_job(layout: Layout, project: str, branch: str, name: str, pipeline: str = "") -> Chosen | NotChosen:
    """The job of this name as a change of the branch would run it, in the first pipeline that has it, or why not."""
    if pipeline and pipeline not in layout.pipelines:
        known = ", ".join(layout.pipelines) or "none"
        return NotChosen(reason("pipeline.no-such-pipeline-here", pipeline=pipeline, known=known))
    own = [error for error in layout.errors if error.at.project == project]
    errors = dict.fromkeys(own)
    for candidate in (pipeline,) if pipeline else by_habit(layout.pipelines):
        graph = freeze(layout, candidate, project, branch)
        job = next((one for one in graph.jobs if one.name == name), None)
        if job is not None:
            beside = tuple(dict.fromkeys((*own, *graph.errors)))
            return Chosen(candidate, job, layout.pipelines[candidate].post_review, beside)
        errors.update(dict.fromkeys(graph.errors))
    known = ", ".join(sorted(runnable(layout, project, branch))) or "none"
    why = reason("pipeline.no-such-job-here", job=name, project=project, branch=branch, known=known)
    return NotChosen(why, tuple(errors))


def on_label(job: FrozenJob, label: str) -> FrozenJob:
    """The job with all its nodes of another label; a job without nodes gets one."""
    nodes = tuple(replace(node, label=label) for node in job.nodes) or (NodeSpec(("node",), label),)
    return replace(job, nodes=nodes, alternatives=())


def read_by(job: FrozenJob, project: str, branch: str, choose: Choose) -> tuple[Wanted, ...]:
    """The branches of repositories that a build of the job reads."""
    own = Wanted(project, branch, required=includes(job, project, project, (project,)))
    return tuple(dict.fromkeys((*wanted(job, project, branch, choose, (project,)), own)))


def assignment(
    build: str,
    chosen: Chosen,
    tenant: str,
    project: str,
    branch: str,
    wants: Iterable[Wanted],
    commits: Mapping[tuple[str, str], str],
) -> Assignment:
    """What the executor is given. `commits` has one for every project and branch that is wanted."""
    found: dict[tuple[str, str], Checkout] = {}
    for one in wants:
        at = (one.project, one.branch)
        required = one.required or (at in found and found[at].required)
        found[at] = Checkout(one.project, one.branch, commits[at], one.project, required)
    return Assignment(
        build=build,
        buildset=build,
        item=build,
        fence=1,
        tenant=tenant,
        pipeline=chosen.pipeline,
        post_review=chosen.post_review,
        project=project,
        branch=branch,
        commit=commits[project, branch],
        job=chosen.job,
        checkouts=tuple(found.values()),
        attempt=chosen.job.attempts,  # a failing pre-run is what is to be seen, not to be tried again
        event_id=build,
    )


def by_habit(pipelines: Iterable[str]) -> list[str]:
    """The names of pipelines, those that people mean first."""
    return sorted(pipelines, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
