# SPDX-License-Identifier: Apache-2.0
"""What the bot answers in a channel: how things stand, with links, and nothing of what strangers may not see."""

from __future__ import annotations

import re
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatebot.meetbot.importing import store as importing
from gatebot.meetbot.model import Line
from tests.fakes.channel import Reader, on_irc, running_at
from tests.fakes.doors import Visitor
from tests.fakes.irc import NgIrcd
from tests.fakes.site import Builds, RunningSite, Template, eventually

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def directory(template: Template, tmp_path: Path, network: NgIrcd) -> Path:
    return on_irc(template, tmp_path, network)


def streamed(site: RunningSite, name: str, path: str) -> str:
    """All that an answer in pieces has for somebody."""
    asks = urllib.request.Request(f"{site.url}{path}", headers={"Authorization": f"Bearer {site.tokens[name]}"})
    with urllib.request.urlopen(asks, timeout=30) as answer:
        return str(answer.read(), "utf-8")


def newest_day(visitor: Visitor) -> str:
    """The address of the newest day of the channel's log."""
    return visitor.get("/irclogs/%23demo/latest.log.html").headers["location"]


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
        old = Line(datetime(2014, 5, 27, tzinfo=UTC), "olga", f"change {change} of another site")
        site.do(site.app.db.run(importing.add, "irc", "#demo", [old], site.url))
        reader.says(f"as for change {change}, change {hidden} and {site.url}/{hidden}")
        reader.says(f"gatebot: why {hidden}")
        assert reader.reads() == f"mina: There is no change {hidden} that everybody here may see."
        strange, owned = Visitor(site), Visitor(site, "ann", site.tokens["ann"])
        day = newest_day(strange)
        opened = f'title="Add a door (api main)">change {change}</a> <span class="now"><span class="chip run">'
        eventually(lambda: opened in strange.get(day).text, "the line to be shown with the change's state")
        assert "Keep this quiet" not in strange.get(day).text
        assert owned.get(day).text.count('title="Keep this quiet (api main)"') == 3
        bob.approve(change)
        builds.runs("gate", change)
        talk = f"&lt;mina&gt; as for change {change}, change {hidden}"
        eventually(lambda: talk in strange.get(f"/c/api/+/{change}").text, "the change to know where it is spoken of")
        assert "olga" not in strange.get(f"/c/api/+/{change}").text
        assert talk in owned.get(f"/c/api/+/{hidden}").text
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
        assert reader.whispers("link #secret4711") == "I know no log of #secret4711."
        assert "4711" not in Visitor(site).get(newest_day(Visitor(site))).text


def test_who_proved_an_account_by_a_code_rechecks_from_the_channel(
    template: Template, tmp_path: Path, network: NgIrcd, builds: Builds, reader: Reader
) -> None:
    directory = on_irc(template, tmp_path, network, "trust_nicks = true\n")
    with running_at(directory, template, builds) as site:
        reader.meets()
        ann = site.person("ann")
        change = ann.propose("api", "Add a door", {"door": "open\n"})
        ann.hears(change, "Build succeeded.")
        reader.says(f"gatebot: recheck {change}")
        unknown = "I do not know whose account you are. Make a code here and say it to me:"
        assert reader.reads() == f"mina: {unknown}  {site.url}/settings/irc"
        page = Visitor(site, "ann", site.tokens["ann"])
        begun = site.do(site.app.journal.last())
        told = page.ask("POST", "/settings/irc", b"", **FORM).text
        assert "services" not in told  # here a nick is a proof
        assert "with the nick that is to be known as yours" in told
        code = re.search(r"gatebot: confirm ([A-Z2-7]{16})", told)
        assert code is not None
        reader.says(f"gatebot: confirm {code[1]}")
        assert reader.reads() == "mina: You are ann here from now on."
        shown = page.get("/settings/irc").text
        assert "mina" in shown
        followed = re.search(r'data-live="(irc-link/\d+)', shown)
        assert followed is not None
        # An open page shows it by itself, and nobody else learns of it.
        live = f"/live?topics={followed[1]}&since={begun}&every=1"
        eventually(lambda: "event: changed" in streamed(site, "ann", live))
        assert "event: changed" not in streamed(site, "bob", live)
        given = len(builds.given)
        reader.says(f"gatebot: recheck {change}")
        told = f"mina: Change {change} is checked again, asked by ann.  {site.url}/c/api/+/{change}"
        assert reader.reads() == told
        eventually(lambda: len(builds.given) > given)
        assert any("recheck" in text for text in ann.said(change))
