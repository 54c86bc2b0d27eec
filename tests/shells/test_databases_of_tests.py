# SPDX-License-Identifier: Apache-2.0
"""The databases that the tests are given are empty, writable, and each test's own."""

from __future__ import annotations

import pytest
import sqlalchemy


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_database_that_it_can_write(database_url: str, turn: int) -> None:
    engine = sqlalchemy.create_engine(database_url)
    assert sqlalchemy.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE turns (turn INTEGER)"))
        connection.execute(sqlalchemy.text("INSERT INTO turns VALUES (:turn)"), {"turn": turn})
        assert connection.execute(sqlalchemy.text("SELECT turn FROM turns")).scalar() == turn
    engine.dispose()
