# SPDX-License-Identifier: Apache-2.0
"""The pipeline's source of changes for Gerrits, on a gatebot: one site gates the projects of another.

The tests are those that gate a real Gerrit, over REST, over SSH and with its stream of events; only the Gerrit is ours.
`make test` runs one of them, `make test-clients` all.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.clients.gerrit_of_ours import GerritOfOurs
from tests.fakes.site import open_place
from tests.gerrit.conftest import author, house, landing, submit_type
from tests.gerrit.test_contract import TestGerrit, place
from tests.gerrit.test_gating import (
    test_an_uploaded_change_is_checked_and_voted_on,
    test_approved_changes_are_tested_together_and_merge_as_tested,
    test_depends_on_names_changes_of_gerrit_by_their_address,
    test_the_parent_of_a_stack_goes_first,
    test_what_fails_is_left_behind_and_those_behind_it_are_tested_without_it,
)

__all__ = [
    "TestGerrit",
    "author",
    "house",
    "landing",
    "place",
    "submit_type",
    "test_an_uploaded_change_is_checked_and_voted_on",
    "test_approved_changes_are_tested_together_and_merge_as_tested",
    "test_depends_on_names_changes_of_gerrit_by_their_address",
    "test_the_parent_of_a_stack_goes_first",
    "test_what_fails_is_left_behind_and_those_behind_it_are_tested_without_it",
]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SHORT = {f"{test_an_uploaded_change_is_checked_and_voted_on.__name__}[MERGE_IF_NECESSARY-submit]"}


@pytest.fixture(autouse=True)
def short_form(request: pytest.FixtureRequest) -> None:
    """Where the whole is not asked for, a check shows that the two understand each other."""
    if not os.environ.get("GATEBOT_CLIENTS") and request.node.name not in SHORT:
        pytest.skip("make test-clients runs it")


@pytest.fixture(scope="module")
def gerrit() -> Iterator[GerritOfOurs]:
    """A gatebot, furnished as `tests/gerrit` furnishes a Gerrit."""
    with open_place() as root:
        server = GerritOfOurs(root / "site")
        server.init()
        server.start()
        try:
            key = root / "key"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
            server.furnish(key.with_suffix(".pub").read_text())
            yield server
        finally:
            server.stop()
