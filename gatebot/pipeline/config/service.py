# SPDX-License-Identifier: Apache-2.0
"""The layouts of all tenants of a site, kept in memory and renewed when branches move.

`current` is instant; everything else may read git and take its time, so callers use `asyncio.to_thread`. What a tenant
is comes from outside, because projects are created while the server runs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from ...errors import NotFound
from .check import touches_config
from .layout import Layout
from .loader import Loader, Proposed
from .ports import ConfigSource
from .tenant import Tenant


class At(Protocol):
    """A commit, and the bare repository that has it."""

    @property
    def store(self) -> str: ...

    @property
    def commit(self) -> str: ...


class LoadedLayouts:
    """Layouts by tenant. `tenants` is asked again at every refresh."""

    def __init__(self, source: ConfigSource, tenants: Callable[[], Sequence[Tenant]]) -> None:
        self._loader = Loader(source)
        self._tenants = tenants
        self._lock = threading.Lock()
        self._layouts: dict[str, Layout] = {}

    def load(self) -> None:
        """Read everything: at start-up, and when tenants or projects changed."""
        with self._lock:
            self._layouts = {tenant.name: self._loader.load(tenant) for tenant in self._tenants()}

    def tenants(self) -> tuple[str, ...]:
        return tuple(self._layouts)

    def current(self, tenant: str) -> Layout:
        """The layout of what is merged; raises NotFound."""
        try:
            return self._layouts[tenant]
        except KeyError:
            raise NotFound(f"There is no tenant {tenant}.") from None

    def speculative(self, tenant: str, changed: Mapping[tuple[str, str], At]) -> Layout:
        """The layout with these branches at other commits; its `introduced` are the errors that they bring."""
        base = self.current(tenant)
        changes = [Proposed(project, branch, at.store, at.commit) for (project, branch), at in changed.items()]
        with self._lock:
            proposal = self._loader.propose(base, changes)
        if not proposal.errors:
            return proposal.layout
        return replace(proposal.layout, introduced=proposal.errors)

    def configures(self, tenant: str, project: str, files: Iterable[str]) -> bool:
        """Whether any of these files of a project is configuration of the tenant."""
        known = self.current(tenant).project(project)
        return known is not None and touches_config(files, known.extra_paths)

    def refresh(self, project: str) -> None:
        """Read again the tenants that have the project, as it is now or was before; unmoved branches cost little."""
        with self._lock:
            for tenant in self._tenants():
                old = self._layouts.get(tenant.name)
                if old is None or old.project(project) is not None or any(p.name == project for p in tenant.projects):
                    self._layouts = {**self._layouts, tenant.name: self._loader.load(tenant)}
