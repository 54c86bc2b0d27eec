# SPDX-License-Identifier: Apache-2.0
"""Each attack runs on each kind of sandbox; one executor's sandboxes of a kind serve the whole suite."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chaos.escape.forts import KINDS, Fort, fort
from tests.fakes.site import eventually


@pytest_asyncio.fixture(scope="package", loop_scope="package", params=KINDS)
async def attacked(request: pytest.FixtureRequest) -> AsyncGenerator[Fort]:
    """Sandboxes of one kind, in a directory that every user may enter."""
    place = Path(tempfile.mkdtemp(prefix="gatebot-escape-"))
    place.chmod(0o755)
    async with fort(request.param, place) as made:
        yield made
    eventually(lambda: _cleared(place), "what the sandboxes left can be cleared away")


def _cleared(place: Path) -> bool:
    """Whether all is gone; what podman cleans up behind containers of root mounts its store, at any time, once more."""
    while not subprocess.run(["umount", "--lazy", place / "podman/store/overlay"], capture_output=True).returncode:
        pass
    shutil.rmtree(place, ignore_errors=True)
    return not place.exists()
