# SPDX-License-Identifier: Apache-2.0
"""What several of these tests ask for: a server of git, a review and a pipeline room with
their doors; a podman that runs containers."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatebot.db import Database
from gatebot.executor.providers.container import Containers, Podman
from gatebot.reasons import Reason
from gatebot.words import say
from tests.fakes.busybox_image import busybox_image
from tests.fakes.clock import FakeClock
from tests.fakes.git import WorkTree
from tests.fakes.githost import GitHost, serving
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse
from tests.programs import leave_out


@pytest.fixture
async def house(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    """Both rooms on a database of their own."""
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    made = await asyncio.to_thread(PipelineHouse, f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    async with made:
        yield made


@pytest.fixture
async def host(tmp_path: Path, room_url: str, fake_clock: FakeClock) -> AsyncIterator[GitHost]:
    """A server of git with one project of one commit; people push to it as they push to a site."""
    db = Database.open(room_url)
    host = await asyncio.to_thread(GitHost, tmp_path, db, fake_clock)
    source = WorkTree.new(tmp_path / "source")
    source.commit("First", a_dot_txt="a\n")
    await asyncio.to_thread(host.add_project, "demo/api", source)
    async with serving(host):
        yield host
    await db.close()


@pytest.fixture
async def work(host: GitHost, tmp_path: Path) -> WorkTree:
    """Mina's clone of it."""
    return await host.clone("demo/api", tmp_path / "mina")


@pytest.fixture
async def web(house: PipelineHouse, tmp_path: Path) -> AsyncIterator[WebHouse]:
    """Their pages and REST, served."""
    made = WebHouse(house, tmp_path)
    await made.start()
    yield made
    await made.close()


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Podman, str]]:
    """A podman with settings of its own, and an image that it has; the test is left out where none can run."""
    root = tmp_path_factory.mktemp("podman")
    made = Podman(root / "podman")
    image = busybox_image(root, made)
    found = asyncio.run(Containers(made, "probe", "h", image).probe())
    if isinstance(found, Reason):
        leave_out(f"a podman that can run containers here ({say(found)})", "podman")
    yield made, image
    # What podman of root leaves mounted keeps every later run of the tests from clearing their old directories away.
    subprocess.run(["umount", "--quiet", "--lazy", str(made.root / "store/overlay")], capture_output=True)
