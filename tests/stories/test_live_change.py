# SPDX-License-Identifier: Apache-2.0
"""The page of a change stays true while others act on it, and what is being written on it stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fakes.site import RunningSite
from tests.stories.test_browser import new_page, sign_in, with_password


@pytest.fixture
def ann(browser: Browser, site: RunningSite) -> Iterator[Page]:
    """Ann's browser, signed in, on a common screen."""
    with_password(site, "ann")
    viewport = {"width": 1280, "height": 800}
    context = browser.new_context(base_url=site.url, locale="en-GB", viewport=viewport)  # pyright: ignore[reportArgumentType]
    context.set_default_timeout(15_000)
    page = new_page(context)
    page.goto("/projects")
    sign_in(page, "ann")
    yield page
    context.close()


def shown(page: Page, change: int) -> None:
    """The page of the change is there and follows the news."""
    page.goto(f"/c/api/+/{change}")
    expect(page.locator("#live")).to_contain_text("live")
    page.evaluate("window.neverReloaded = true")


def buttons(page: Page) -> Locator:
    """What may be done beside replying."""
    return page.locator("#reply button[name=do]:not(.primary)")


def test_buttons_votes_and_topic_follow_what_others_do_while_a_reply_is_written(site: RunningSite, ann: Page) -> None:
    rest = site.person("ann").rest
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    shown(ann, change)
    ann.get_by_label("Say something").fill("I am not done")
    expect(buttons(ann)).to_have_text(["recheck", "Abandon the change"])
    rest.call("POST", f"/changes/{change}/wip", {})
    expect(buttons(ann)).to_have_text(["recheck", "Mark as ready", "Abandon the change"])
    rest.call("PUT", f"/changes/{change}/topic", {"topic": "letters"})
    rest.call("POST", f"/changes/{change}/hashtags", {"add": ["two words"]})
    expect(ann.locator("#crumbs")).to_have_text("api · main · letters · #two words")
    rest.call("POST", f"/changes/{change}/abandon", {})
    expect(buttons(ann)).to_have_text(["Restore"])
    rest.call("POST", f"/changes/{change}/restore", {})
    rest.call("POST", f"/changes/{change}/ready", {})
    expect(buttons(ann)).to_have_text(["recheck", "Abandon the change"])
    expect(ann.get_by_label("Say something")).to_have_value("I am not done")
    expect(ann.get_by_label("Say something")).to_be_focused()
    assert ann.evaluate("window.neverReloaded")
    votes_follow(site, ann, change)
    ann.get_by_role("link", name="#two words").click()
    expect(ann.locator("#changes-rows")).to_contain_text("Add a")


def test_more_windows_than_a_browser_has_connections_all_follow(site: RunningSite, ann: Page) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    windows = [ann, *(new_page(ann.context) for _ in range(7))]
    for window in windows:
        shown(window, change)
    site.person("bob").review(change, Code_Review=2)
    for window in windows:
        expect(window.locator("#rail .vote", has_text="+2")).to_have_count(1)
        assert window.evaluate("window.neverReloaded")
    streams = "navigator.locks.query().then(all => [all.held.length, all.pending.length])"
    assert ann.evaluate(streams) == [3, 15]
    windows[0].goto("/projects")
    windows[1].close()
    site.person("bob").review(change, Code_Review=1)
    for window in windows[2:]:
        expect(window.locator("#rail .vote", has_text="+1")).to_have_count(1)
    assert ann.evaluate(streams)[0] == 3


def votes_follow(site: RunningSite, ann: Page, change: int) -> None:
    """What may be voted is true without a reload, what was chosen and typed stays."""
    person = site.person("ann")
    review, workflow = ann.get_by_label("Code-Review"), ann.get_by_label("Workflow")
    review.select_option("1")
    review.focus()
    person.review(change, Workflow=-1)
    expect(workflow).to_have_value("-1")
    expect(review).to_have_value("1")
    expect(review).to_be_focused()
    workflow.select_option("0")
    rules = {"Registered Users": {"action": "BLOCK", "min": -1, "max": 1}}
    blocked = {"refs/heads/*": {"permissions": {"label-Workflow": {"rules": rules}}}}
    site.person("admin").rest.call("POST", "/projects/api/access", {"add": blocked})
    expect(workflow).to_have_count(0)
    expect(ann.locator("#lost")).to_have_text(
        "You had chosen Workflow 0, which you may not give any more: your rights or the state of the change are not "
        "what they were. Your text goes without it. Ask an owner of the project if you should be able to give it."
    )
    expect(review).to_have_value("1")
    person.rest.call("PUT", f"/changes/{change}/edit:message", {"message": "Add a, as before"})
    person.rest.call("POST", f"/changes/{change}/edit:publish", {})
    expect(ann.locator("#my-votes")).to_contain_text("Votes count on patch set 2, the newest one. Show patch set 2")
    expect(ann.locator("#waiting")).to_have_text(
        "You had chosen Code-Review +1. It counts on patch set 2 only: from here your text goes without it; "
        "on the newest patch set it is still chosen."
    )
    ann.get_by_label("Say something").press("Control+Enter")
    expect(ann.locator("#waiting")).to_have_text("Press again to send your text without Code-Review +1.")
    ann.get_by_role("link", name="Show patch set 2").click()
    expect(review).to_have_value("1")
    expect(ann.locator("#lost")).to_contain_text("You had chosen Workflow 0, which you may not give any more")
    expect(ann.get_by_role("dialog").get_by_label("Say something")).to_have_value("I am not done")
    ann.keyboard.press("Escape")


def test_nothing_of_a_patch_set_that_is_only_announced_is_mixed_in(site: RunningSite, ann: Page) -> None:
    person = site.person("ann")
    change = person.propose("api", "Add a", {"a.txt": "a\n"})
    person.hears(change, "Build succeeded")
    shown(ann, change)
    first = str(person.detail(change)["current_revision"])[:12]
    expect(ann.locator("#rail")).to_contain_text(first)
    person.rest.call("PUT", f"/changes/{change}/edit:message", {"message": "Add b"})
    person.rest.call("POST", f"/changes/{change}/edit:publish", {})
    expect(ann.locator("#arrived")).to_contain_text("A new patch set has come.")
    person.rest.call("PUT", f"/changes/{change}/topic", {"topic": "letters"})
    expect(ann.locator("#crumbs")).to_contain_text("letters")
    second = str(person.detail(change)["current_revision"])[:12]
    expect(ann.locator("#rail")).to_contain_text(first)
    expect(ann.locator("#rail .command pre")).to_contain_text(f"/{change}/1 && git checkout")
    assert second not in ann.content()
    assert ann.title().startswith(f"{change} Add a")
    ann.get_by_role("link", name="Show what changed").click()
    expect(ann).to_have_url(re.compile(r"1\.\.2$"))
    expect(ann.locator("#rail")).to_contain_text(second)


def test_a_vote_is_one_line_beside_a_note(site: RunningSite, ann: Page) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    site.person("bob").review(change, Code_Review=2)
    site.person("ann").rest.call("PUT", f"/changes/{change}/edit:message", {"message": "Add a, again"})
    site.person("ann").rest.call("POST", f"/changes/{change}/edit:publish", {})
    shown(ann, change)
    vote = ann.locator("#rail .vote", has_text="+2")
    expect(vote).to_have_count(1)
    expect(ann.locator("#rail tr", has_text="+2")).to_contain_text("from an earlier patch set")
    expect(vote).to_have_css("white-space", "nowrap")


@pytest.mark.parametrize("view", ["side", "unified"])
@pytest.mark.parametrize("width", [1280, 400])
def test_a_comment_that_is_begun_leaves_the_chosen_row_as_wide_as_it_was(
    site: RunningSite, ann: Page, view: str, width: int
) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "one\ntwo\nthree\n"})
    ann.set_viewport_size({"width": width, "height": 800})
    ann.goto(f"/c/api/+/{change}/1/a.txt?view={view}")
    current = "unified" if width == 400 else view
    expect(ann.locator("a[data-view][aria-current]")).to_have_attribute("data-view", current)
    row = ann.locator("#lines tr", has_text="two")
    before = row.locator("td").evaluate_all("all => all.map(one => Math.round(one.getBoundingClientRect().width))")
    ann.keyboard.press("j")
    ann.keyboard.press("j")
    expect(row).to_have_attribute("aria-selected", "true")
    ann.keyboard.press("c")
    expect(ann.get_by_label("Comment", exact=True)).to_be_focused()
    after = row.locator("td").evaluate_all("all => all.map(one => Math.round(one.getBoundingClientRect().width))")
    assert after == before


def test_what_was_typed_into_the_reply_survives_a_reload(site: RunningSite, ann: Page) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    shown(ann, change)
    ann.get_by_role("link", name="Reply").click()
    ann.get_by_role("dialog").get_by_label("Say something").fill("I am not done")
    ann.reload()
    expect(ann.get_by_label("Say something")).to_have_value("I am not done")
    ann.get_by_role("button", name="Send").click()
    expect(ann.locator("#messages")).to_contain_text("I am not done")
    expect(ann.get_by_label("Say something")).to_have_value("")


def test_a_reply_that_never_arrived_is_still_there_to_be_sent(site: RunningSite, ann: Page) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    shown(ann, change)
    ann.get_by_role("link", name="Reply").click()
    ann.get_by_role("dialog").get_by_label("Say something").fill("Sent into the void")
    ann.route("**/*", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    ann.get_by_role("button", name="Send").click()
    ann.wait_for_url("chrome-error://**")
    ann.unroute_all()
    shown(ann, change)
    expect(ann.get_by_label("Say something")).to_have_value("Sent into the void")
    ann.get_by_role("button", name="Send").click()
    expect(ann.locator("#messages")).to_contain_text("Sent into the void")
    assert "#" not in ann.url
    expect(ann.get_by_label("Say something")).to_have_value("")


def test_the_keys_told_are_those_that_the_page_has(site: RunningSite, ann: Page) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    keys = ann.get_by_role("dialog").locator("kbd")
    shown(ann, change)
    ann.keyboard.press("?")
    told = keys.all_text_contents()
    assert "Ctrl+Enter" in told
    assert "a" in told
    assert {"j", "o"} <= set(told)
    assert "e" not in told
    ann.goto("/q/status:open")
    ann.keyboard.press("?")
    told = keys.all_text_contents()
    assert "o" in told
    assert not {"e", "Ctrl+Enter"} & set(told)
