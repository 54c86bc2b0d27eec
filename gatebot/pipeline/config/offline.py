# SPDX-License-Identifier: Apache-2.0
"""A tenant's configuration without a server: a tenant file, and repositories below a directory.

Nothing here writes. The site's settings are not known; so the host that names of projects may begin with is the one
that the configuration itself uses for the tenant's projects.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ... import words
from ...errors import Invalid, NotFound
from ...reasons import reason
from .build import build
from .check import new_errors, told
from .directories import Directories
from .layout import Layout
from .loader import Loader, Proposal
from .model import ConfigError
from .parse_tenants import parse_tenants
from .tenant import Tenant

_PROJECTS = frozenset({"config.unknown-project", "config.unknown-required-project", "config.unknown-role-project"})


def tenant_of(file: Path, name: str = "") -> Tenant:
    """One tenant of a tenant file: the one of the name, else the only one or the first."""
    tenants, errors = parse_tenants(file.read_bytes(), str(file))
    found = next((tenant for tenant in tenants if name in ("", tenant.name)), None)
    if found is not None and not errors:
        return found
    if errors:
        raise Invalid(told(errors, words.say))
    raise NotFound(
        reason=reason("pipeline.no-such-tenant", tenant=name, tenants=", ".join(one.name for one in tenants))
    )


def layout_of(tenant: Tenant, directory: Path, branch: str = "master", over: Path | None = None) -> Layout:
    """The layout of a tenant whose repositories are below a directory, or, where they are there, below `over`."""
    layout = Loader(Directories(directory, branch, over)).load(tenant)
    hosts = tuple(dict.fromkeys(_host(layout, error) for error in layout.errors))
    wanted = tuple(host for host in hosts if host)
    return layout if not wanted else build(replace(tenant, hosts=(*tenant.hosts, *wanted)), layout.sources)


def proposed_of(tenant: Tenant, directory: Path, branch: str, over: Path) -> tuple[Layout, Proposal]:
    """The layout without a change, and what the change proposes whose projects are below `over`.

    As on a server, what it alters in config projects is checked and not used.
    """
    base, whole = layout_of(tenant, directory, branch), layout_of(tenant, directory, branch, over)
    sources = base.sources
    for (project, at), files in whole.sources.files.items():
        if not base.trusts(project) and files != base.sources.files.get((project, at), ()):
            sources = sources.replaced(project, at, files)
    layout = base if sources is base.sources else build(whole.tenant, sources)
    return base, Proposal(layout, new_errors(base.errors, whole.errors))


def _host(layout: Layout, error: ConfigError) -> str:
    """The host before the name of a project that is the tenant's; "" if the error is about something else."""
    host, _, rest = str(error.reason.get("project")).partition("/")
    return host if error.reason.kind in _PROJECTS and "." in host and rest in layout.projects else ""
