# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between a site and a real Gerrit, and that nothing is lost by it."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from gatebot.events import BranchMoved, ChangeAbandoned, CommentAdded, PatchSetCreated, VoteCast
from tests.gerrit.house import Author, House
from tools.gerrit import Gerrit


async def test_an_ended_stream_loses_nothing(house: House, author: Author) -> None:
    stream = house.hub.follower.stream
    assert stream is not None
    assert stream.process is not None
    os.kill(stream.process, signal.SIGKILL)
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    await house.runs("check", change)
    await house.until(lambda: house.hub.follower.stream not in (stream, None), "another stream is there")


async def test_what_happened_while_the_site_was_down_is_told_when_it_is_up_again(house: House, author: Author) -> None:
    old = author.push("client", {"c.txt": "c\n"}, "Add c")
    await house.runs("check", old)
    await house.close()
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    author.say(change, "Nice.", votes={"Code-Review": 1})
    author.gerrit.call("POST", f"changes/{old.number}/abandon")
    tip = author.commit_directly("client", {"direct.txt": "d\n"})
    await house.open()
    await house.runs("check", change)
    number = house.local(change)
    assert [one.patch_set for one in await house.facts(PatchSetCreated) if one.change == number] == [1]
    (vote,) = [one for one in await house.facts(VoteCast) if one.change == number]
    assert (vote.label, vote.value) == ("Code-Review", 1)
    texts = [one.text for one in await house.facts(CommentAdded) if one.change == number]
    assert texts == ["Patch Set 1: Code-Review+1\n\nNice."]
    assert [one.change for one in await house.facts(ChangeAbandoned)] == [house.local(old)]
    moved = [one for one in await house.facts(BranchMoved) if one.project == author.name("client")]
    assert [one.new for one in moved] == [tip]
    await house.look()
    assert len(await house.facts(PatchSetCreated)) == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_restarted_gerrit_is_found_again_and_gets_the_reports_it_missed(
    house: House, author: Author, gerrit: Gerrit
) -> None:
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    await house.runs("check", change)
    await asyncio.to_thread(gerrit.stop)
    await house.ends("check", change)
    await house.until(lambda: bool(house.hub.follower.trouble), "the site knows that Gerrit is away")
    sign = await house.hub.sign()()
    assert not sign.ok
    await asyncio.to_thread(gerrit.start)
    await house.until(lambda: author.vote(change) == 1, "the report came through", 120)
    other = author.push("api", {"b.txt": "b\n"}, "Add b")
    await house.runs("check", other)
    await house.until(lambda: not house.hub.follower.trouble, "the site knows that Gerrit is back", 120)


async def test_a_refused_submit_is_reported_with_gerrits_own_words(house: House, author: Author) -> None:
    author.forbid_submit("api")
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    author.approve(change)
    await house.runs("gate", change)
    await house.ends("gate", change)
    await house.until(lambda: author.vote(change) == -2, "the refusal was reported")
    assert "could not be merged" in author.last(change)
    assert "not permitted" in author.last(change)
    assert author.info(change)["status"] == "NEW"


async def test_a_branch_that_somebody_moved_makes_the_gate_test_again(house: House, author: Author) -> None:
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    author.approve(change)
    await house.runs("gate", change)
    first = house.build("gate", change)
    author.commit_directly("api", {"direct.txt": "d\n"})
    await house.until(lambda: first.build in house.dispatch.aborted, "what was tested on the old branch is void")
    await house.runs("gate", change)
    await house.ends("gate", change)
    await house.merged(change)
    assert author.content("api", "direct.txt") == "d\n"
