# SPDX-License-Identifier: Apache-2.0
"""The layouts of all tenants, for the parts that run pipelines: what is merged, and what an item proposes.

An adapter around the loader, which only one thread may use at a time. `current` and `tenants` answer from memory; the
rest reads repositories and blocks: call it by `asyncio.to_thread`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ..errors import Invalid
from ..reasons import reason
from .config.check import touches_config
from .config.layout import Layout
from .config.loader import Loader, Proposal, Proposed
from .config.tenant import Tenant
from .config.trial import Difference, differences, places
from .queue.model import Item, ItemChange

MOST_GRAPHS = 60_000
"""How many are compared for one asker: some tens of seconds of a processor."""

_REMEMBERED = 5000  # items, and what of them is configuration


class Layouts:
    """`tenants` tells which tenants there are and what they consist of; it is asked again at each `refresh`."""

    def __init__(self, loader: Loader, tenants: Callable[[], Sequence[Tenant]]) -> None:
        self._loader = loader
        self._tenants = tenants
        self._lock = threading.Lock()
        self._current: dict[str, Layout] = {}
        self.generation = 0
        """Another number after each refresh."""
        self._told: list[Callable[[], None]] = []
        self._configuring: dict[str, tuple[Layout, dict[str, list[ItemChange]]]] = {}

    def on_refresh(self, callback: Callable[[], None]) -> None:
        """Call back after each refresh, on the thread that refreshed."""
        self._told.append(callback)

    def refresh(self, moved: Collection[str] | None = None) -> None:
        """Read again what is merged, as far as it changed: in the projects that moved, or anywhere."""
        with self._lock:
            self._current = {tenant.name: self._loader.load(tenant, moved) for tenant in self._tenants()}
            self.generation += 1
        for callback in self._told:
            callback()

    @property
    def all(self) -> Mapping[str, Layout]:
        """The layouts of all tenants; another object after each refresh."""
        return self._current

    def tenants(self) -> tuple[str, ...]:
        return tuple(self._current)

    def current(self, tenant: str) -> Layout | None:
        """The layout of what is merged; None: no such tenant (any more)."""
        return self._current.get(tenant)

    def of_project(self, project: str) -> tuple[Layout, ...]:
        """The layouts of the tenants that a project belongs to."""
        return tuple(layout for layout in self._current.values() if project in layout.projects)

    def propose(self, layout: Layout, changes: Sequence[Proposed]) -> Proposal:
        """The layout with these branches at other commits, and the errors that this would bring."""
        if not changes:
            return Proposal(layout)
        with self._lock:
            return self._loader.propose(layout, changes)

    def configuring(self, layout: Layout, item: Item) -> list[ItemChange]:
        """The changes of an item that bring configuration: asked for all items ahead of each, so it is remembered."""
        tenant = layout.tenant.name
        of = self._configuring.get(tenant)
        if of is None or of[0] is not layout or len(of[1]) >= _REMEMBERED:
            of = self._configuring[tenant] = layout, {}
        if item.id not in of[1]:
            merging = (one for one in item.changes if not one.merged)
            of[1][item.id] = [one for one in merging if configures(layout, one.project, one.files, one.branch)]
        return of[1][item.id]

    def tried(self, layout: Layout, before: Proposed, after: Proposed) -> tuple[Difference, ...]:
        """What every graph gains and loses when a branch moves from one commit to the other, as if it were merged."""
        with self._lock:
            old, new = self._loader.merged(layout, [before]), self._loader.merged(layout, [after])
        if (graphs := len(places(old, new))) > MOST_GRAPHS:
            raise Invalid(reason=reason("pipeline.trial-too-large", graphs=graphs, most=MOST_GRAPHS))
        return tuple(differences(old, new))


def configures(layout: Layout, project: str, files: Iterable[str], branch: str = "") -> bool:
    """Whether any of these files of a project is configuration; on a dynamic branch, every change brings it along."""
    known = layout.project(project)
    return known is not None and (touches_config(files, known.extra_paths) or known.dynamic(branch))
