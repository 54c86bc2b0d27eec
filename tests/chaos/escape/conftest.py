# SPDX-License-Identifier: Apache-2.0
"""Each attack runs on each kind of sandbox; one executor's sandboxes of a kind serve the whole suite."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chaos.escape.forts import KINDS, Fort, fort


@pytest_asyncio.fixture(scope="package", loop_scope="package", params=KINDS)
async def attacked(request: pytest.FixtureRequest) -> AsyncGenerator[Fort]:
    """Sandboxes of one kind, in a directory that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="gatebot-escape-") as place:
        Path(place).chmod(0o755)
        async with fort(request.param, Path(place)) as made:
            yield made
        # What podman of root leaves mounted, once or more often, could not be cleared away.
        while not subprocess.run(["umount", "--lazy", f"{place}/podman/store/overlay"], capture_output=True).returncode:
            pass
