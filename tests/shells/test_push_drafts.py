# SPDX-License-Identifier: Apache-2.0
"""Drafts that a push publishes with its patch set: where it says so, or where the pusher likes it so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gatebot.review import conversation
from gatebot.review.model import DraftedComment
from gatebot.review.people import store as people
from gatebot.review.threads import store as threads
from gatebot.review.threads.model import StoredDraft
from tests.fakes.clock import FakeClock
from tests.fakes.githost import GitHost


@pytest.mark.parametrize(
    ("option", "prefers", "published"),
    [("%publish-comments", False, 1), ("", False, 0), ("", True, 1), ("%np", True, 0)],
)
async def test_drafts_are_published_as_the_pusher_says_or_likes(
    host: GitHost, tmp_path: Path, fake_clock: FakeClock, option: str, prefers: bool, published: int
) -> None:
    work = await host.clone("demo/api", tmp_path / "mina")
    work.commit("Add b", b_dot_txt="b\n")
    target = "HEAD:refs/for/main"
    done = await asyncio.to_thread(work.run, "push", "origin", target)
    assert done.returncode == 0, done.stderr
    (mina,) = {one.account for one in await host.db.read(conversation.list_messages, 1) if one.account is not None}
    draft = StoredDraft("d1", 1, 1, mina, fake_clock.now(), DraftedComment("b.txt", "Done.", 1))
    await host.db.run_silent(threads.put_draft, draft)
    await host.db.run_silent(people.choose, mina, "general", {"publish_comments_on_push": prefers})
    (work.path / "b.txt").write_text("bb\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    done = await asyncio.to_thread(work.run, "push", "origin", f"{target}{option}")
    assert done.returncode == 0, done.stderr
    comments = await host.db.read(conversation.list_comments, 1)
    assert [one.text for one in comments] == ["Done."] * published
    assert len(await host.db.read(threads.list_drafts, mina, 1)) == 1 - published
