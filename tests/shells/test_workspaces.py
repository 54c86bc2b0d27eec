# SPDX-License-Identifier: Apache-2.0
"""Workspaces of builds that are ended while these are prepared: nothing of them is left."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from gatebot.executor.model import Sandbox
from tests.fakes.dispatch_contract import holds
from tests.fakes.workshop import workshop


async def test_a_build_that_ends_while_its_workspace_is_prepared_leaves_nothing(tmp_path: Path) -> None:
    async with workshop(tmp_path, Sandbox.NONE) as shop:
        first = shop.assignment({"run.sh": "#!/bin/sh\ntrue\n"})
        await shop.run(first)
        for step in range(12):
            given = replace(first, build=uuid4().hex)
            await shop.executor.assign(given)
            await asyncio.sleep(step * 0.003)
            await shop.executor.abort(given.build, given.fence, at_once=True)
        layers = tmp_path / "site" / "executor" / "layers"
        await asyncio.sleep(0.5)
        await holds(lambda: not list(layers.iterdir()))
        assert (await shop.run(replace(first, build=uuid4().hex))).result == "SUCCESS"
