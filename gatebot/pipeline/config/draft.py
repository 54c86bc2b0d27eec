# SPDX-License-Identifier: Apache-2.0
"""A job while its definitions are put on top of each other: parent first, then variants in order, then the project's.

What a definition says replaces, or is added to, what is there, attribute by attribute; rules that forbid a change
(`final`, `protected`, `attribute-control`, `intermediate`) raise `Forbidden`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter

from ...assignment import IncludeVars, JobDependency, Json, Playbook, ProjectChoice, RequiredProject, SecretRef
from ...merging import merged
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
    *("ansible_split_streams", "deduplicate", "type", "workspace_scheme", "workspace_checkout", "image_build_name"),
    *("inputs", "arch", "execution"),
)
_REPLACING = attrgetter(*_REPLACED)
_VARIABLES = ("vars", "extra_vars", "host_vars", "group_vars")
_UNIONS = ("tags", "provides", "requires")


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
    sources: tuple[Variant, ...] = ()
    parents: tuple[str, ...] = ()
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
    include_projects: tuple[ProjectChoice, ...] | None = None
    exclude_projects: tuple[ProjectChoice, ...] | None = None
    override_checkout: str = ""
    vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    extra_vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    host_vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    group_vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    include_vars: tuple[IncludeVars, ...] = ()
    roles: tuple[str, ...] = ()
    nesting_of_roles: Mapping[str, int] = field(default_factory=dict[str, int])
    semaphores: dict[str, bool] = field(default_factory=dict[str, bool])
    failure_output: tuple[str, ...] = ()
    secret_exposure: str = ""
    tags: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    type: str = "regular"
    deduplicate: bool | str = "auto"
    workspace_scheme: str = "golang"
    workspace_checkout: bool | str = True
    image_build_name: str = ""
    preserve_home_paths: tuple[str, ...] = ()
    ansible_version: str = ""
    ansible_split_streams: bool = False
    success_message: str = ""
    failure_message: str = ""
    hold_following_changes: bool = False
    post_review: bool = False
    allowed_projects: frozenset[str] | None = None
    kept_at: str = ""  # the untrusted project whose secret it uses
    final: bool = False
    abstract: bool = False
    intermediate: bool = False
    protected_by: str = ""
    finals: frozenset[str] = frozenset()
    arch: str = ""
    execution: str = ""

    def apply(self, layout: Layout, of: Variant) -> None:
        """Put one definition on top."""
        if self.sources:
            self._check(of)
        self._flags(of)
        self.finals |= of.finals
        for name, value in zip(_REPLACED, _REPLACING(of), strict=True):
            if value is not None:
                setattr(self, name, value)
        self.post_review = self.post_review or bool(of.post_review)
        if of.secrets:
            self._secrets(layout, of, of.secrets)
        self._playbooks(layout, of)
        self._lists(of)
        self._projects(layout, of)
        self._variables(layout, of)
        self._semaphores(of)
        self.sources += (of,)
        if not self.parents or self.parents[-1] != of.name:
            self.parents += (of.name,)
        self.name = of.name

    def copy(self) -> Draft:
        """Another draft that begins as this one is; no value of a draft is altered in place."""
        return Draft(*_EVERYTHING(self))

    @property
    def books(self) -> tuple[Playbook, ...]:
        return (*self.pre_run, *self.run, *self.post_run, *self.cleanup_run)

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
        if of.secret_exposure and self.secret_exposure and of.secret_exposure != self.secret_exposure:
            raise Forbidden(reason("config.exposure-set", job=self.name, exposure=self.secret_exposure), of)

    def _flags(self, of: Variant) -> None:
        """`final` and `abstract` begin anew with each job that inherits; variants can only set the latter."""
        inherits = bool(self.sources) and of.name != self.name
        if of.final:
            self.final = True
        self.abstract = bool(of.abstract) if inherits else self.abstract or bool(of.abstract)
        self.intermediate = bool(of.intermediate) if inherits else self.intermediate or bool(of.intermediate)
        if of.protected and not self.protected_by:
            self.protected_by = of.at.project

    def _secrets(self, layout: Layout, of: Variant, uses: tuple[SecretUse, ...]) -> None:
        """Where secrets make a job one for after review, and whose projects may still run it.

        A secret that is passed to parents is given to their playbooks; those of projects that anybody may change
        before review could give it away. A secret of such a project itself could be reached by Depends-On as well,
        so the job stays at home.
        """
        passed = [SecretRef(use.name, use.secret, of.at.project) for use in uses if use.pass_to_parent]
        if passed:
            self.post_review = self.post_review or not all(book.trusted for book in self.books)
            for name in ("pre_run", "run", "post_run", "cleanup_run"):
                setattr(self, name, tuple(_given(book, passed) for book in getattr(self, name)))
        if not layout.trusts(of.at.project) and not self.post_review:
            self.post_review = True
            self._allow(frozenset({of.at.project}))
            self.kept_at = self.kept_at or of.at.project

    def _playbooks(self, layout: Layout, of: Variant) -> None:
        """`run` is replaced, `pre-run` grows behind, `post-run` and `cleanup-run` in front."""
        if of.run is not None:
            self.run = self._books(layout, of, of.run)
        if of.pre_run:
            self.pre_run += self._books(layout, of, of.pre_run)
        if of.post_run:
            self.post_run = self._books(layout, of, of.post_run) + self.post_run
        if of.cleanup_run:
            self.cleanup_run = self._books(layout, of, of.cleanup_run) + self.cleanup_run

    def _books(self, layout: Layout, of: Variant, references: tuple[PlaybookRef, ...]) -> tuple[Playbook, ...]:
        """The playbooks that a definition names: where it stands, with its secrets, inside those before it."""
        secrets = [SecretRef(use.name, use.secret, of.at.project) for use in of.secrets or ()]
        place, trusted, nesting = (of.at.project, of.at.branch), layout.trusts(of.at.project), len(self.sources)
        return tuple(
            _given(Playbook(*place, book.path, trusted, book.semaphores, (), book.cleanup, nesting), secrets)
            for book in references
        )

    def _lists(self, of: Variant) -> None:
        if of.files is not None:
            self.files = (*self.files, *of.files) if "files" in of.inherits else of.files
        if of.irrelevant_files is not None:
            inherit = "irrelevant-files" in of.inherits
            self.irrelevant_files = (*self.irrelevant_files, *of.irrelevant_files) if inherit else of.irrelevant_files
        if of.dependencies is not None:
            together = (*self.dependencies, *of.dependencies) if "dependencies" in of.inherits else of.dependencies
            self.dependencies = tuple(dict.fromkeys(together))
        for name in _UNIONS:
            if (more := getattr(of, name)) is not None:
                setattr(self, name, union(() if name in of.overrides else getattr(self, name), more))
        if of.failure_output is not None:
            before = () if "failure-output" in of.overrides else self.failure_output
            self.failure_output = tuple(sorted({*before, *of.failure_output}))
        if of.preserve_home_paths:
            self.preserve_home_paths = union(self.preserve_home_paths, of.preserve_home_paths)
        self.secret_exposure = self.secret_exposure or of.secret_exposure or ""

    def _projects(self, layout: Layout, of: Variant) -> None:
        """Required, included, excluded and allowed projects, roles: all by the project's own name."""
        short = layout.tenant.short
        if of.required_projects is not None:
            before = {} if "required-projects" in of.overrides else self.required_projects
            named = {short(required.project): required for required in of.required_projects}
            self.required_projects = {
                **before,
                **{name: RequiredProject(name, required.override_checkout) for name, required in named.items()},
            }
        for name in ("include", "exclude"):
            choices: tuple[ProjectChoice, ...] | None = getattr(of, f"{name}_projects")
            if choices is not None:
                so_far = () if f"{name}-projects" in of.overrides else getattr(self, f"{name}_projects") or ()
                mine = (replace(one, name=short(one.name)) for one in choices)
                setattr(self, f"{name}_projects", tuple(dict.fromkeys((*so_far, *mine))))
        if of.allowed_projects is not None:
            self._allow(frozenset(map(short, of.allowed_projects)))
        roles = (*(() if of.in_project else (of.at.project,)), *map(short, of.roles or ()))
        if roles:
            self.roles = union(roles, self.roles)
            self.nesting_of_roles = {**dict.fromkeys(roles, len(self.sources)), **self.nesting_of_roles}

    def _allow(self, projects: frozenset[str]) -> None:
        self.allowed_projects = projects if self.allowed_projects is None else self.allowed_projects & projects

    def _variables(self, layout: Layout, of: Variant) -> None:
        for name in _VARIABLES:
            if (more := getattr(of, name)) is not None:
                replaced = name.replace("_", "-") in of.overrides
                setattr(self, name, more if replaced else merged(getattr(self, name), more))
        if of.include_vars is not None:
            files = (
                replace(one, project=layout.tenant.short(one.project), trusted=layout.trusts(one.project))
                for one in of.include_vars
            )
            self.include_vars = tuple(
                dict.fromkeys((*(() if "include-vars" in of.overrides else self.include_vars), *files))
            )

    def _semaphores(self, of: Variant) -> None:
        """A semaphore is for the whole job or for a playbook of it, not for both."""
        if of.semaphores:
            self.semaphores = {**self.semaphores, **{use.name: use.resources_first for use in of.semaphores}}
        for name in self.semaphores:
            if any(name in book.semaphores for book in self.books):
                raise Forbidden(reason("config.semaphore-twice", semaphore=name), of)


_EVERYTHING = attrgetter(*(one.name for one in fields(Draft)))


def _given(book: Playbook, secrets: list[SecretRef]) -> Playbook:
    """A playbook with these secrets besides its own; of two of one name it keeps its own."""
    names = {secret.name for secret in book.secrets}
    more = tuple(secret for secret in secrets if secret.name not in names)
    return replace(book, secrets=book.secrets + more) if more else book


def union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))
