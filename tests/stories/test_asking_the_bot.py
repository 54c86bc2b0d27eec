# SPDX-License-Identifier: Apache-2.0
"""What the bot answers in a channel: how things stand, with links, and nothing of what strangers may not see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.channel import Reader, on_irc, running_at
from tests.fakes.doors import Visitor
from tests.fakes.irc import NgIrcd
from tests.fakes.site import Builds, Template


@pytest.fixture
def directory(template: Template, tmp_path: Path, network: NgIrcd) -> Path:
    return on_irc(template, tmp_path, network)


def test_the_bot_says_why_what_is_in_the_gate_and_where_this_was_said(
    directory: Path, template: Template, builds: Builds, reader: Reader
) -> None:
    with running_at(directory, template, builds) as site:
        reader.meets()
        ann, bob = site.person("ann"), site.person("bob")
        work = ann.clone("api", "secret")
        work.commit("Keep this quiet", secret="x\n")
        assert work.run("push", "origin", "HEAD:refs/for/main%private").returncode == 0
        change = ann.propose("api", "Add a door", {"door": "open\n"})
        ann.hears(change, "Build succeeded.")
        hidden = change - 1
        reader.says(f"gatebot: why {change}")
        needs = "Not ready to be merged. It needs Code-Review +2. It needs Workflow +1. It needs Verified +2."
        assert reader.reads() == f"mina: {change} Add a door (api main): {needs}  {site.url}/c/api/+/{change}"
        reader.says(f"gatebot: why {hidden}")
        assert reader.reads() == f"mina: There is no change {hidden} that everybody here may see."
        bob.approve(change)
        builds.runs("gate", change)
        reader.says("gatebot, queue gate")
        told = reader.reads()
        assert told.startswith(f"mina: gate: 1 in it: {change} Add a door (")
        assert told.endswith(f"  {site.url}/status")


def test_the_bot_finds_what_was_said_and_points_at_now(
    directory: Path, template: Template, builds: Builds, reader: Reader
) -> None:
    with running_at(directory, template, builds) as site:
        reader.meets()
        reader.says("the port is taken by 인스턴스 7")
        reader.says("gatebot: link")
        address = reader.reads().removeprefix("mina: ")
        page = Visitor(site).get(address.removeprefix(site.url).partition("#")[0])
        assert page.status == 200
        assert f'id="{address.partition("#")[2]}"' in page.text
        reader.says("gatebot: search 인스턴스")
        found = reader.reads()
        assert "<mina> the port is taken by 인스턴스 7" in found
        assert found.startswith("mina: 1 found, the newest: #demo ")
        reader.says("gatebot: dance")
        assert "Ask me: why NUMBER" in reader.reads()
