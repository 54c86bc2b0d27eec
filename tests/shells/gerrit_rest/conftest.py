# SPDX-License-Identifier: Apache-2.0
"""A review room whose REST calls are served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatebot.review.model import Change
from tests.fakes.rest_client import RestClient, served
from tests.fakes.review_house import ReviewHouse


@pytest.fixture
def house(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ReviewHouse]:
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    house = ReviewHouse(f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    yield house
    house.close()


@pytest.fixture
async def rest(house: ReviewHouse) -> AsyncIterator[RestClient]:
    async with served(house) as client:
        yield client


@pytest.fixture
def change(house: ReviewHouse) -> Change:
    base = house.project("demo/api")
    return house.push("demo/api", {"a.txt": "one\ntwo\nthree\n", "b.txt": "b\n"}, "Add a and b", base)
