# SPDX-License-Identifier: Apache-2.0
"""What stories ask for: a running site of their own, with told or with real builds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.fakes.channel import Reader
from tests.fakes.irc import NgIrcd
from tests.fakes.site import Builds, RunningSite, Template, begin, open_place
from tests.programs import need


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    """A site that is made once for all stories."""
    with open_place() as place:
        yield Template.make(place / "site")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, one for all stories of a process: its driver cannot be had twice."""
    program = need("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for sites of a story that the server's user may enter."""
    with open_place() as made:
        yield made


@pytest.fixture
def builds() -> Builds:
    """Builds that end as a story tells them; by default each succeeds at once."""
    return Builds()


@pytest.fixture
def site(template: Template, tmp_path: Path, builds: Builds) -> Iterator[RunningSite]:
    """A site whose builds end as the story tells them."""
    with begin(template, tmp_path, builds) as running:
        yield running


@pytest.fixture
def working_site(template: Template, tmp_path: Path) -> Iterator[RunningSite]:
    """A site that runs its jobs for real, as plain processes."""
    with begin(template, tmp_path) as running:
        yield running


@pytest.fixture
def network(tmp_path: Path) -> Iterator[NgIrcd]:
    """A network of IRC."""
    server = NgIrcd(need("ngircd"), tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def reader(network: NgIrcd) -> Iterator[Reader]:
    """Somebody in a channel of that network."""
    reader = Reader(network.port)
    yield reader
    reader.leaves()
