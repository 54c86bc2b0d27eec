# SPDX-License-Identifier: Apache-2.0
"""What tests of every ring may ask for: a clock that stands still, and an empty or a migrated database.

A test that takes `database_url` or `migrated_url` runs twice: on SQLite and on PostgreSQL. The cluster is started
by the first test that needs it, one for each worker of pytest-xdist.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes.clock import FakeClock
from tests.fakes.postgres import Cluster, find_programs
from tests.programs import leave_out

# How fast a machine is says nothing about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

ENGINES = ("sqlite", "postgresql")


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
    if request.param == "sqlite":
        path = tmp_path / "gatebot.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = cluster.create(request.getfixturevalue("migrated_postgres"))
    yield cluster.url(name)
    cluster.drop(name)
