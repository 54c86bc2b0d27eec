# SPDX-License-Identifier: Apache-2.0
"""Dashboards, the reply form, threads and related changes, as a browser without scripts gets them."""

from __future__ import annotations

import asyncio
import html
import re

from gatebot.access import Actor
from gatebot.review.drafts import Draft
from gatebot.review.model import Change, DraftedComment, ReviewerState, change_ref
from gatebot.review.threads.model import StoredDraft
from gatebot.review.threads.store import put_draft
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse
from tests.shells.test_pages import EVIL, words


async def actor(house: PipelineHouse, name: str) -> Actor:
    account = await house.identity.by_username(name)
    assert account is not None
    return Actor(account.id, account.groups, account.username)


async def ask(house: PipelineHouse, name: str, *changes: Change) -> None:
    """Somebody is asked for a review by the owner."""
    by, who = await actor(house, "ann"), await actor(house, name)
    assert who.account is not None
    for change in changes:
        await house.room.review.add_reviewer(by, change.number, who.account, ReviewerState.REVIEWER)


async def sign_in(web: WebHouse, name: str) -> None:
    """Another person sits down at the browser."""
    web.client.session.cookie_jar.clear()
    await web.sign_in(name)


def commit_of(house: PipelineHouse, change: Change) -> str:
    """The commit of its first patch set."""
    found = house.repositories.resolve(change.project, change_ref(change.number, 1))
    assert found is not None
    return found


def section(page: str, number: int) -> str:
    """One list of a dashboard, in words."""
    part = page.split(f'id="t-{number}"', 1)[1].split("</section>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", part.split(">", 1)[1])).split())


async def test_what_most_wait_for_comes_first_and_the_page_says_why(web: WebHouse, house: PipelineHouse) -> None:
    alone = house.push("api", {"z.txt": "z\n"}, "Add z")
    below = house.push("api", {"a.txt": "a\n"}, "Add a")
    tip = commit_of(house, below)
    above = house.push("api", {"b.txt": "b\n"}, "Add b", onto=tip)
    house.push("client", {"c.txt": "c\n"}, "Add c", body=f"Depends-On: {above.change_id}\n")
    await ask(house, "bob", alone, below)
    await sign_in(web, "bob")
    said = section(await web.page("/dashboard/self"), 1)
    assert said.startswith("Your turn 2 Change Subject Project Owner State Votes Updated")
    assert said.index("Add a") < said.index("Add z")
    assert (
        "Add a You were asked for a review. With your Code-Review +2, Workflow +1 it enters the gate. "
        "2 changes wait for it. api main ann" in said
    )
    korean = section(await web.page("/dashboard/self?lang=ko"), 1)
    assert "변경 2개가 이것을 기다립니다." in korean


async def test_a_reply_ends_ones_turn_and_begins_the_owners(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await ask(house, "bob", change)
    await sign_in(web, "bob")
    page = await web.page(f"/c/api/+/{change.number}")
    assert "Whose turn it is: Bob You were asked for a review." in words(page)
    await sign_in(web, "ann")
    assert "Whose turn it is: Bob was asked for a review." in words(await web.page(f"/c/api/+/{change.number}"))
    korean = words(await web.page(f"/c/api/+/{change.number}?lang=ko"))
    assert "Bob 님이 리뷰를 요청받았습니다." in korean
    await web.page("/?lang=en")
    await sign_in(web, "bob")
    await web.send(f"/c/api/+/{change.number}/review", message="Why?")
    assert section(await web.page("/dashboard/self"), 1).startswith("Your turn 0 Nothing waits for you.")
    assert "Whose turn it is: Ann Bob replied." in words(await web.page(f"/c/api/+/{change.number}"))
    await sign_in(web, "ann")
    assert "Add a Bob replied." in section(await web.page("/dashboard/self"), 1)


async def test_the_boxes_of_the_reply_form_say_whose_turn_it_is(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    root, ann = await actor(house, "root"), await actor(house, "ann")
    await ask(house, "root", change)
    await sign_in(web, "bob")
    page = await web.page(f"/c/api/+/{change.number}")
    assert f'name="turn-{ann.account}" value="1" checked' in page
    fields = {f"expected-{ann.account}": "1", f"expected-{root.account}": "1", f"turn-{ann.account}": "1"}
    await web.send(f"/c/api/+/{change.number}/review", message="Not for root.", **fields)
    view = await house.room.reading.view(ann, change.number)
    assert {one.account for one in view.attention if one.active} == {ann.account}


async def test_reviewers_are_asked_by_name_and_one_who_is_not_there_is_told(
    web: WebHouse, house: PipelineHouse
) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await sign_in(web, "ann")
    path = f"/c/api/+/{change.number}/review"
    await web.send(path, reviewers="bob", cc="root@example.org")
    assert "Reviewers: Bob, Root (CC)" in words(await web.page(f"/c/api/+/{change.number}"))
    status, page = await web.send(path, reviewers=f"{EVIL}", message="Please")
    assert status == 422
    assert f"Nobody here is called {EVIL}. Use a user name or an address that an account has." in words(page)
    assert "not found" not in words(page)
    assert EVIL not in page
    assert ">Please</textarea>" in page


async def test_drafts_are_seen_by_their_author_alone_and_published_with_a_reply(
    web: WebHouse, house: PipelineHouse
) -> None:
    change = house.push("api", {"a.txt": "one\ntwo\n"}, f"Add {EVIL}")
    bob = await actor(house, "bob")
    view = await house.room.reading.view(bob, change.number)
    await house.room.threads.keep(bob, view.current, DraftedComment("a.txt", f"Why {EVIL}?", 2, unresolved=True))
    path = f"/c/api/+/{change.number}"
    await sign_in(web, "ann")
    for place in (path, f"{path}/1/a.txt"):
        assert "Why" not in words(await web.page(place))
    await sign_in(web, "bob")
    page = await web.page(f"{path}/1/a.txt")
    assert f"bob ◷ draft, only you see it ! unresolved 2026-01-05 09:00 Why {EVIL}?" in words(page)
    assert EVIL not in page
    said = words(await web.page(path))
    assert "Publish your drafts: 1 a.txt:2" in said
    assert "bob ◷ draft, only you see it ! unresolved 2026-01-05 09:00" in said
    assert f"Add {EVIL} api main" in section(await web.page("/dashboard/self"), 2)
    await web.send(f"{path}/review", publish="1")
    assert house.said(change.number)[-1] == "Patch Set 1:\n\n(1 comment)"
    await sign_in(web, "ann")
    page = await web.page(f"{path}/1/a.txt")
    assert f"Bob ! unresolved 2026-01-05 09:00 Why {EVIL}?" in words(page)
    assert EVIL not in page


async def test_an_open_thread_comes_along_to_the_next_patch_set(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\ntwo\n"}, "Add a")
    bob = await actor(house, "bob")
    comments = (DraftedComment("a.txt", "Why two?", 2, unresolved=True), DraftedComment("a.txt", "Nice.", 1))
    await house.room.review.post(bob, change.number, 1, Draft(comments=comments))
    await asyncio.to_thread(house.review.new_patch_set, change, {"a.txt": "zero\none\ntwo\n"})
    page = await web.page(f"/c/api/+/{change.number}/2/a.txt")
    assert "3 + two written on patch set 1 Bob ! unresolved" in words(page)
    assert "Nice." not in words(page)
    both = words(await web.page(f"/c/api/+/{change.number}/1..2/a.txt"))
    assert "Why two?" in both
    assert "Nice." in both
    view = await house.room.reading.view(bob, change.number)
    async with web.client.get(
        f"/c/api/+/{change.number}/comment/{view.comments[0].id}/", allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == f"/c/api/+/{change.number}/1/a.txt#c-{view.comments[0].id}"


async def test_the_changes_around_a_change_are_told(web: WebHouse, house: PipelineHouse) -> None:
    below = house.push("api", {"a.txt": "a\n"}, "Add a")
    tip = commit_of(house, below)
    above = house.push("api", {"b.txt": "b\n"}, "Add b", onto=tip)
    other = house.push("client", {"c.txt": "c\n"}, "Add c")
    for change in (above, other):
        await house.room.states.set_topic(await actor(house, "ann"), change.number, "letters")
    said = words(await web.page(f"/c/api/+/{above.number}"))
    assert f"Related changes Relation chain {above.number} Add b {below.number} Add a ▶ open" in said
    assert f"Same topic {other.number} Add c client main ▶ open" in said


async def test_an_address_can_be_a_dashboard(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    house.push("client", {"b.txt": "b\n"}, "Add b")
    page = await web.page(f"/dashboard/?title={EVIL}&{EVIL}=project:api&Bad=colour:blue&foreach=status:open")
    assert EVIL not in page
    assert f"{EVIL} 1 Change Subject" in section(page, 1)
    assert "Add a" in section(page, 1)
    assert "Add b" not in section(page, 1)
    assert "colour" in section(page, 2)
    async with web.client.get("/dashboard/?title=Nothing", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/dashboard/self"
    async with web.client.get("/dashboard/self", headers={"Accept": "text/html"}, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/login?next=/dashboard/self"
    assert "Add a" in section(await web.page("/dashboard/ann"), 3)
    await web.page("/dashboard/nobody", status=404)


async def test_what_one_may_not_see_waits_for_nobody(web: WebHouse, house: PipelineHouse) -> None:
    below = house.push("api", {"a.txt": "a\n"}, "Add a")
    tip = commit_of(house, below)
    above = house.push("api", {"b.txt": "b\n"}, "A secret plan", onto=tip)
    await house.room.states.set_private(await actor(house, "ann"), above.number, True)
    await ask(house, "bob", below)
    await sign_in(web, "bob")
    page = await web.page("/dashboard/self")
    assert "waits for it" not in page
    assert "secret" not in page
    assert "secret" not in await web.page(f"/c/api/+/{below.number}")
    await web.page(f"/c/api/+/{above.number}/1/b.txt", status=404)


async def test_a_suggested_edit_becomes_the_next_patch_set(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\ntwo\nthree\n"}, "Add a")
    bob = await actor(house, "bob")
    text = f"Better:\n```suggestion\nzwei {EVIL}\n```"
    await house.room.review.post(
        bob, change.number, 1, Draft(comments=(DraftedComment("a.txt", text, 2, unresolved=True),))
    )
    path, file = f"/c/api/+/{change.number}", f"/c/api/+/{change.number}/1/a.txt"
    told = f"Better: Suggested instead: − two + zwei {EVIL}"
    for path_ in (path, file):
        page = words(await web.page(path_))
        assert (told in page, "Apply" in page) == (True, False)
    await sign_in(web, "bob")
    draft = StoredDraft("d1", change.number, 1, bob.account or 0, house.clock.now(), DraftedComment("a.txt", text, 3))
    await house.db.run_silent(put_draft, draft)
    for path_ in (path, file):
        page = words(await web.page(path_))
        assert re.search(rf"Suggested instead: − three \+ zwei {re.escape(EVIL)} (?!Apply)", page)
    await sign_in(web, "ann")
    for path_ in (path, file):
        page = await web.page(path_)
        assert f"{told} Apply as a new patch set" in words(page)
        assert (EVIL in page, "```" in page) == (False, False)
    view = await house.room.reading.view(bob, change.number)
    status, page = await web.send(f"{path}/comment/{view.comments[0].id}/apply")
    assert (status, EVIL in page) == (200, False)
    view = await house.room.reading.view(bob, change.number)
    assert house.repositories.read_file("api", view.current.commit, "a.txt") == f"one\nzwei {EVIL}\nthree\n".encode()
    assert [(one.text, one.unresolved) for one in view.comments[1:]] == [("Fix applied.", False)]
    status, page = await web.send(f"{path}/comment/{view.comments[0].id}/apply")
    assert (status, "The lines of a.txt that it speaks of have changed since." in words(page)) == (409, True)
    status, page = await web.send(f"{path}/comment/{view.comments[1].id}/apply")
    assert (status, f"of change {change.number} suggests no edit." in words(page)) == (404, True)


async def test_an_edit_that_was_begun_is_published_rebased_or_discarded_on_the_page(
    web: WebHouse, house: PipelineHouse
) -> None:
    change = house.push("api", {"a.txt": "one\ntwo\n"}, "Add a")
    ann, bob = await actor(house, "ann"), await actor(house, "bob")
    text = "```suggestion\nzwei\n```"
    await house.room.review.post(bob, change.number, 1, Draft(comments=(DraftedComment("a.txt", text, 2),)))
    path, edits = f"/c/api/+/{change.number}", house.room.edits
    await edits.write(ann, change, f"{EVIL}.txt", b"b\n")
    await sign_in(web, "bob")
    assert "begun an edit" not in words(await web.page(path))
    await sign_in(web, "ann")
    comment = (await house.room.reading.view(ann, change.number)).comments[0].id
    status, page = await web.send(f"{path}/comment/{comment}/apply")
    assert (status, EVIL in page) == (200, False)
    assert f"You have begun an edit of change {change.number}. Publish it or throw it away first." in words(page)
    told = (
        "You have begun an edit on patch set 1. Only you see it. Publish it, and it is the next patch set. "
        f"A {EVIL}.txt +1 −0 @@ −0,0 +1,1 @@ 1 + b Publish the edit Discard the edit What it changes is lost. "
        "Discard it for good"
    )
    assert told in words(page)
    await edits.reword(ann, change, f"Add {EVIL}\n\nChange-Id: {change.change_id}")
    page = await web.page(path)
    message = f"Commit message +1 −1 1 − Add a 1 + Add {EVIL} 2 2 3 3 Change-Id: {change.change_id} A {EVIL}.txt"
    assert (message in words(page), EVIL in page) == (True, False)
    await asyncio.to_thread(house.review.new_patch_set, change, {"a.txt": "zero\n"})
    outdated = "Patch set 2 has come since: rebase the edit onto it, then publish it."
    page = words(await web.page(f"{path}/edit"))
    assert (outdated in page, "Publish the edit" in page, "Rebase the edit" in page) == (True, False, True)
    status, page = await web.send(f"{path}/edit", do="publish")
    assert (status, "patch set 1" in words(page)) == (409, True)
    status, page = await web.send(f"{path}/edit", do="rebase")
    assert (status, "You have begun an edit on patch set 2." in words(page)) == (200, True)
    status, page = await web.send(f"{path}/edit", do="publish")
    view = await house.room.reading.view(ann, change.number)
    assert (status, view.change.current, "begun an edit" in words(page)) == (200, 3, False)
    assert house.repositories.read_file("api", view.current.commit, f"{EVIL}.txt") == b"b\n"
    await edits.reword(ann, view.change, "Another word")
    assert "it is the next patch set. Commit message +1 −1 1 − Add" in words(await web.page(path))
    await web.send(f"{path}/edit", do="discard")
    assert await edits.find(ann, change.number) is None


async def test_only_who_is_not_signed_in_is_told_that_signing_in_may_help(web: WebHouse) -> None:
    await sign_in(web, "bob")
    page = words(await web.page("/c/api/+/99", status=404))
    assert "There is no change 99, or you may not see it." in page
    assert "Signing in may help." not in page
    web.client.session.cookie_jar.clear()
    assert "Signing in may help." in words(await web.page("/c/api/+/99", status=404))


async def test_characters_that_turn_text_around_are_shown_and_turn_nothing(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "if admin\u202e nimda fi\u2066 <b>\n"}, "Add a")
    for address in (f"/c/api/+/{change.number}", f"/c/api/+/{change.number}/1/a.txt"):
        page = await web.page(address)
        for code, character in (("U+202E", "\u202e"), ("U+2066", "\u2066")):
            assert f'<span class="turns">⟦{code}⟧</span>' in page
            assert character not in page
        assert "&lt;b&gt;" in page


async def test_no_builds_are_missed_where_none_are_to_come(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    assert "No builds for this patch set yet." in words(await web.page(f"/c/api/+/{change.number}"))
    await house.room.states.abandon(await actor(house, "ann"), change.number)
    assert "No builds for this patch set yet." not in words(await web.page(f"/c/api/+/{change.number}"))
