# SPDX-License-Identifier: Apache-2.0
"""What tests of pages and REST ask for: a review and a pipeline room with their doors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse


@pytest.fixture
async def house(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    """Both rooms on a database of their own."""
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    made = await asyncio.to_thread(PipelineHouse, f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    async with made:
        yield made


@pytest.fixture
async def web(house: PipelineHouse, tmp_path: Path) -> AsyncIterator[WebHouse]:
    """Their pages and REST, served."""
    made = WebHouse(house, tmp_path)
    await made.start()
    yield made
    await made.close()
