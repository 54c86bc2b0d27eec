# SPDX-License-Identifier: Apache-2.0
"""What tests of every ring may ask for: a clock that stands still, and an empty or a migrated database.

A test that takes `database_url` or `migrated_url` runs twice: on SQLite and on PostgreSQL. Whole rooms take `room_url`:
their stories run on SQLite, and one in three also on PostgreSQL, all of them with GATEBOT_ENGINES=all. What each
statement does on either engine is asked of the stores. The cluster is started by the first test that needs it, one
for each worker of pytest-xdist.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes.clock import FakeClock
from tests.fakes.postgres import Cluster, find_programs
from tests.programs import leave_out

# Importing makes many objects and no garbage: to look for some takes a third of the time of collecting tests.
gc.disable()

# How fast a machine is says nothing about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

ENGINES = ("sqlite", "postgresql")
#: Of so many stories of a whole room one is told on PostgreSQL too.
ONE_STORY_IN = 3
#: Tests of half a minute and more. They begin first, or one worker is still at them when the others are done.
LONGEST = frozenset({"test_zuul_roles", "test_wheel", "test_job_library", "test_hostile", "test_tour", "test_kills"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the stories of whole rooms out that are not told on PostgreSQL: always the same ones, by their names."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)
    if os.environ.get("GATEBOT_ENGINES") == "all":
        return
    told_once = [item for item in items if on_postgresql(item) and crc32(item.nodeid.encode()) % ONE_STORY_IN]
    if told_once:
        config.hook.pytest_deselected(items=told_once)
        items[:] = [item for item in items if item not in set(told_once)]


def pytest_collection_finish() -> None:
    """Have garbage collected again, but not looked for in what is there now."""
    gc.enable()
    gc.collect()
    gc.freeze()


def on_postgresql(item: pytest.Item) -> bool:
    """Whether this is a story of a whole room on PostgreSQL."""
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("room_url") == "postgresql"


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A running PostgreSQL of this test process."""
    programs = find_programs()
    if programs is None:
        leave_out("PostgreSQL", "postgresql")
    cluster = Cluster(programs)
    yield cluster
    cluster.close()


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of the test's own, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'gatebot.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, made once, to be copied."""
    from gatebot import db

    path = tmp_path_factory.mktemp("schema") / "gatebot.db"
    db.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_cluster: Cluster) -> str:
    """The name of a PostgreSQL database with the newest schema, made once, to be a template."""
    from gatebot import db

    name = postgres_cluster.create()
    db.migrate(postgres_cluster.url(name))
    return name


@pytest.fixture(params=ENGINES)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of the test's own with the newest schema and no rows, on each engine."""
    yield from migrated(request, tmp_path)


@pytest.fixture(params=ENGINES)
def room_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same for a whole room, whose stories are not all told on PostgreSQL."""
    yield from migrated(request, tmp_path)


def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database on the engine that the fixture's parameter names; it is dropped afterwards."""
    if request.param == "sqlite":
        path = tmp_path / "gatebot.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = cluster.create(request.getfixturevalue("migrated_postgres"))
    yield cluster.url(name)
    cluster.drop(name)
