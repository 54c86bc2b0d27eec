# SPDX-License-Identifier: Apache-2.0
"""A job while its definitions are put on top of each other: parent first, then variants in order, then the project's.

What a definition says replaces, or is added to, what is there, attribute by attribute; rules that forbid a change
(`final`, `protected`, `attribute-control`, `intermediate`) raise `Forbidden`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...assignment import JobDependency, Json, Playbook, RequiredProject
from ...reasons import Reason, reason
from .layout import Layout
from .model import Pattern
from .objects import Nodeset, PlaybookRef, SecretUse, Variant

# Attributes that say whether and when a job runs; a final or protected job may still be given them.
_CONTEXT = {
    *("voting", "hold-following-changes", "failure-message", "success-message", "files", "irrelevant-files"),
    *("match-on-config-updates", "deduplicate", "tags", "provides", "requires", "dependencies"),
}
_FLAGS = {"final", "abstract", "protected", "intermediate"}
_REPLACED = (
    *("nodeset", "timeout", "pre_timeout", "post_timeout", "attempts", "voting", "match_on_config_updates"),
    *("override_checkout", "hold_following_changes", "success_message", "failure_message", "ansible_version"),
    "inputs",
)


class Forbidden(Exception):
    """A definition may not be put on top of this job."""

    def __init__(self, why: Reason, at: Variant) -> None:
        super().__init__(why.kind)
        self.why = why
        self.at = at


@dataclass(slots=True)
class Draft:
    """The sum of the definitions so far. `sources` are those definitions, `parents` the names they had, in order."""

    name: str = ""
    sources: list[Variant] = field(default_factory=list[Variant])
    parents: list[str] = field(default_factory=list[str])
    run: tuple[Playbook, ...] = ()
    pre_run: tuple[Playbook, ...] = ()
    post_run: tuple[Playbook, ...] = ()
    cleanup_run: tuple[Playbook, ...] = ()
    nodeset: str | Nodeset | None = None
    timeout: int | None = None
    pre_timeout: int | None = None
    post_timeout: int | None = None
    attempts: int = 3
    voting: bool = True
    files: tuple[Pattern, ...] = ()
    irrelevant_files: tuple[Pattern, ...] = ()
    match_on_config_updates: bool = True
    dependencies: tuple[JobDependency, ...] = ()
    required_projects: dict[str, RequiredProject] = field(default_factory=dict[str, RequiredProject])
    override_checkout: str = ""
    vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    roles: tuple[str, ...] = ()
    semaphores: tuple[str, ...] = ()
    failure_output: tuple[str, ...] = ()
    secrets: tuple[SecretUse, ...] = ()
    tags: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    ansible_version: str = ""
    success_message: str = ""
    failure_message: str = ""
    hold_following_changes: bool = False
    post_review: bool = False
    allowed_projects: frozenset[str] | None = None
    final: bool = False
    abstract: bool = False
    intermediate: bool = False
    protected_by: str = ""
    finals: frozenset[str] = frozenset()

    def apply(self, layout: Layout, of: Variant) -> None:
        """Put one definition on top."""
        if self.sources:
            self._check(of)
        self._flags(of)
        self.finals |= of.finals
        for name in _REPLACED:
            value = getattr(of, name)
            if value is not None:
                setattr(self, name, value)
        self._playbooks(layout, of)
        self._lists(of)
        self._projects(layout, of)
        if of.vars is not None:
            self.vars = of.vars if "vars" in of.overrides else merged(self.vars, of.vars)
        self.sources.append(of)
        if not self.parents or self.parents[-1] != of.name:
            self.parents.append(of.name)
        self.name = of.name

    def _check(self, of: Variant) -> None:
        """Refuse what the definitions so far do not allow."""
        # A definition brings its own repository's roles with it, so it always changes what runs.
        for attribute in of.said if of.in_project else (*of.said, "roles"):
            if attribute in self.finals:
                raise Forbidden(reason("config.final-attribute", job=self.name, attribute=attribute), of)
            if attribute in _CONTEXT or attribute in _FLAGS:
                continue
            if self.final:
                raise Forbidden(reason("config.final-job", job=self.name, attribute=attribute), of)
            if self.protected_by and self.protected_by != of.at.project:
                raise Forbidden(reason("config.protected-job", job=self.name, project=self.protected_by), of)
        if self.intermediate and not of.abstract:
            raise Forbidden(reason("config.intermediate-job", job=self.name), of)
        if of.protected is False and self.protected_by:
            raise Forbidden(reason("config.protected-unset", job=self.name), of)

    def _flags(self, of: Variant) -> None:
        """`final` and `abstract` begin anew with each job that inherits; variants can only set the latter."""
        inherits = bool(self.sources) and of.name != self.name
        if of.final:
            self.final = True
        self.abstract = bool(of.abstract) if inherits else self.abstract or bool(of.abstract)
        self.intermediate = bool(of.intermediate) if inherits else self.intermediate or bool(of.intermediate)
        if of.protected and not self.protected_by:
            self.protected_by = of.at.project

    def _playbooks(self, layout: Layout, of: Variant) -> None:
        """`run` is replaced, `pre-run` grows behind, `post-run` and `cleanup-run` in front."""

        def books(references: tuple[PlaybookRef, ...]) -> tuple[Playbook, ...]:
            trusted = layout.trusts(of.at.project)
            return tuple(Playbook(of.at.project, of.at.branch, book.path, trusted) for book in references)

        if of.run is not None:
            self.run = books(of.run)
        self.pre_run += books(of.pre_run or ())
        self.post_run = books(of.post_run or ()) + self.post_run
        self.cleanup_run = books(of.cleanup_run or ()) + self.cleanup_run

    def _lists(self, of: Variant) -> None:
        if of.files is not None:
            self.files = (*self.files, *of.files) if "files" in of.inherits else of.files
        if of.irrelevant_files is not None:
            inherit = "irrelevant-files" in of.inherits
            self.irrelevant_files = (*self.irrelevant_files, *of.irrelevant_files) if inherit else of.irrelevant_files
        if of.dependencies is not None:
            together = (*self.dependencies, *of.dependencies) if "dependencies" in of.inherits else of.dependencies
            self.dependencies = tuple(dict.fromkeys(together))
        if of.tags is not None:
            self.tags = _union(() if "tags" in of.overrides else self.tags, of.tags)
        if of.failure_output is not None:
            before = () if "failure-output" in of.overrides else self.failure_output
            self.failure_output = tuple(sorted({*before, *of.failure_output}))
        self.semaphores = tuple(sorted({*self.semaphores, *(of.semaphores or ())}))
        self.secrets = (*self.secrets, *(of.secrets or ()))
        self.post_review = self.post_review or bool(of.post_review)

    def _projects(self, layout: Layout, of: Variant) -> None:
        """Required and allowed projects, roles: all by the project's own name."""
        if of.required_projects is not None:
            before = {} if "required-projects" in of.overrides else self.required_projects
            named = {layout.tenant.short(required.project): required for required in of.required_projects}
            self.required_projects = {
                **before,
                **{name: RequiredProject(name, required.override_checkout) for name, required in named.items()},
            }
        if of.allowed_projects is not None:
            allowed = frozenset(layout.tenant.short(name) for name in of.allowed_projects)
            self.allowed_projects = allowed if self.allowed_projects is None else self.allowed_projects & allowed
        if of.secrets and not layout.trusts(of.at.project) and not self.post_review:
            # Strangers could run it on an unreviewed change, or reach its secret by Depends-On.
            self.post_review = True
            own = frozenset({of.at.project})
            self.allowed_projects = own if self.allowed_projects is None else self.allowed_projects & own
        named_roles = tuple(layout.tenant.short(name) for name in of.roles or ())
        implicit = () if of.in_project else (of.at.project,)
        self.roles = _union((*implicit, *named_roles), self.roles)


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def merged(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """Two mappings of variables: mappings are merged, everything else is replaced."""
    result = {key: value for key, value in below.items() if key not in above}
    for key, value in above.items():
        before = below.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            result[key] = merged(before, value)
        else:
            result[key] = value
    return result
