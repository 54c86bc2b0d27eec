# SPDX-License-Identifier: Apache-2.0
"""Freezing: which jobs one item of a pipeline runs, in full detail, and why the others of its list do not run.

Fail closed: when something that this item needs was left out of the layout or is not acted on by gatebot, the graph has
errors and the item must not pass. What is missing elsewhere does not matter here. Pure, some milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...assignment import FrozenJob, Json
from ...merging import merged
from ...reasons import Reason, reason
from .collect import collect, listing, unusable
from .draft import Draft, Forbidden
from .drafting import drafted
from .fields import located
from .frozen import frozen_job
from .graph import Candidate, connect
from .layout import Collected, Layout, On, fits
from .matching import Call, Changed, altered_file, call, matchers
from .model import ConfigError, FrozenGraph, Location, PipelineConfig, Skipped
from .objects import Variant
from .parameters import values
from .references import listing_problems
from .yamltext import Problem


def freeze(
    layout: Layout,
    pipeline: str,
    project: str,
    branch: str,
    *,
    files: Iterable[str] | None = None,
    previous: Layout | None = None,
    parameters: Mapping[str, Json] | None = None,
    containing: On = (),
) -> FrozenGraph:
    """The jobs of an item. `branch` is a branch, or the full name of a tag, which is part of the branches `containing`.

    `files` None: not known, file matchers say nothing. `previous` is the layout without the item's own change: jobs
    that differ there run whatever files say. `parameters` are those of a manual enqueue.
    """
    configured = layout.pipelines.get(pipeline)
    listed = listing(layout, pipeline, project, branch, containing)
    if configured is None or not (listed.configured or listed.errors):
        return FrozenGraph(configured=False)
    previous = previous if previous is not layout else None
    item = _Item(layout, configured, project, (branch, *containing), files, previous)
    given = merged(listed.vars, values(listed.parameters.values(), parameters or {}))
    found = [item.job(name, variants, given) for name, variants in listed.jobs.items()]
    candidates = {result.draft.name: result for result in found if isinstance(result, Candidate)}
    graph = connect(candidates.values())
    errors = list(listed.errors if layout.tenant.fail_closed else ())
    for result in found:
        if isinstance(result, tuple):
            errors += result
        elif isinstance(result, Candidate) and result.draft.name in graph.runs:
            errors += result.errors
    errors += [item.error(candidates[name].listed, why) for name, why in graph.errors]
    return FrozenGraph(
        jobs=tuple(item.frozen(candidates[name].draft) for name in graph.runs),
        why=graph.runs,
        matchers={name: matchers(candidates[name].draft) for name in graph.runs},
        skipped=(*(result for result in found if isinstance(result, Skipped)), *graph.skipped),
        errors=tuple(dict.fromkeys(errors)),
        fail_fast=bool(listed.fail_fast),
    )


def participates(layout: Layout, pipeline: str, project: str, branch: str, containing: On = ()) -> bool:
    """Whether a project has anything to do with a pipeline on a branch or tag, be it only an error."""
    listed = listing(layout, pipeline, project, branch, containing)
    return pipeline in layout.pipelines and (listed.configured or bool(listed.errors))


class _Item:
    """One item, as far as freezing is concerned."""

    def __init__(
        self,
        layout: Layout,
        pipeline: PipelineConfig,
        project: str,
        on: On,
        files: Iterable[str] | None,
        previous: Layout | None,
    ) -> None:
        self.layout = layout
        self.pipeline = pipeline
        self.project = project
        self.on = on
        self.branch = on[0]
        self.changed = Changed(files)
        self.previous = previous
        self._old: FrozenGraph | None = None

    def job(
        self, name: str, listed: list[Variant], project_vars: Mapping[str, Json]
    ) -> Candidate | Skipped | tuple[ConfigError, ...]:
        """One job of the list: a candidate, or why not."""
        here = [job for job in listed if fits(self.layout.matchers(job), self.on)]
        if not here:
            return Skipped(name, reason("config.skip-not-listed", job=name, branch=self.branch))
        found = collect(self.layout, name, self.on, here)
        errors = self._left_out(found, here)
        if found.without and not errors:
            kind = "config.skip-no-variant" if found.without == name else "config.skip-no-parent"
            return Skipped(name, reason(kind, job=name, parent=found.without, branch=self.branch))
        if not found.variants or found.without:
            return tuple(errors)
        try:
            draft = drafted(self.layout, name, found.variants, here, project_vars)
        except Forbidden as refusal:
            return (*errors, self.error(here[0], refusal.why))
        errors += [self.error(here[0], why) for why in self._forbids(draft, here)]
        return Candidate(draft, here[0], self._call(draft), tuple(errors))

    def frozen(self, draft: Draft) -> FrozenJob:
        """The job that a draft comes to; made once for a layout, and only of jobs that somebody asks for."""
        known = self.layout.frozen.get(id(draft))
        if known is None:
            known = self.layout.frozen[id(draft)] = frozen_job(self.layout, draft)
        return known

    def _left_out(self, found: Collected, here: list[Variant]) -> list[ConfigError]:
        """Errors of definitions that are missing or that gatebot does not act on."""
        if not self.layout.tenant.fail_closed:
            return []
        return [*found.errors, *(error for variant in here for error in unusable(self.layout, variant))]

    def _forbids(self, draft: Draft, here: list[Variant]) -> Iterable[Reason]:
        """Why a job as it is now may not run in this item; of no matter if it does not run."""
        by_config_project = any(self.layout.trusts(job.at.project) for job in here)
        if draft.abstract:
            yield reason("config.abstract-job", job=draft.name)
        elif (
            not by_config_project and draft.allowed_projects is not None and self.project not in draft.allowed_projects
        ):
            kept, named = draft.kept_at not in ("", self.project), {"job": draft.name, "project": self.project}
            yield (
                reason("config.secret-stays-at-home", owner=draft.kept_at, **named)
                if kept
                else reason("config.project-not-allowed", **named)
            )
        elif draft.post_review and not self.pipeline.post_review:
            yield reason("config.post-review-job", job=draft.name, pipeline=self.pipeline.name)
        elif not draft.run and draft.name != "noop":
            yield reason("config.nothing-to-run", job=draft.name)
        yield from listing_problems(self.layout, draft, here)

    def _call(self, draft: Draft) -> Call:
        """Whether the changed files call for the job, or else what the change alters of it."""
        found = call(draft, self.changed)
        if found.runs or not draft.match_on_config_updates:
            return found
        if path := altered_file(draft, self.project, self.changed.paths):
            return Call(True, reason("config.run-altered-file", job=draft.name, file=path))
        return Call(True, reason("config.run-altered", job=draft.name)) if self._altered(draft) else found

    def _altered(self, draft: Draft) -> bool:
        """Whether the job is new, or its definition is another one, by the item's own change."""
        if self.previous is None:
            return False
        if self._old is None:
            self._old = freeze(self.previous, self.pipeline.name, self.project, self.branch, containing=self.on[1:])
        before = {job.name: replace(job, description="") for job in self._old.jobs}
        return not self._old.errors and before.get(draft.name) != replace(self.frozen(draft), description="")

    def error(self, listed: Variant, why: Reason) -> ConfigError:
        """An error that shows where the project lists the job."""
        at = listed.at
        files = self.layout.sources.files.get((at.project, at.branch), ())
        lines = next((file.lines for file in files if file.at.path == at.path), ())
        return located(Problem(at.line, why), Location(at.project, at.branch, at.path), f"job {listed.name}", lines)
