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
from ..executor.files.ageing import Policy
from ..executor.files.keeping import Keeper
from ..executor.files.objects import Objects
from ..executor.files.service import BuildFiles
from ..executor.logs import Logs, error_rules
from ..executor.model import Sizes
from ..executor.ports import Builds
from ..executor.service import Executor
from ..front import Health, Sign
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
    around = providing.Around(
        prepared.directory, prepared.images, host.split(":")[0], partial(settings_text.resolve, settings)
    )
    return assembly.executor(
        prepared,
        reports=results,
        sources=Stores(repositories),
        clock=clock,
        host=host.split(":")[0],
        mirrors=settings.network.mirrors or None,
        git_server=(host,),
        slots=settings.executor.slots or None,
        patience=settings.executor.alternatives_after * 60.0,
        sizes=sizes,
        providers=providing.sources(settings.providers, around),
        rules=rules,
    )


def files_of(
    settings: Settings, logs: Logs, builds: Builds, results: Results, clock: Clock
) -> tuple[BuildFiles, Keeper]:
    """What builds leave, and who looks after it; ended builds' files go to the far store that is set."""
    policy = Policy(
        settings.logs.keep_days, settings.logs.keep_failed_days, settings.logs.keep_artifacts_days,
        settings.logs.max_total,
    )  # fmt: skip
    if settings.logs.store:
        secret = settings.logs.store_credentials
        file = Path(settings_text.resolve(settings, secret)) if secret else None
        logs.shelf.far = Objects(settings.logs.store, settings.logs.store_endpoint, file)
    files = BuildFiles(logs, builds, policy)
    return files, Keeper(files, builds, results.holds.every, policy, clock)


def sign_of(keeper: Keeper) -> Health:
    """Whether files of builds wait because the far store does not take them; nothing is lost meanwhile."""

    async def sign() -> Sign:
        if not keeper.trouble:
            return Sign("logs", True, "kept", vital=False)
        told = f"the files of {keeper.waiting} builds stay here until the store takes them ({keeper.trouble})"
        return Sign("logs", False, told, vital=False)

    return sign
