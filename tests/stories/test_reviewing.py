# SPDX-License-Identifier: Apache-2.0
"""A reviewer's day in a real browser: forty changes wait, ten are voted on by keys alone; drafts on lines, live."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gatebot.access import Actor
from gatebot.review.edits.creating import NewChange
from gatebot.review.model import ReviewerState
from tests.fakes.site import RunningSite
from tests.stories.test_browser import accessible, new_page, sign_in, with_password

TEXT = "".join(f"line {number}\n" for number in range(1, 61))


@pytest.fixture
def bob(browser: Browser, site: RunningSite) -> Iterator[Page]:
    """Bob's browser, signed in."""
    yield from _signed_in(browser, site, "bob")


@pytest.fixture
def ann(browser: Browser, site: RunningSite) -> Iterator[Page]:
    """Ann's."""
    yield from _signed_in(browser, site, "ann")


def _signed_in(browser: Browser, site: RunningSite, name: str) -> Iterator[Page]:
    with_password(site, name)
    context: BrowserContext = browser.new_context(base_url=site.url, locale="en-GB", timezone_id="Asia/Seoul")
    context.set_default_timeout(15_000)
    page = new_page(context)
    page.goto("/projects")
    sign_in(page, name)
    yield page
    context.close()


def waiting(site: RunningSite, count: int) -> list[int]:
    """Changes of Ann that wait for Bob."""

    async def make() -> list[int]:
        identity, room = site.app.identity, site.app.review
        by = [await identity.by_username(name) for name in ("ann", "bob")]
        ann, bob = (Actor(one.id, one.groups, one.username) for one in by if one is not None)
        assert bob.account is not None
        numbers: list[int] = []
        for number in range(count):
            made = (await room.creating.create(ann, NewChange("api", "main", f"Say it in way {number}"))).change
            await room.review.add_reviewer(ann, made.number, bob.account, ReviewerState.REVIEWER)
            numbers.append(made.number)
        return numbers

    return site.do(make(), 120)


async def rewritten(site: RunningSite, change: int, path: str, text: str) -> None:
    """A file with another text, as the next patch set, by Ann."""
    room, account = site.app.review, await site.app.identity.by_username("ann")
    assert account is not None
    ann = Actor(account.id, account.groups, account.username)
    found = await room.reading.find(ann, str(change))
    await room.edits.write(ann, found, path, text.encode())
    await room.edits.publish(ann, found)


def subject(page: Page, number: int) -> None:
    """The page of this change is there, and its script has run."""
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(rf"{number} Say it in way"))
    expect(page.get_by_role("link", name="Reply")).to_be_visible()


def test_ten_of_forty_waiting_changes_are_voted_on_by_keys_alone(site: RunningSite, bob: Page) -> None:
    numbers = waiting(site, 40)
    bob.keyboard.press("g")
    bob.keyboard.press("t")
    expect(bob.get_by_role("heading", level=1)).to_have_text("Your changes")
    expect(bob.locator("#n-1")).to_have_text("40")
    bob.keyboard.press("j")
    bob.keyboard.press("j")
    expect(bob.locator("tr[aria-selected='true']")).to_contain_text("Say it in way 1")
    expect(bob.locator("tr[aria-selected='true']")).to_contain_text("You were asked for a review.")
    bob.keyboard.press("k")
    bob.keyboard.press("o")
    for at, number in enumerate(numbers[:10]):
        subject(bob, number)
        expect(bob.locator("#walk")).to_contain_text(f"{at + 1} / 40")
        bob.keyboard.press("a")
        expect(bob.get_by_role("dialog").get_by_label("Say something")).to_be_focused()
        bob.keyboard.type("Fine.")
        bob.keyboard.press("Tab")
        bob.keyboard.type("+1")
        bob.keyboard.press("Control+Enter")
        expect(bob.locator("#messages")).to_contain_text("Fine.")
        subject(bob, number)
        bob.keyboard.press("x")
    subject(bob, numbers[10])
    bob.keyboard.press("u")
    expect(bob.get_by_role("heading", level=1)).to_have_text("Your changes")
    expect(bob.locator("#n-1")).to_have_text("30")
    expect(bob.locator("tr[aria-selected='true']")).to_contain_text("Say it in way 10")
    votes = [site.person("bob").rest.get(f"/changes/{number}/reviewers/bob/votes") for number in numbers[:11]]
    assert [one.get("Code-Review", 0) for one in votes] == [1] * 10 + [0]


def test_a_draft_is_kept_while_it_is_written_and_published_with_the_vote(
    site: RunningSite, bob: Page, ann: Page
) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": TEXT})
    ann.goto(f"/c/api/+/{change}/1/a.txt")
    bob.goto(f"/c/api/+/{change}/1/a.txt")
    for page in (ann, bob):
        expect(page.locator("#live")).to_contain_text("live")
        page.evaluate("window.neverReloaded = true")
    bob.keyboard.press("j")
    bob.keyboard.press("j")
    bob.keyboard.press("c")
    bob.get_by_label("Comment", exact=True).fill("Why two?")
    expect(bob.locator("form.editor [role=status]")).to_have_text("draft saved")
    bob.keyboard.press("Control+Enter")
    expect(bob.locator("tr.note .remark.draft")).to_contain_text("Why two?")
    accessible(bob)
    expect(ann.locator("tr.note")).to_have_count(0)
    bob.locator("td.code", has_text=re.compile(r"\+line 5$")).select_text()
    bob.get_by_role("button", name="Comment", exact=True).click()
    bob.get_by_label("Comment", exact=True).fill("Say more.")
    assert bob.evaluate("window.neverReloaded")
    bob.goto(f"/c/api/+/{change}")  # what was just typed is kept for who leaves
    bob.goto(f"/c/api/+/{change}/1/a.txt")
    expect(bob.locator("tr.note .remark.draft")).to_have_count(2)

    bob.get_by_role("link", name="Reply").click()
    dialog = bob.get_by_role("dialog")
    expect(dialog).to_contain_text("Publish your drafts: 2")
    accessible(bob)
    dialog.get_by_label("Code-Review").select_option("-1")
    dialog.get_by_role("button", name="Send").click()
    expect(bob.locator("#messages")).to_contain_text("(2 comments)")

    expect(ann.locator(".thread")).to_have_count(2)
    expect(ann.locator("tr:has(+ tr.note) .code").first).to_contain_text("line 2")
    ann.locator(".thread").first.get_by_role("button", name="Done").click()
    expect(ann.locator(".thread").first).to_contain_text("draft, only you see it")
    expect(ann.locator(".thread").first).to_contain_text("Done.")
    ann.get_by_role("link", name="Reply").click()
    ann.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(ann.locator("#messages")).to_contain_text("(1 comment)")
    comments = site.person("bob").rest.get(f"/changes/{change}/comments")["a.txt"]
    assert [(one["message"], one["line"], one["unresolved"]) for one in comments] == [
        ("Why two?", 2, True), ("Say more.", 5, True), ("Done.", 2, False),
    ]  # fmt: skip
    assert comments[1]["range"] == {"start_line": 5, "start_character": 0, "end_line": 5, "end_character": 6}
    threads_are_answered_on_the_page_of_the_change(ann)


def threads_are_answered_on_the_page_of_the_change(ann: Page) -> None:
    """In the conversation, and below the differences."""
    more = ann.locator("#messages .said", has_text="Say more.")
    more.get_by_role("button", name="Quote").click()
    expect(ann.locator("form.editor textarea")).to_have_value("> Say more.\n\n")
    ann.locator("form.editor textarea").fill("I did.")
    ann.keyboard.press("Control+Enter")
    expect(more).to_contain_text("draft, only you see it")
    below = ann.locator("tr.note .thread", has_text="Say more.")
    expect(below).to_contain_text("I did.")
    below.get_by_role("button", name="Discard").click()
    expect(more).not_to_contain_text("I did.")
    below.get_by_role("button", name="Acknowledge").click()
    expect(more).to_contain_text("Acknowledged.")
    accessible(ann)


def test_what_is_written_survives_the_news_of_others(site: RunningSite, bob: Page) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Add a", {"a.txt": TEXT})
    bob.goto(f"/c/api/+/{change}/1/a.txt?view=unified")
    expect(bob.locator("#live")).to_contain_text("live")
    bob.get_by_role("button", name="Comment on line 3", exact=True).click()
    field = bob.get_by_label("Comment", exact=True)
    field.fill("I am not done")
    lines, form = bob.locator("#lines tr").first.bounding_box(), bob.locator("form.editor").bounding_box()
    assert lines is not None
    assert form is not None
    assert form["width"] <= lines["width"]
    body = {"path": "a.txt", "line": 3, "message": "Mine was first.", "unresolved": True}
    ann.rest.call("POST", f"/changes/{change}/revisions/1/review", {"comments": {"a.txt": [body]}})
    # His own draft, saved meanwhile, is there too, but hidden while he writes it.
    expect(bob.locator("tr.note .thread:visible")).to_contain_text("Mine was first.")
    expect(field).to_have_value("I am not done")
    expect(field).to_be_focused()


def test_lines_are_unfolded_and_files_walked_without_a_mouse(site: RunningSite, bob: Page) -> None:
    first = site.person("ann").propose("api", "Add a and b", {"a.txt": TEXT, "b.txt": "b\n"})
    site.person("bob").approve(first)
    change = site.person("ann").propose("api", "Add c and d", {"c.txt": TEXT, "d.txt": "d\n"})
    bob.goto(f"/c/api/+/{change}")
    bob.keyboard.press("]")
    expect(bob.get_by_role("heading", level=1)).to_have_text("c.txt")
    bob.keyboard.press("r")
    expect(bob.get_by_role("button", name="Reviewed")).to_have_attribute("aria-pressed", "true")
    bob.keyboard.press("n")
    expect(bob.locator("#lines tr[aria-selected='true']")).to_contain_text("line 1")
    bob.keyboard.press("?")
    expect(bob.get_by_role("dialog")).to_contain_text("mark the file as reviewed, or not")
    bob.keyboard.press("Escape")
    bob.keyboard.press("]")
    expect(bob.get_by_role("heading", level=1)).to_have_text("d.txt")
    bob.keyboard.press("[")
    bob.keyboard.press("u")
    expect(bob.get_by_role("heading", level=1)).to_contain_text("Add c and d")
    expect(bob.locator(".filelist li", has_text="c.txt")).to_contain_text("☑")
    expect(bob.locator(".filelist li", has_text="d.txt")).to_contain_text("☐")
    for _ in range(3):
        bob.keyboard.press("j")
    expect(bob.locator(".filelist").get_by_role("link", name="d.txt")).to_be_focused()
    bob.keyboard.press("r")
    expect(bob.locator(".filelist li", has_text="d.txt")).to_contain_text("☑")
    bob.keyboard.press("k")
    bob.keyboard.press("o")
    expect(bob.get_by_role("heading", level=1)).to_have_text("c.txt")
    for _ in range(2):
        bob.keyboard.press("n")
    expect(bob.locator("#ended")).to_have_text("That was the last difference: n again leads to the next file.")
    bob.keyboard.press("n")
    expect(bob.get_by_role("heading", level=1)).to_have_text("d.txt")
    bob.keyboard.press("M")
    expect(bob.get_by_role("heading", level=1)).to_contain_text("Add c and d")
    site.do(rewritten(site, change, "c.txt", TEXT.replace("line 9\n", "line nine\n")))
    bob.goto(f"/c/api/+/{change}/1..2/c.txt@b9")
    expect(bob).to_have_url(re.compile(r"/1\.\.2/c\.txt#b9$"))
    expect(bob.locator("#lines tr[aria-selected='true']")).to_contain_text("line nine")
    folded = bob.get_by_role("link", name="all 41 equal lines")
    folded.scroll_into_view_if_needed()
    expect(folded).to_be_in_viewport()
    folded.click()
    expect(bob.locator("#lines")).to_contain_text("line 60")
    expect(bob.locator("#lines")).to_contain_text("line 30")


def test_a_new_patch_set_is_told_and_not_put_under_the_readers_eyes(site: RunningSite, bob: Page) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Add a", {"a.txt": "one\n"})
    bob.goto(f"/c/api/+/{change}")
    expect(bob.locator("#live")).to_contain_text("live")
    ann.rest.call("PUT", f"/changes/{change}/edit:message", {"message": ann.detail(change)["subject"] + " again"})
    ann.rest.call("POST", f"/changes/{change}/edit:publish", {})
    expect(bob.locator("#arrived")).to_contain_text("A new patch set has come.")
    bob.get_by_role("link", name="Show what changed").click()
    expect(bob).to_have_url(re.compile(rf"/c/api/\+/{change}/1\.\.2$"))


@pytest.mark.parametrize(("scheme", "language"), [("light", "ko-KR"), ("dark", "en-GB")])
def test_the_pages_fit_a_telephone_in_both_themes_and_languages(
    site: RunningSite, browser: Browser, scheme: str, language: str
) -> None:
    first = site.person("ann").propose("api", "Add a", {"a.py": "def old() -> int:\n    return 1  # one\n" + TEXT})
    long = "a" * 300
    body = {"path": "a.py", "line": 2, "message": f"{long}\n```suggestion\n{long}\n```", "unresolved": True}
    site.person("bob").rest.call("POST", f"/changes/{first}/revisions/1/review", {"comments": {"a.py": [body]}})
    context = browser.new_context(
        base_url=site.url, color_scheme="dark" if scheme == "dark" else "light", locale=language,
        viewport={"width": 360, "height": 740},
    )  # fmt: skip
    page = context.new_page()
    lists = "/dashboard/?title=T&Open=status:open&Odd=colour:blue"
    for path in (f"/c/api/+/{first}/1/a.py", f"/c/api/+/{first}/1/a.py?view=unified", "/dashboard/ann", lists):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        accessible(page)
    context.close()
