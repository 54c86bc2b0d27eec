# SPDX-License-Identifier: Apache-2.0
"""Loading a tenant's configuration from git: read by blob id, parsed once, laid out; also as a change proposes it.

Synchronous, and safe from one thread at a time. A first load takes a second of CPU for thousands of jobs, the one after
a change tens of milliseconds: the driver runs both by `asyncio.to_thread`, never on the loop. Pages stay
below a tenth of a second meanwhile (`bench/loading.py`); a process beside the server would win little, since what it
parsed has to be unpickled here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from .build import build
from .check import config_paths, new_errors, unread_roots
from .drafting import hand_on
from .layout import Layout, Sources
from .model import ConfigError, Location
from .objects import ConfigFile
from .parse import parse_file
from .ports import ConfigSource
from .tenant import Tenant, TenantProject

CACHED_FILES = 20_000
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Proposed:
    """The state that a change proposes for one branch: a commit, and the store that has it."""

    project: str
    branch: str
    store: str
    commit: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The layout that an item with proposed configuration uses, and the errors that it brings.

    Configuration of config projects is checked and not used before it is merged.
    """

    layout: Layout
    errors: tuple[ConfigError, ...] = ()


class Loader:
    """Loads layouts; what did not change since the last load is neither read nor parsed again."""

    def __init__(self, source: ConfigSource) -> None:
        self._source = source
        self._parsed: OrderedDict[_Key, ConfigFile] = OrderedDict()
        self._branches: dict[tuple[str, str, str], tuple[ConfigFile, ...]] = {}
        self._tips: dict[str, tuple[str, dict[str, str]]] = {}
        self._last: dict[str, Layout] = {}

    def load(self, tenant: Tenant, moved: Collection[str] | None = None) -> Layout:
        """The layout of what is merged. Its errors are in `layout.errors`; a project that is not there has no files.

        `moved` are the projects whose branches may be elsewhere than at the last load; None: all of them.
        """
        branches: dict[str, tuple[str, ...]] = {}
        files: dict[tuple[str, str], tuple[ConfigFile, ...]] = {}
        for project in tenant.projects:
            default, tips = self._look(project.name, moved)
            first = (default, *sorted(tips))
            branches[project.name] = names = tuple(dict.fromkeys(name for name in first if name in tips))
            wanted = names
            if project.trusted:
                wanted = tuple(name for name in names if name == (project.load_branch or names[0]))
            for name in wanted:
                if project.trusted or project.loads_branch(name):
                    files[project.name, name] = self._branch(tenant, project, name, project.name, tips[name])
        layout = build(tenant, Sources(branches, files))
        if (last := self._last.get(tenant.name)) is not None:
            hand_on(last, layout)
        self._last[tenant.name] = layout
        return layout

    def _look(self, project: str, moved: Collection[str] | None) -> tuple[str, dict[str, str]]:
        """The default branch of a project, and where each of its branches is."""
        known = self._tips.get(project)
        if known is None or moved is None or project in moved:
            tips = self._source.branches(project) if self._source.exists(project) else {}
            known = self._tips[project] = (self._source.default_branch(project) if tips else "", tips)
        return known

    def propose(self, base: Layout, changes: Sequence[Proposed]) -> Proposal:
        """The layout of a speculative state: the base with the branches that these changes alter."""
        used = checked = base.sources
        for project, branch, files in self._altered(base, changes):
            if files == checked.files.get((project.name, branch), ()):
                continue  # parsed files are shared, so this compares identities
            same = used is checked and not project.trusted
            checked = checked.replaced(project.name, branch, files)
            if not project.trusted:
                used = checked if same else used.replaced(project.name, branch, files)
        whole = base if checked is base.sources else _altered_layout(base, checked)
        layout = whole if used is checked else base if used is base.sources else _altered_layout(base, used)
        return Proposal(layout, new_errors(base.errors, whole.errors))

    def merged(self, base: Layout, changes: Sequence[Proposed]) -> Layout:
        """The layout as if the changes were merged: those of config projects count as well."""
        sources = base.sources
        for project, branch, files in self._altered(base, changes):
            sources = sources.replaced(project.name, branch, files)
        return base if sources is base.sources else _altered_layout(base, sources)

    def _altered(
        self, base: Layout, changes: Sequence[Proposed]
    ) -> Iterator[tuple[TenantProject, str, tuple[ConfigFile, ...]]]:
        """The branches that changes alter, as far as the tenant reads configuration from them, with their files."""
        for change in changes:
            project = base.project(change.project)
            if project is None:
                continue
            if project.trusted or project.loads_branch(change.branch) or project.dynamic(change.branch):
                files = self._branch(base.tenant, project, change.branch, change.store, change.commit)
                yield project, change.branch, files

    def _branch(
        self, tenant: Tenant, project: TenantProject, branch: str, store: str, commit: str
    ) -> tuple[ConfigFile, ...]:
        """The parsed configuration of a commit as a branch of a project."""
        key = (project.name, branch, commit)
        known = self._branches.get(key)
        if known is None:
            if len(self._branches) > CACHED_FILES:
                self._branches.clear()
            known = self._branches[key] = self._read(tenant, project, branch, store, commit)
        return known

    def _read(
        self, tenant: Tenant, project: TenantProject, branch: str, store: str, commit: str
    ) -> tuple[ConfigFile, ...]:
        blobs: dict[str, str] = {}
        for root in ("zuul.yaml", "zuul.d", ".zuul.yaml", ".zuul.d", *project.extra_paths):
            blobs.update(self._source.list_files(store, commit, root))
        paths, others = config_paths(blobs, project.extra_paths)
        at = Location(project.name, branch, "")
        files = tuple(self._file(tenant, replace(at, path=path), blobs[path], store, commit) for path in paths)
        return files + unread_roots(at, paths, others)

    def _file(self, tenant: Tenant, at: Location, blob: str, store: str, commit: str) -> ConfigFile:
        key = (at.project, at.branch, at.path, blob)
        known = self._parsed.get(key)
        if known is None:
            data = self._source.read_file(store, commit, at.path) or b""
            known = self._parsed[key] = parse_file(data, at, tenant.connections)
            if len(self._parsed) > CACHED_FILES:
                self._parsed.popitem(last=False)
        else:
            self._parsed.move_to_end(key)
        return known


def _altered_layout(base: Layout, sources: Sources) -> Layout:
    """The layout of a tenant with other files."""
    layout = build(base.tenant, sources)
    hand_on(base, layout)
    return layout
