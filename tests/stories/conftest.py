# SPDX-License-Identifier: Apache-2.0
"""What stories ask for: a running site of their own, with told or with real builds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.site import Builds, RunningSite, Template, begin


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A site that is made once for all stories."""
    return Template.make(tmp_path_factory.mktemp("template") / "site")


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
