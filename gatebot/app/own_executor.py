# SPDX-License-Identifier: Apache-2.0
"""The executor of this process, where it runs jobs, and the logs of builds, which are served in any case.

It is made of the settings, and nothing runs here yet. What all executors have in common is in `executor/assembly.py`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from .. import settings as settings_text
from ..clock import Clock
from ..executor import assembly, providing
from ..executor.logs import Logs, error_rules
from ..executor.model import Sizes
from ..executor.service import Executor
from ..pipeline.results import Results
from ..repo import Repositories
from ..settings import Settings
from .places import Places


class Stores:
    """Where the executor fetches from: in one process, the bare repositories themselves."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def locate(self, store: str, build: str) -> str:
        """The path of a store."""
        return str(self._repositories.store_path(store))


def executor_of(
    prepared: assembly.Prepared | None,
    settings: Settings,
    places: Places,
    repositories: Repositories,
    results: Results,
    clock: Clock,
) -> tuple[Executor | None, Logs]:
    """The executor of this process, if it runs jobs, and the logs of builds, which are served in any case."""
    sizes = Sizes(settings.logs.max_log, settings.logs.max_artifacts)
    own = settings.logs.error_rules
    rules = error_rules(Path(settings_text.resolve(settings, own)) if own else None)
    if prepared is None:
        return None, Logs(places.builds, clock, sizes, rules)
    host = settings.url.split("://", 1)[1].split("/")[0]
    around = providing.Around(prepared.directory, host.split(":")[0], partial(settings_text.resolve, settings))
    return assembly.executor(
        prepared,
        reports=results,
        sources=Stores(repositories),
        clock=clock,
        host=host.split(":")[0],
        mirrors=settings.network.mirrors or None,
        git_server=(host,),
        slots=settings.executor.slots or None,
        sizes=sizes,
        providers=providing.sources(settings.providers, around),
        rules=rules,
    )
