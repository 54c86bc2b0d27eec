# SPDX-License-Identifier: Apache-2.0
"""A tenant: which projects there are, in which order, which are trusted, what they may say, and who rules it.

The order decides who owns the name of a job. Values only; `parse_tenants.py` reads them from a Zuul tenant file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...assignment import Json
from .model import Pattern
from .tables_connections import BUILT_IN

JOB_CLASSES = frozenset(
    {"pipeline", "job", "semaphore", "project", "project-template", "nodeset", "secret", "queue", "pragma"}
)
NODE_CLASSES = frozenset({"image", "flavor", "label", "section", "provider"})
CLASSES = JOB_CLASSES | NODE_CLASSES


@dataclass(frozen=True, slots=True)
class TenantProject:
    """One project of a tenant. `loads` are the kinds of objects that are taken from it; `shadows` whose jobs win.

    Branches of `dynamic_branches` are not read with the others: their configuration counts for changes to them alone.
    `configures` are the other projects that an untrusted one may have stanzas for, `connection` is the name that the
    tenant file gives to where it comes from.
    """

    name: str
    trusted: bool = False
    loads: frozenset[str] = CLASSES
    shadows: tuple[str, ...] = ()
    load_branch: str = ""
    base_jobs: bool = True
    reporter_jobs: bool = False
    implied_branch_matchers: bool | None = None
    include_branches: tuple[Pattern, ...] | None = None
    exclude_branches: tuple[Pattern, ...] = ()
    dynamic_branches: tuple[Pattern, ...] = ()
    configures: tuple[Pattern, ...] = ()
    extra_paths: tuple[str, ...] = ()
    exclude_unprotected_branches: bool | None = None
    exclude_locked_branches: bool | None = None
    connection: str = ""

    def loads_branch(self, branch: str) -> bool:
        """Whether configuration is read from a branch of an untrusted project."""
        if self.include_branches is not None:
            return _covered(self.include_branches, branch)
        return not _covered((*self.exclude_branches, *self.dynamic_branches), branch)

    def dynamic(self, branch: str) -> bool:
        """Whether configuration of a branch counts only for changes to it."""
        return _covered(self.dynamic_branches, branch) and not self.loads_branch(branch)

    def may_configure(self, other: TenantProject) -> bool:
        """Whether it may have stanzas for a project."""
        return self.trusted or other.name == self.name or (not other.trusted and _covered(self.configures, other.name))


def _covered(patterns: Iterable[Pattern], name: str) -> bool:
    return any(pattern.covers(name) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Rule:
    """An authorization rule: it holds for a person whose claims fit all of one of the `conditions`."""

    name: str
    conditions: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody may do: a permission is given, or given under conditions (`project`, `ref`)."""

    name: str
    permissions: Mapping[str, bool | Mapping[str, str]] = field(default_factory=dict[str, "bool | Mapping[str, str]"])


@dataclass(frozen=True, slots=True)
class Access:
    """Who sees and who rules a tenant, or the site (`api-root`)."""

    admin_rules: tuple[Rule, ...] = ()
    access_rules: tuple[Rule, ...] = ()
    role_mappings: tuple[tuple[Rule, tuple[Role, ...]], ...] = ()
    anonymous_read: bool = True
    realm: str = ""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Config projects first, then untrusted ones, each in order. `fail_closed` as DESIGN says; false is Zuul's way.

    `global_semaphores` are those that it shares with other tenants, with their sizes; limits of None are none.
    `connections` are the kinds of all connections by name, `others` those that lead to other Gerrits.
    `submit_types` are those of the review server, by project, and `site_labels` the node labels of the settings, as
    far as they are known.
    """

    name: str
    projects: tuple[TenantProject, ...] = ()
    default_parent: str = "base"
    max_nodes_per_job: int = 5
    max_job_timeout: int = 10_800
    max_dependencies: int | None = None
    max_changes_per_pipeline: int | None = None
    max_oidc_ttl: int = 10_800
    default_oidc_ttl: int = 3_600
    allowed_oidc_issuers: tuple[str, ...] = ()
    default_ansible_version: str = ""
    allowed_triggers: tuple[str, ...] | None = None
    allowed_reporters: tuple[str, ...] | None = None
    allowed_labels: tuple[Pattern, ...] = ()
    disallowed_labels: tuple[Pattern, ...] = ()
    use_nodepool: bool = True
    web_root: str = ""
    access: Access = field(default_factory=Access)
    global_semaphores: Mapping[str, int] = field(default_factory=dict[str, int])
    exclude_unprotected_branches: bool = False
    exclude_locked_branches: bool = False
    fail_closed: bool = True
    hosts: tuple[str, ...] = ()
    connections: Mapping[str, str] = field(default_factory=lambda: dict(BUILT_IN))
    submit_types: Mapping[str, str] = field(default_factory=dict[str, str])
    site_labels: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    def short(self, name: str) -> str:
        """A project's name without the host."""
        host, _, rest = name.partition("/")
        return rest if host in self.hosts and rest else name

    def allows_label(self, label: str) -> bool:
        """Whether jobs may ask for a node label."""
        if any(pattern.matches(label) for pattern in self.disallowed_labels):
            return False
        return not self.allowed_labels or any(pattern.matches(label) for pattern in self.allowed_labels)


def simple(name: str, config: tuple[str, ...], untrusted: tuple[str, ...]) -> Tenant:
    """The tenant of a site without a tenant file."""
    trusted = tuple(TenantProject(project, trusted=True) for project in config)
    return Tenant(name, trusted + tuple(TenantProject(project, loads=JOB_CLASSES) for project in untrusted))
