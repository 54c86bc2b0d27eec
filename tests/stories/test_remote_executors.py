# SPDX-License-Identifier: Apache-2.0
"""Builds on other machines: a change goes through the gate there, and nothing is lost or doubled when one dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.irc import free_port
from tests.fakes.machines import machine
from tests.fakes.site import RunningSite, Template, begin, open_place

pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Path]:
    with open_place() as found:
        yield found


@pytest.fixture
def site(template: Template, place: Path) -> Iterator[RunningSite]:
    changes: dict[str, object] = {
        "executor.enabled": False, "dispatch.nats": "embedded", "dispatch.listen": f"127.0.0.1:{free_port()}",
    }  # fmt: skip
    with begin(template, place, changes=changes) as running:
        yield running


def test_a_change_goes_through_the_gate_with_its_builds_on_another_machine(site: RunningSite, place: Path) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    with machine(site, place, "far") as far:
        change = ann.propose("api", "Add a test", {"test_a.py": "import unittest\n"})
        ann.hears(change, "succeeded")
        bob.approve(change)
        bob.sees_merged(change)
        assert far.shown["running"] == 0
