# SPDX-License-Identifier: Apache-2.0
"""Whoever runs builds keeps one contract: the executor of this process, and those that are reached over NATS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.executor.model import Sandbox
from tests.fakes.dispatch_contract import DispatchContract, Ground
from tests.fakes.far import far_workshop
from tests.fakes.workshop import workshop


class TestInThisProcess(DispatchContract):
    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[Ground]:
        async with workshop(tmp_path, Sandbox.NONE) as shop:
            yield Ground(shop.executor, shop.executor.assign, shop.reports, shop.stores, shop.logs, 4, shop.executor)


class TestOverNats(DispatchContract):
    @pytest.fixture
    async def ground(self, tmp_path: Path, room_url: str) -> AsyncIterator[Ground]:
        async with far_workshop(tmp_path, room_url) as shop:
            machine = await shop.machine("far")
            machine.begin()
            await shop.lives("far")
            runs = machine.agent.executor
            yield Ground(shop.fleet, shop.give, shop.reports, shop.stores, shop.logs, 4, runs)
            await machine.stop()
