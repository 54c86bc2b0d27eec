# SPDX-License-Identifier: Apache-2.0
"""The schema that migrations make is the one that the tables describe, up and down, on both engines."""

from __future__ import annotations

import importlib
import pkgutil

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import gatebot
from gatebot import db, db_engines, identity, journal


def every_table() -> sa.MetaData:
    """The metadata after every module that defines tables was imported."""
    for module in pkgutil.walk_packages(gatebot.__path__, "gatebot."):
        if module.name.rpartition(".")[2] in ("autohold", "joining", "journal", "links", "mentions", "store", "tables"):
            importlib.import_module(module.name)
    assert identity.Account
    assert journal.Entry
    return db.metadata


def described(name: str | None, kind: str, _parents: object) -> bool:
    """Everything but search indexes, which are SQLite's own kind of table and cannot be described."""
    return not (kind == "table" and name is not None and "_search" in name)


def engine_for(url: str) -> sa.Engine:
    """An engine as migrations use it."""
    return db_engines.migration_engine(db.parse_url(url))


def test_the_tables_and_the_migrations_agree(migrated_url: str) -> None:
    metadata = every_table()
    engine = engine_for(migrated_url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": described})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_migrating_twice_changes_nothing(migrated_url: str) -> None:
    before = sorted(sa.inspect(engine := engine_for(migrated_url)).get_table_names())
    db.migrate(migrated_url)
    assert sorted(sa.inspect(engine).get_table_names()) == before
    engine.dispose()


def test_every_migration_can_be_taken_back_and_made_again(database_url: str) -> None:
    db.migrate(database_url)
    engine = engine_for(database_url)
    with engine.begin() as connection:
        config = db.migration_config(connection)
        command.downgrade(config, "base")
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    db.migrate(database_url)


def test_migrations_stand_in_one_line() -> None:
    script = ScriptDirectory.from_config(script_config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def script_config() -> Config:
    """Alembic's configuration without a connection."""
    return db.migration_config(None)
