# SPDX-License-Identifier: Apache-2.0
"""Workspaces of builds that are ended while these are prepared: nothing of them is left."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.executor.model import Sandbox
from tests.fakes.dispatch_contract import holds
from tests.fakes.workshop import workshop

#: So many files that git writes them for a while.
MANY = {f"many/{number % 40}/{number}": f"{number}\n" for number in range(1500)}


@pytest.mark.parametrize("sandbox", [Sandbox.AUTO, Sandbox.NONE])
async def test_a_build_that_ends_while_its_workspace_is_prepared_leaves_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with workshop(tmp_path, sandbox) as shop:
        first = shop.assignment({"run.sh": "#!/bin/sh\ntrue\n", **MANY})
        await shop.run(first)
        layers = tmp_path / "site" / "executor" / "layers"
        for step in range(12):
            given = replace(first, build=uuid4().hex)
            await shop.executor.assign(given)
            await holds((layers / given.build).exists)
            await asyncio.sleep(step * 0.02)
            await shop.executor.abort(given.build, given.fence, at_once=True)
        assert (await shop.run(replace(first, build=uuid4().hex))).result == "SUCCESS"
        await holds(lambda: not list(layers.iterdir()))
