# SPDX-License-Identifier: Apache-2.0
"""A push with `edit` becomes the pusher's change edit; and what holds the commits of edits in their scratch store."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gatebot.events import PatchSetCreated
from gatebot.review.edits import store as edits
from gatebot.review.edits.keeping import Keeping
from gatebot.review.edits.store import Edit
from tests.fakes.clock import FakeClock
from tests.fakes.git import WorkTree
from tests.fakes.githost import GitHost
from tests.shells.test_push import facts, push, remote

API = "demo/api"


async def edit_of(host: GitHost, account: int) -> Edit | None:
    return await host.db.read(edits.find_edit, 1, account)


async def test_a_push_with_edit_becomes_the_pushers_change_edit(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    mina, place = host.people["mina"].id, host.repos.speculation("making", (API,)).store
    for text, subject in (("better\n", "Add a better b"), ("best\n", "Add the best b")):
        work.put("b.txt", text)
        message = work.git("log", "-1", "--format=%B").replace("Add b", subject).replace("Add a better b", subject)
        work.git("commit", "-q", "-a", "--amend", "-m", message.strip())
        done = await push(work, "HEAD:refs/for/main%edit,topic=ignored")
        assert done.returncode == 0, done.stderr
        assert remote(done) == [
            "Processing changes: refs: 1, done",
            "",
            "SUCCESS",
            "",
            f"  http://review.example.org/c/demo/api/+/1 {subject} [EDIT]",
            "",
            "Only you see a change edit. What makes the next patch set of it:",
            "  curl -u mina -X POST http://review.example.org/a/changes/1/edit:publish",
            "What throws it away:",
            "  curl -u mina -X DELETE http://review.example.org/a/changes/1/edit",
            "The page of the change has buttons for both.",
            "",
        ]
        found = await edit_of(host, mina)
        assert found is not None
        assert (found.base, found.commit) == (1, work.git("rev-parse", "HEAD").strip())
        assert host.repos.resolve(place, f"refs/gatebot/edits/1/{mina}") == found.commit
    change = await host.change(1)
    assert (change.current, change.subject, change.topic) == (1, "Add b", "")
    assert len(await facts(host, PatchSetCreated)) == 1


async def test_an_edit_is_of_a_change_that_is_here_and_of_nobody_else(
    host: GitHost, work: WorkTree, tmp_path: Path
) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    work.commit("Add c", c_dot_txt="c\n")
    done = await push(work, "HEAD:refs/for/main%edit")
    assert "(edit is not supported for new changes)" in done.stderr
    assert "Only a change that is here has something to edit. Push it without `edit` first." in remote(done)
    bobs = await host.clone(API, tmp_path / "bob", "bob")
    await asyncio.to_thread(bobs.git, "pull", "-q", "origin", "refs/changes/01/1/1")
    bobs.git("commit", "-q", "--amend", "--no-edit", "--reset-author")
    done = await asyncio.to_thread(bobs.run, "push", "origin", "HEAD:refs/for/main%edit")
    assert done.returncode == 0, done.stderr
    assert [edit.account for _, edit in await host.db.read(edits.all_edits)] == [host.people["bob"].id]
    assert (await host.change(1)).current == 1


async def test_what_was_pushed_as_an_edit_outlives_a_clean_up_and_nobody_fetches_it(
    host: GitHost, work: WorkTree, tmp_path: Path
) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    work.put("b.txt", "a secret\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    await push(work, "HEAD:refs/for/main%edit")
    mina, store = host.people["mina"].id, host.repos.path(API)
    held = f"refs/meta/gatebot/edits/1/{mina}"
    edit = await edit_of(host, mina)
    assert edit is not None
    assert host.repos.references(API, "refs/meta/gatebot/") == {held: edit.commit}
    await asyncio.to_thread(work.git, "-C", str(store), "gc", "-q", "--prune=now")
    keeping = Keeping(host.db, host.repos)
    assert host.repos.read_file(keeping.scratch(API), edit.commit, "b.txt") == b"a secret\n"
    bobs = await host.clone(API, tmp_path / "bob", "bob")
    for version in ("0", "2"):
        done = await asyncio.to_thread(bobs.run, "-c", f"protocol.version={version}", "fetch", "origin", edit.commit)
        assert done.returncode, version
    await asyncio.to_thread(keeping.tidy, "now")
    assert host.repos.references(API, "refs/meta/gatebot/") == {held: edit.commit}
    await host.db.run_silent(edits.drop_edit, 1, mina)
    await asyncio.to_thread(keeping.tidy, "now")
    assert host.repos.references(API, "refs/meta/gatebot/") == {}


async def test_the_scratch_store_keeps_what_edits_say_and_throws_the_rest_away(
    host: GitHost, work: WorkTree, fake_clock: FakeClock
) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    keeping, mina = Keeping(host.db, host.repos), host.people["mina"].id
    place = keeping.scratch(API)
    tip = host.repos.commit(API, host.repos.branches(API)["main"])

    def made(message: str) -> str:
        return host.repos.write_commit(place, tip.tree, (), tip.author, tip.author, message)

    early, dropped, tried = [await asyncio.to_thread(made, text) for text in ("early", "dropped", "tried")]
    edit = Edit(1, mina, 1, early, fake_clock.now())
    await host.db.run_silent(edits.replace_edit, edit)
    await asyncio.to_thread(host.repos.update_ref, place, f"refs/gatebot/edits/9/{mina}", "0" * 40, dropped)
    await asyncio.to_thread(keeping.tidy, "now")
    assert [host.repos.resolve(place, one) for one in (early, dropped, tried)] == [early, None, None]
    assert host.repos.references(place, "refs/gatebot/edits/") == {f"refs/gatebot/edits/1/{mina}": early}
