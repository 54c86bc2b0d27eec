# SPDX-License-Identifier: Apache-2.0
"""Pages of changes, queues and builds, as a browser without scripts gets them."""

from __future__ import annotations

import asyncio
import html
import json
import re

from gatebot.access import STRANGER, Actor
from gatebot.assignment import NodeWait
from gatebot.executor import lineage
from gatebot.executor.scrub import Scrubber
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse

EVIL = "<script>alert(1)</script>"


def words(page: str) -> str:
    """What a page says: its main part without tags, blanks made one."""
    main = page.split("<main", 1)[1].split("</main>", 1)[0].split(">", 1)[1]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


async def test_a_change_tells_what_it_needs_and_shows_its_difference(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\ntwo\n"}, "Add a")
    await house.settle()
    page = await web.page(f"/c/api/+/{change.number}")
    said = words(page)
    assert "Not ready to be merged. It needs Code-Review +2. It needs Workflow +1. It needs Verified +2." in said
    assert "A a.txt +2 −0 @@ −0,0 +1,2 @@ 1 + one 2 + two" in said
    assert "unit check ▶ running" in said
    assert "git fetch http://localhost:8470/api refs/changes/01/1/1 && git checkout FETCH_HEAD" in said
    assert "Sign in to vote and comment." in said
    assert '<form class="card stack"' not in page


async def test_what_people_write_is_shown_and_never_run(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": f"{EVIL}\n"}, f"Add {EVIL}", body=f"{EVIL}\nhttps://x.org/?a=1&b={EVIL}\n\n")
    await house.say(change, f"{EVIL} javascript:alert(1) https://example.org/a&b.")
    await house.settle()
    for path in (f"/c/api/+/{change.number}", "/q/status:open", "/status", "/project/api", "/search?q=" + EVIL):
        page = await web.page(path)
        assert EVIL not in page, path
        assert 'href="javascript' not in page
    page = await web.page(f"/c/api/+/{change.number}")
    assert html.escape(EVIL) in page
    assert '<a href="https://example.org/a&amp;b" rel="nofollow noopener">https://example.org/a&amp;b</a>.' in page


async def test_words_that_differ_are_marked_where_a_line_replaces_a_line(web: WebHouse, house: PipelineHouse) -> None:
    base = house.commit_to("api", {"a.txt": "the price is 20\n"})
    change = house.push("api", {"a.txt": "the price is 21\n"}, "Raise the price", onto=base)
    page = await web.page(f"/c/api/+/{change.number}")
    assert '<span class="sign">−</span>the price is <b>20</b>' in page
    assert '<span class="sign">+</span>the price is <b>21</b>' in page


async def test_a_remark_of_a_job_on_a_line_far_from_what_differs_is_shown_on_its_file(
    web: WebHouse, house: PipelineHouse
) -> None:
    lines = [f"{number}\n" for number in range(1, 41)]
    base = house.commit_to("api", {"a.txt": "".join(lines)})
    change = house.push("api", {"a.txt": "".join(["one\n", *lines[1:]])}, "Spell one", onto=base)
    await house.settle()
    remarks = {"a.txt": [{"line": 30, "message": "thirty is fine"}, {"line": 1, "message": "well spelt"}]}
    await house.dispatch.finish(
        house.dispatch.of(change.number), "SUCCESS", data=json.dumps({"zuul": {"file_comments": remarks}})
    )
    await house.settle()
    said = words(await web.page(f"/c/api/+/{change.number}"))
    assert re.search(r"a\.txt \+1 −1 \S+ a\.txt:30 .* thirty is fine @@ .* 1 \+ one .* well spelt 2 2", said), said


async def test_a_build_that_waits_for_a_node_says_the_same_of_it_on_every_page(
    web: WebHouse, house: PipelineHouse
) -> None:
    house.dispatch.nodes = False
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(change.number, "unit").build
    wait = "It waits for a node with the label board (arm64): 1 before it, 2 in use of 2."
    web.waits[build] = NodeWait("board", "arm64", ("c" * 32,), ("a" * 32, "b" * 32), 2)
    assert f"unit ◷ waiting {wait}" in words(await web.page("/status"))
    assert f"unit check {wait} ◷ waiting" in words(await web.page(f"/c/api/+/{change.number}"))
    page = await web.page(f"/build/{build}")
    assert wait in words(page)
    assert "queue" in page.split('data-live="')[1].split('"')[0]
    async with web.client.get(f"/api/build/{build}") as answer:
        told = await answer.json()
    assert (told["state"], told["waits_for"], told["error_detail"]) == ("waiting", wait, None)


async def test_a_job_that_no_executor_has_room_for_is_on_the_page_of_its_change_with_what_it_waits_for(
    web: WebHouse, house: PipelineHouse
) -> None:
    house.dispatch.slots = 0
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    assert "unit check It waits for a free executor. ◷ waiting" in words(await web.page(f"/c/api/+/{change.number}"))


async def test_two_patch_sets_can_be_compared(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await asyncio.to_thread(house.review.new_patch_set, change, {"a.txt": "one\n", "b.txt": "b\n"})
    assert "b.txt" in words(await web.page(f"/c/api/+/{change.number}/1..2"))
    assert "a.txt" not in words(await web.page(f"/c/api/+/{change.number}/1..2"))
    said = words(await web.page(f"/c/api/+/{change.number}/1"))
    assert "This is not the newest patch set. Show patch set 2" in said
    page = await web.page(f"/c/api/+/{change.number}/7", status=404)
    assert f"Change {change.number} has no patch set 7" in words(page)


async def test_votes_and_words_are_sent_by_a_plain_form(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await web.sign_in("bob")
    sent = {"message": "Good.", "label__Code-Review": "2", "label__Workflow": "0"}
    status, page = await web.send(f"/c/api/+/{change.number}/review", **sent)
    assert status == 200
    assert "Code-Review +2 Bob" in words(page)
    assert house.said(change.number)[-1] == "Patch Set 1: Code-Review+2\n\nGood."
    status, page = await web.send(f"/c/api/+/{change.number}/review", label__Code__Review="2")
    assert (status, "There is nothing to send: write something, or change a vote." in words(page)) == (400, True)


async def test_a_comment_on_a_line_stands_at_its_line(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\ntwo\n"}, "Add a")
    await web.sign_in("bob")
    comment = {"comment__file": "a.txt", "comment__line": "2", "comment__text": f"Why two? {EVIL}"}
    _, page = await web.send(f"/c/api/+/{change.number}/review", **comment)
    said = words(page)
    assert f"2 + two Bob ! unresolved 2026-01-05 09:00 Why two? {EVIL} Answer Quote Done Acknowledge" in said
    assert f"a.txt:2 ! unresolved Why two? {EVIL} Answer Quote Done Acknowledge" in said.split(" Conversation ")[1]
    assert EVIL not in page


async def test_a_refusal_is_a_sentence_and_keeps_what_was_typed(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await web.sign_in("ann")
    status, page = await web.send(f"/c/api/+/{change.number}/review", message="Please!", label__Verified="2")
    assert status == 403
    assert '✗ Applying label "Verified": +2 is restricted. You may not vote on this label.' in words(page)
    assert ">Please!</textarea>" in page
    status, page = await web.send(f"/c/api/+/{change.number}/review", do="submit")
    assert status == 403


async def test_a_form_without_the_proof_of_its_page_is_refused(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await web.sign_in("bob")
    async with web.client.post(f"/c/api/+/{change.number}/review", data={"message": "x"}) as answer:
        assert (answer.status, await answer.text()) == (
            403,
            "This form is out of date: load the page again and repeat.\n",
        )
    assert house.said(change.number) == ["Uploaded patch set 1."]


async def test_buttons_abandon_restore_and_recheck(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await web.sign_in("ann")
    path = f"/c/api/+/{change.number}/review"
    asked = (
        "Abandon It is closed and leaves the queues. What you have written goes along as the reason. "
        "It can be restored. Abandon the change"
    )
    assert asked in words(await web.page(path))
    page = words((await web.send(path, do="abandon", message="Later."))[1])
    told = f"Change {change.number} is abandoned; “Restore”, where you reply, opens it again."
    assert (told in page, "The change is abandoned." in page, "Abandon the change" in page) == (True, True, False)
    assert "Restore" in words((await web.send(path, do="abandon"))[1])
    assert "Not ready to be merged." in words((await web.send(path, do="restore"))[1])
    await web.send(path, do="recheck")
    assert house.said(change.number)[-1] == "Patch Set 1:\n\nrecheck"


async def test_submit_sends_a_change_to_the_gate_and_says_so(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "Add a")
    await house.say(change, votes={"Code-Review": 2, "Workflow": 1})
    path = f"/c/api/+/{change.number}"
    await web.sign_in("ann")
    assert 'value="submit"' not in await web.page(path)
    _, page = await web.send(f"{path}/review", do="submit")
    assert (
        "Nobody has to submit it: the gate takes it by itself as soon as it has the votes that it needs; comment "
        "“recheck” to have it tested again. This needs the permission submit on refs/heads/main of api." in words(page)
    )
    web.client.session.cookie_jar.clear()
    await web.sign_in("bob")
    assert 'value="submit"' in await web.page(path)
    _, page = await web.send(f"{path}/review", do="submit")
    assert words(page).startswith(
        "✓ The gate of main of api was asked; when it takes the change, the page shows its place, "
        "and it merges when its jobs pass. When it cannot, it says why in a comment api"
    )
    await house.settle()
    assert house.running["gate"] == [change.number]
    await house.passes(change.number)
    told = words(await web.page(path)).split(" Conversation ")[1]
    assert told.index("Verified+2") < told.index("Change has been successfully merged")


async def test_a_private_change_does_not_exist_for_others(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "one\n"}, "A secret plan")
    ann = await house.identity.by_username("ann")
    assert ann is not None
    await house.settle()
    await house.room.states.set_private(Actor(ann.id, ann.groups), change.number, True)
    build = house.dispatch.of(change.number).build
    await web.page(f"/c/api/+/{change.number}", status=404)
    await web.page(f"/{change.number}", status=404)
    await web.page(f"/status/change/{change.number}", status=404)
    for path in ("/q/status:open", "/status", "/builds", "/project/api", "/status?change=1"):
        page = await web.page(path)
        assert "secret" not in page, path
        assert build not in page, path
    assert "a private change ▶ running You may not see this change." in words(await web.page("/status"))
    await web.sign_in("ann")
    assert "A secret plan" in words(await web.page(f"/c/api/+/{change.number}"))
    assert "A secret plan" in words(await web.page("/status"))


async def test_changes_are_listed_by_query(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "one\n"}, "Add a")
    house.push("client", {"b.txt": "one\n"}, "Add b")
    said = words(await web.page("/q/status:open+project:client"))
    assert "Add b" in said
    assert "Add a" not in said
    page = await web.page("/q/colour:blue", status=400)
    assert "colour" in words(page)
    assert "No change matches “is:merged”. Push one with: git push origin HEAD:refs/for/main" in words(
        await web.page("/q/is:merged")
    )
    async with web.client.get("/q/?q=status:merged owner:self", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/q/status:merged%20owner:self")


async def test_addresses_of_a_change_lead_to_its_page(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "one\n"}, "Add a")
    for path in ("/1", "/c/wrong/+/1"):
        async with web.client.get(path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/c/api/+/1")
        async with web.client.get(f"{path}?lang=ko", allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/c/api/+/1?lang=ko"


async def test_a_project_tells_how_to_get_it_and_what_happens_in_it(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "one\n"}, "Add a")
    said = words(await web.page("/project/api"))
    assert "git clone http://localhost:8470/api" in said
    assert "ssh" not in said, "there is none here"
    told = "[gerrit] scheme=https host=review.example.org port=443 project=api defaultbranch=main"
    assert "With git-review Put this into the file .gitreview of the repository:" in said
    assert told in said
    assert "curl -fLo .git/hooks/commit-msg http://localhost:8470/tools/hooks/commit-msg" in said
    assert "1 Add a ann ▶ open" in said
    assert "Code-Review +2 by a member of Core who did not upload it" in said
    assert "A gate tests each change on top of those ahead of it and merges it." in said
    assert "README hello" in said
    assert "api" in words(await web.page("/projects"))
    assert "There is no project nothing" in words(await web.page("/project/nothing", status=404))


async def test_the_status_shows_what_each_change_is_tested_on_top_of(web: WebHouse, house: PipelineHouse) -> None:
    base = house.review.tip("api")
    one = house.push("api", {"a.txt": "a\n"}, "Add a", onto=base)
    two = house.push("api", {"b.txt": "b\n"}, "Add b", onto=base)
    await house.settle()
    await house.passes(1)
    await house.passes(2)
    await house.approve(one, two)
    await house.settle()
    said = words(await web.page("/status"))
    assert "gate 2 items Queue shared the first 20 are tested at once" in said
    assert "1 1,1 Add a api · ann ▶ running Its jobs are running. tested on top of the branch as it is unit" in said
    assert "2 2,1 Add b api · ann ▶ running Its jobs are running. tested on top of: 1 unit under 1 s ▶ running" in said
    await house.fails(1)
    said = words(await web.page("/status"))
    assert "1 2,1 Add b" in said
    assert "↻ Restarted because change 1 ahead of it failed. unit" in said
    assert "✗ failed 1,1 api · gate 2026-01-05 09:00 The job unit ended with FAILURE; line 12 of its log says" in said
    said = words(await web.page("/status/change/1"))
    assert "The change is in no queue now. Its page says what it needs." in said
    assert "✗ failed 1,1 api · gate" in said
    assert "number 1 of 1 in the queue shared" in words(await web.page("/status/change/2"))


async def test_a_quiet_status_says_so_and_filters_stand_in_the_address(web: WebHouse, house: PipelineHouse) -> None:
    assert "The queues are quiet." in words(await web.page("/status"))
    house.push("api", {"a.txt": "a\n"}, "Add a")
    house.push("client", {"a.txt": "a\n"}, "Add c")
    await house.settle()
    said = words(await web.page("/status?project=client"))
    assert ("Add c" in said, "Add a" in said) == (True, False)
    assert "The queues are quiet." in words(await web.page("/status?pipeline=gate"))
    said = words(await web.page("/status?change=1"))
    assert ("Add c" in said, "Add a" in said) == (False, True)


async def test_builds_are_listed_and_found_by_what_they_were(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    house.push("client", {"b.txt": "b\n"}, "Add b")
    await house.settle()
    build = house.dispatch.of(1)
    await house.fails(1)
    said = words(await web.page("/builds"))
    assert "✗ failure unit line 12 1,1 api check under 1 s" in said
    assert "▶ running unit 2,1 client check" in said
    assert "2,1" not in words(await web.page("/builds?result=failure&project=api"))
    assert "No build matches." in words(await web.page("/builds?job=nothing"))
    assert "Buildset in check" in words(await web.page(f"/buildset/{build.buildset}"))
    assert "There is no buildset" in words(await web.page(f"/buildset/{'0' * 32}", status=404))


async def test_a_build_shows_its_log_from_the_first_line_with_colours(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(1)
    log = web.logs.open(build.build, Scrubber({}))
    (web.logs.directory(build.build) / lineage.FILE).write_text(lineage.to_text(build), "utf-8")
    log.stream()(f"first\n\x1b[31mred\x1b[0m {EVIL}\n".encode())
    page = await web.page(f"/build/{build.build}")
    assert "The job is running." in words(page)
    assert f'data-live="build/{build.build},log/{build.build}"' in page
    assert '<a href="#L1">1</a><i>09:00:00</i><span>first</span></div>' in page
    assert f'<span><span class="f1">red</span> {html.escape(EVIL, quote=False)}</span>' in page
    assert EVIL not in page
    log.stream()(b"".join(b"line %d\n" % n for n in range(3, 13)))
    web.logs.close(build.build)
    await house.fails(1)
    page = await web.page(f"/build/{build.build}")
    assert "The job failed. First error: line 12 E assert 2 == 3" in words(page)
    assert '<div id="L12" class="error">' in page
    change = await web.page("/1")
    assert '<div id="verdict" data-region class="verdict bad"' in change
    assert (
        "▶ open ✗ failed Failed: unit check What was reported Correct it and push a new patch set, or comment "
        "“recheck” to have this one tested again. Not ready to be merged." in words(change)
    )
    assert f'Failed: <a href="/build/{build.build}">unit</a>' in change
    assert (
        "✗ Verified It needs Verified +2. gatebot voted Verified -1. Anybody who is signed in can upload a patch set "
        "that passes, or comment “recheck”." in words(change)
    )
    assert "this change: 1,1 Add a" in words(page)
    assert f"api main {build.commit[:12]}" in words(page)


async def test_of_a_huge_log_the_page_shows_the_ends_and_says_so(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(1).build
    log = web.logs.open(build, Scrubber({}))
    log.stream()(b"".join(b"this is line %d of a very long log\n" % n for n in range(1, 30_001)))
    web.logs.close(build)
    await house.passes(1)
    page = await web.page(f"/build/{build}")
    assert (page.count('<div id="L'), 'id="L3000"' in page, 'id="L27001"' in page) == (6000, True, True)
    assert "24000 lines are not shown here. Show lines from 3001" in words(page)
    page = await web.page(f"/build/{build}?from=3001")
    assert ('id="L3001"' in page, 'id="L6000"' in page, 'id="L3000"' in page) == (True, True, False)
    assert "Show lines from 6001" in words(page)


async def test_a_build_that_does_not_exist_is_not_found(web: WebHouse) -> None:
    assert "There is no build" in words(await web.page(f"/build/{'0' * 32}", status=404))


async def test_every_page_is_strict_about_what_it_loads(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(1)
    await web.sign_in("bob")
    paths = ["/", "/q/status:open", "/1", "/projects", "/project/api", "/status", "/status/change/1", "/builds"]
    paths += [f"/build/{build.build}", f"/buildset/{build.buildset}", "/login", "/settings", "/health", "/search?q=a"]
    for path in paths:
        async with web.client.get(path, headers={"Accept": "text/html"}) as answer:
            page = await answer.text()
            assert answer.status == 200, path
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<[^>]+\s(style|on\w+)=", page), path
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style", page), path
        assert page.count("<h1") == 1, path
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path


async def test_pages_speak_korean(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    korean = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5"}
    assert "1개 1 1,1 Add a api · ann ▶ 진행 중 작업이 실행 중입니다." in words(await web.page("/status", **korean))
    page = await web.page("/1", **korean)
    assert '<html lang="ko">' in page
    assert "아직 병합할 수 없습니다." in words(page)
    assert "찾을 수 없음 없거나, 볼 권한이 없습니다." in words(await web.page("/no/such/page", status=404, **korean))


async def test_a_wrong_password_is_told_and_nobody_is_led_astray(web: WebHouse) -> None:
    form = {"username": "bob", "password": "wrong", "next": "/status"}
    async with web.client.post("/login", data=form) as answer:
        assert answer.status == 401
        assert "Wrong user name or password." in words(await answer.text())
        assert "WWW-Authenticate" not in answer.headers
    for next in ("//evil.example.org", "https://evil.example.org", "/\\evil"):
        assert 'name="next" value="/"' in await web.page(f"/login?next={next}")


async def test_programs_get_errors_as_text(web: WebHouse) -> None:
    async with web.client.get("/c/api/+/99") as answer:
        assert (answer.status, answer.content_type) == (404, "text/plain")
        assert await answer.text() == "There is no change 99, or you may not see it.\n"


async def test_a_place_in_a_pipeline_is_asked_for_by_those_who_may(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    await house.passes(1)
    expected = {"ann": (403, 1), "bob": (202, 1), "root": (404, 99)}
    for name, (status, number) in expected.items():
        account = await house.identity.by_username(name)
        assert account is not None
        token = await house.identity.create_token(account.id, "test")
        asked = web.client.post(
            f"/api/change/{number}/enqueue",
            json={"pipeline": "check"},
            headers={"Authorization": f"Bearer {token}"},
        )
        async with asked as answer:
            assert answer.status == status, f"{name}: {await answer.text()}"
    await house.settle()
    assert house.running == {"check": [change.number]}


async def test_an_open_page_hears_news_and_the_log_in_one_stream_and_resumes(
    web: WebHouse, house: PipelineHouse
) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(1).build
    log = web.logs.open(build, Scrubber({}))
    log.stream()(b"one\n")
    size = web.logs.size(build)
    page = await web.page(f"/build/{build}")
    since = re.findall(r'data-since="(\d+)"', page)[0]
    query = {"topics": f"change/1,log/{build}", "since": since, "offset": "0"}
    async with web.client.get("/live", params=query) as answer:
        assert await event(answer) == f"retry: 1000 id: {since}:0"
        told = await event(answer)
        assert told.endswith(f"id: {since}:{size}")
        assert "| one\\n" in told
        await house.say((await house.room.reading.view(STRANGER, 1)).change, "hello")
        told = await event(answer)
        assert told.startswith("event: changed data: ")
        place = told.rpartition("id: ")[2]
        assert place.endswith(f":{size}")
    log.stream()(b"two\n")
    async with web.client.get("/live", params=query, headers={"Last-Event-ID": place}) as answer:
        assert await event(answer) == f"retry: 1000 id: {place}"
        told = await event(answer)
        assert "| two\\n" in told
        assert "one" not in told
        place = told.rpartition("id: ")[2]
    await an_answer_that_ends(web, query | {"every": "3"}, place)
    web.logs.close(build)


async def an_answer_that_ends(web: WebHouse, query: dict[str, str], place: str) -> None:
    """A browser of many windows asks again and again: all that is new at once, and when to come back."""
    async with web.client.get("/live", params=query) as answer:
        told = " ".join((await answer.text()).split())
        assert told.startswith(f"retry: 3000 id: {query['since']}:0")
        assert "event: changed" in told
        assert "| two\\n" in told
        assert told.endswith(f": still here id: {place}")
    async with web.client.get("/live", params=query, headers={"Last-Event-ID": place}) as answer:
        assert " ".join((await answer.text()).split()) == f"retry: 3000 id: {place} : still here id: {place}"
    for every in ("0", "x", "61", "-1"):
        async with web.client.get("/live", params=query | {"every": every}) as answer:
            assert answer.status == 400, every
            assert "1 to 60" in await answer.text()


async def event(answer: object) -> str:
    """The next message of a stream, on one line."""
    content = answer.content  # type: ignore[attr-defined]
    lines: list[str] = []
    while line := (await content.readline()).decode().strip():
        lines.append(line)
    return " ".join(lines)


async def test_a_dashboard_of_a_project_is_a_page_of_its_lists(web: WebHouse, house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    files = {"main": '[dashboard]\ntitle = All of ${project}\n[section "Open"]\nquery = is:open project:${project}\n'}
    kept = house.review.commit("api", files, "Dashboards\n")
    assert house.repositories.update_ref("api", "refs/meta/dashboards/team", "0" * 40, kept)
    page = await web.page("/p/api/+/dashboard/team:main")
    assert "All of api" in page
    assert "/q/is%3Aopen%20project%3Aapi" in page
    assert "Add a" in page
    assert '<a href="/p/api/+/dashboard/team:main">All of api</a>' in await web.page("/project/api")
    async with web.client.get("/p/api/+/dashboard/team:gone") as answer:
        assert answer.status == 404
        assert "The project api has no dashboard team:gone that you can see. Its page lists those that there are." in (
            await answer.text()
        )


async def test_addresses_of_gerrits_pages_lead_to_those_here(web: WebHouse, house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    here = f"/c/api/+/{change.number}"
    for asked, there in {
        f"/{change.number}/": f"/{change.number}", f"/c/{change.number}": here,
        f"/c/{change.number}/1/a.txt": f"{here}/1/a.txt",
        f"{here}/": here, f"{here}/1/": f"{here}/1", f"{here}/comments": here, f"{here}/edit/a.txt,edit": here,
        f"{here}/comments/abc/": f"{here}/comment/abc/", f"/q/{change.number}": here, f"/q/{change.change_id}": here,
        "/admin/repos/api,access": "/project/api", "/admin/repos": "/projects", "/settings/": "/settings",
        "/login/q/status:open": "/login?next=/q/status:open",
        f"{here}/a.txt": f"{here}/1/a.txt", f"{here}/a.txt@1": f"{here}/1/a.txt#1",
        f"{here}/1/a.txt@1": f"{here}/1/a.txt#1",
        f"{here}/1/readme@b1?view=side": f"{here}/1/readme?view=side#b1",
        f"{here}/1//COMMIT_MSG@7": f"{here}/1//COMMIT_MSG#7",
        f"{here}/-1..1/a.txt@a2": f"{here}/1/a.txt#b2", f"{here}/-1..1": f"{here}/1",
        "/Documentation/rest-api-changes.html": "/openapi.json", "/Documentation/user-search.html": "/q/status:open",
        "/Documentation/": "/", "/Documentation": "/", "/id/I1234": "/q/I1234",
        "/profile": "/settings", f"{here}/?tab=comments": f"{here}?tab=comments",
    }.items():  # fmt: skip
        async with web.client.get(asked, allow_redirects=False) as answer:
            assert (answer.status, answer.headers.get("Location")) == (302, there), asked
    assert (await web.client.get("/c/99/1", allow_redirects=False)).status == 404
    wrong = await web.client.delete("/search")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET,HEAD")
    for asked in ("/config/server/frob", "/plugins/none/"):
        missing = await web.client.get(asked)
        told = f"There is nothing at {asked}. /openapi.json lists every address that programs can ask.\n"
        assert (missing.status, await missing.text()) == (404, told)
    odd = house.push("api", {"b@5": "b\n"}, "Add a file whose name ends like an address")
    assert "b@5" in await web.page(f"/c/api/+/{odd.number}/1/b@5")
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for asked in ("/projects/demo/api", "/plugins/gitiles/demo/api/+/refs/heads/main"):
        async with web.client.get(asked, headers=browser, allow_redirects=False) as answer:
            assert (answer.status, answer.headers.get("Location")) == (302, "/project/demo/api"), asked
        assert (await web.client.get(asked, headers={"Accept": "text/html, */*"})).content_type == "text/plain"
    for git in ("/projects/tools/info/refs", "/plugins/gitiles/info/refs", "/plugins/gitiles/lib/info/refs"):
        async with web.client.get(git, headers=browser, allow_redirects=False) as answer:
            assert answer.status == 404, f"{git}: not git's, but to {answer.headers.get('Location')}"
    lost = await web.page("/c/api/+/999", status=404)
    assert "There is no change 999, or you may not see it. Signing in may help. Home" in words(lost)
    assert 'action="/search"' in lost.partition("<main")[2]

    assert "No change has the id “I0000”, or you may not see it." in words(await web.page("/q/I0000"))
    assert "Add a" in await web.page("/q/status:open,0")
