# SPDX-License-Identifier: Apache-2.0
"""One real Gerrit for all tests of this ring, and for each test projects of its own and a site that gates them."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.gerrit.house import Author, House
from tools import gerrit as real

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def gerrit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Gerrit]:
    """A Gerrit, furnished."""
    if not real.jars() or real.java() is None:
        told = f"Gerrit {real.GERRIT} (and Java {real.LEAST_JAVA}) are not here; `make test-gerrit` fetches it"
        pytest.fail(told, pytrace=False) if os.environ.get("GATEBOT_GERRIT") else pytest.skip(told)
    root = tmp_path_factory.mktemp("gerrit")
    server = real.Gerrit(root / "site")
    server.init()
    server.start()
    key = root / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    server.furnish(key.with_suffix(".pub").read_text())
    server.add_person("ann")
    server.add_person("bob")
    server.permit_push()
    yield server
    server.stop()


@pytest.fixture(params=["MERGE_IF_NECESSARY"])
def submit_type(request: pytest.FixtureRequest) -> str:
    """How the projects merge in Gerrit; a test may ask for others."""
    return request.param


@pytest.fixture
def author(gerrit: real.Gerrit, tmp_path: Path, submit_type: str) -> Author:
    """Ann, with two projects of this test and the configuration of its pipelines."""
    number = next(_numbers)
    ann = Author(gerrit, tmp_path / "ann", f"t{number}/")
    ann.found(submit_type)
    return ann


@pytest.fixture(params=["submit"])
def landing(request: pytest.FixtureRequest) -> str:
    """How the site merges; a test may ask for others."""
    return request.param


@pytest.fixture
async def house(gerrit: real.Gerrit, author: Author, landing: str, tmp_path: Path) -> AsyncIterator[House]:
    """A site that gates the projects of the test; only its executors are faked."""
    async with House(gerrit, author, tmp_path, landing) as house:
        yield house
