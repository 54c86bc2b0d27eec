# SPDX-License-Identifier: Apache-2.0
"""What counts for one item: its project's stanzas and templates, and the definitions of a job, parents first.

A definition counts when its branches fit what the item is on, or the branch that `override-checkout` names if the
definition's own repository has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...assignment import Json
from ...merging import merged
from ...reasons import reason
from .layout import Collected, Layout, Lost, On, fits
from .model import ConfigError, Location
from .nodesets import reached
from .objects import Parameter, ProjectPipeline, Variant
from .references import missing

# Zuul's built-in job that passes at once.
NOOP = Variant(
    "noop",
    Location("", "", ""),
    base=True,
    final=True,
    deduplicate=True,
    description="Succeeds at once; nothing is run.",
)

# Errors that take no job away: a playbook that wants the roles fails by itself.
_ONLY_TOLD = frozenset({"config.unknown-role-project"})


@dataclass(slots=True)
class Listing:
    """What the stanzas and templates of a project say about one pipeline, for one branch."""

    jobs: dict[str, list[Variant]] = field(default_factory=dict[str, list[Variant]])
    vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    fail_fast: bool | None = None
    debug: bool = False
    configured: bool = False
    errors: list[ConfigError] = field(default_factory=list[ConfigError])

    def add(self, part: ProjectPipeline) -> None:
        self.configured = True
        self.fail_fast = part.fail_fast if self.fail_fast is None else self.fail_fast
        self.debug = self.debug or part.debug
        for parameter in part.parameters:
            self.parameters.setdefault(parameter.name, parameter)
        for job in part.jobs:
            known = self.jobs.setdefault(job.name, [])
            if not any(job is other for other in known):
                known.append(job)


def listing(layout: Layout, pipeline: str, project: str, branch: str, containing: On = ()) -> Listing:
    """The jobs that a project lists for a pipeline, templates first, stanza by stanza, and what is missing of them.

    Of a tag `branch` is the full name, and `containing` are the branches that it is part of.
    """
    result, on = Listing(), (branch, *containing)
    for stanza in layout.stanzas.get(project, ()):
        if not fits(layout.stanza_matchers(stanza, project), on):
            continue
        for name in stanza.templates:
            _template(layout, name, (pipeline, project, on), result)
        result.vars = merged(result.vars, stanza.vars)
        if pipeline in stanza.pipelines:
            result.add(stanza.pipelines[pipeline])
    for key, lost in layout.lost.items():
        if _concerns(layout, key, project):
            result.errors += _lost(lost, on)
    return result


def _concerns(layout: Layout, key: str, project: str) -> bool:
    """Whether what was lost could have listed jobs for the project: its stanza, its own files, a config project's."""
    kind, _, name = key.partition(" ")
    if kind == "file":
        return name == project or layout.trusts(name)
    return kind == "project" and (name == project or name.startswith("^"))


def _template(layout: Layout, name: str, item: tuple[str, str, On], result: Listing) -> None:
    """Add what every template of a name says, or that it is missing."""
    pipeline, project, on = item
    result.errors += _lost(layout.lost.get(f"project-template {name}", ()), on)
    for template in layout.templates.get(name, ()):
        if pipeline in template.pipelines and fits(layout.stanza_matchers(template, project), on):
            result.add(template.pipelines[pipeline])
            result.vars = merged(result.vars, template.vars)
    if name not in layout.templates:
        result.errors += [
            error
            for error in layout.errors
            if error.reason.kind == "config.unknown-template" and error.reason.get("template") == name
        ]


def _lost(lost: Iterable[Lost], on: On) -> list[ConfigError]:
    return [error for one in lost if fits(one.branches, on) for error in one.errors]


def collect(layout: Layout, name: str, on: On, listed: Sequence[Variant]) -> Collected:
    """All definitions of a job and of its parents that count for an item. `listed` are the project's own additions."""
    overrides: dict[str, str] = {}
    for job in listed:
        _note_overrides(layout, job, overrides)
    return _collected(layout, name, on, overrides)


def _collected(
    layout: Layout, name: str, on: On, overrides: Mapping[str, str], asked: tuple[str, ...] = ()
) -> Collected:
    """The definitions of one job, looked for once; `asked` are the jobs whose definitions are being looked for."""
    key = (name, on, *sorted(overrides.items()))
    known = layout.collected.get(key)
    if known is None:
        walk = _Walk(layout, on, (*asked, name))
        if not walk.into(name, [], overrides):
            walk.found.without = walk.found.without or name
        known = layout.collected[key] = walk.found
    return known


def _note_overrides(layout: Layout, job: Variant, overrides: dict[str, str]) -> None:
    """Remember which branches a definition asks for; the empty name stands for all projects."""
    if job.override_checkout:
        overrides[""] = job.override_checkout
    for required in job.required_projects or ():
        if required.override_checkout:
            overrides[layout.tenant.short(required.project)] = required.override_checkout


class _Walk:
    """Up through the parents of one job."""

    def __init__(self, layout: Layout, on: On, asked: tuple[str, ...]) -> None:
        self.layout = layout
        self.on = on
        self.asked = asked
        self.found = Collected()

    def into(self, name: str, below: list[str], overrides: Mapping[str, str]) -> bool:
        """Add the definitions of a job behind those of its parents; False: none fits."""
        self.found.met.add(name)
        variants = [NOOP] if name == "noop" else self.layout.jobs.get(name, [])
        on = self._on(variants[0].at.project, overrides) if variants else self.on
        if self.layout.lost:
            keys = (f"job {name}", *(f"file {variant.at.project}" for variant in variants[:1]))
            self.found.errors += (error for key in keys for error in _lost(self.layout.lost.get(key, ()), on))
        mine = dict(overrides)
        matched = False
        for variant in variants:
            if not fits(self.layout.matchers(variant), on):
                continue
            parent = self._parent(variant)
            _note_overrides(self.layout, variant, mine)
            if parent and parent not in self.found.met:
                if not self._up(parent, [*below, name], mine):
                    self.found.without = self.found.without or parent
                    self.found.errors += self.layout.faults.get(id(variant), ())
                    if variant.parent is None and missing(self.layout, parent):
                        self.found.errors.append(_orphan(variant, parent))
                    return False
            elif parent in below:
                self.found.errors.append(_cycle(variant, parent))
            matched = True
            if not any(variant is other for other in self.found.variants):
                self.found.variants.append(variant)
                self.found.errors += unusable(self.layout, variant)
        return matched

    def _up(self, parent: str, below: list[str], overrides: Mapping[str, str]) -> bool:
        """Into a parent; what its other children have found there is taken, where it comes to the same."""
        if not self.found.variants and parent not in self.asked:
            known = _collected(self.layout, parent, self.on, overrides, self.asked)
            if known.met.isdisjoint(self.found.met):
                self.found.variants += known.variants
                self.found.errors += known.errors
                self.found.met |= known.met
                self.found.without = self.found.without or known.without
                return not known.without
        return self.into(parent, below, overrides)

    def _on(self, owner: str, overrides: Mapping[str, str]) -> On:
        """What the definitions of a project are matched with."""
        wanted = overrides.get(owner) or overrides.get("")
        return (wanted,) if wanted and wanted in self.layout.sources.branches.get(owner, ()) else self.on

    def _parent(self, variant: Variant) -> str:
        """The parent of a definition; the tenant's default only for the first definition of all."""
        if variant.base:
            return ""
        return variant.parent or ("" if self.found.variants else self.layout.tenant.default_parent)


def unusable(layout: Layout, variant: Variant) -> Iterator[ConfigError]:
    """What of a definition that is in the layout leads nowhere, or is not acted on by gatebot."""
    faults = layout.faults.get(id(variant), ())
    yield from (fault for fault in faults if fault.reason.kind not in _ONLY_TOLD)
    yield from variant.refused
    if variant.nodeset is not None:
        for nodeset in reached(layout.nodesets, variant.nodeset):
            yield from nodeset.refused


def _orphan(variant: Variant, parent: str) -> ConfigError:
    """The tenant's default parent is not there; a definition that names its parent has that error already."""
    return ConfigError(
        reason("config.unknown-parent", job=variant.name, parent=parent), variant.at, f"job {variant.name}"
    )


def _cycle(variant: Variant, parent: str) -> ConfigError:
    return ConfigError(
        reason("config.parent-cycle", job=variant.name, parent=parent), variant.at, f"job {variant.name}"
    )
