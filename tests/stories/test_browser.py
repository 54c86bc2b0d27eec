# SPDX-License-Identifier: Apache-2.0
"""What a person does with a real browser: sign in, vote, watch a change merge; with and without scripts, by axe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from gatebot.executor.scrub import Scrubber
from tests.fakes.site import ZUUL, Builds, RunningSite

T = TypeVar("T")
PASSWORD = "correct horse battery"


@pytest.fixture
def person(browser: Browser, site: RunningSite) -> Iterator[BrowserContext]:
    """Bob's browser."""
    with_password(site, "bob")
    context = browser.new_context(base_url=site.url, locale="en-GB", timezone_id="Asia/Seoul")
    context.set_default_timeout(15_000)
    yield context
    context.close()


def with_password(site: RunningSite, name: str) -> None:
    async def give() -> None:
        account = await site.app.identity.by_username(name)
        assert account is not None
        await site.app.identity.set_password(account.id, PASSWORD)

    site.do(give())


def new_page(context: BrowserContext, complaints: list[str] | None = None) -> Page:
    """A tab; what its console complains of is collected."""
    page = context.new_page()
    if complaints is not None:
        page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def sign_in(page: Page, name: str = "bob") -> None:
    """By the form, from the page that is open."""
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def accessible(page: Page) -> None:
    """No violation of WCAG 2.2 A and AA that axe can see."""
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=options).response["violations"]
    told = [f"{one['id']}: {node['target']} {node['html'][:120]}" for one in found for node in one["nodes"]]
    assert not told, f"{page.url}\n" + "\n".join(told)


def test_a_reviewer_votes_and_watches_the_change_merge_without_reloading(
    site: RunningSite, person: BrowserContext, builds: Builds
) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    site.person("ann").hears(change, "Build succeeded")
    complaints: list[str] = []
    page = new_page(person, complaints)
    page.goto("/")
    page.get_by_role("link", name=f"{change} Add a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{change} Add a")
    sign_in(page)
    accessible(page)
    watching = new_page(person, complaints)
    watching.goto("/status")
    expect(watching.locator("#live")).to_contain_text("live")
    expect(watching.get_by_text("The queues are quiet.")).to_be_visible()
    for tab in (page, watching):
        tab.evaluate("window.neverReloaded = true")

    page.get_by_label("Code-Review").select_option("2")
    page.get_by_label("Workflow").select_option("1")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("#rail")).to_contain_text("Code-Review +2 by bob.")
    item = watching.locator("#pipelines .item")
    expect(item).to_contain_text(f"{change},1 Add a")
    expect(item).to_contain_text("tested on top of the branch as it is")
    accessible(watching)
    expect(page.locator("#verdict")).to_have_text(re.compile(r"open\s+Number 1 of 1 in the queue integrated\.\s*$"))
    page.evaluate("window.neverReloaded = true")
    builds.finish("gate", change)
    expect(page.locator("#verdict")).to_contain_text("The change is merged.")
    expect(watching.get_by_text("The queues are quiet.")).to_be_visible()
    expect(watching.locator("#departed")).to_contain_text(re.compile(rf"merged\s+{change},1"))
    assert [tab.evaluate("window.neverReloaded") for tab in (page, watching)] == [True, True]
    accessible(page)
    accessible(watching)
    assert complaints == []


def test_a_page_that_could_not_be_fetched_is_fetched_again(site: RunningSite, person: BrowserContext) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    ann.hears(change, "Build succeeded")
    page = new_page(person)
    page.goto(f"/c/api/+/{change}")
    expect(page.locator("#live")).to_contain_text("live")
    failures: list[str] = []

    def fail(route: Route) -> None:
        failures.append(route.request.url)
        route.abort() if len(failures) == 1 else route.fulfill(status=502)

    page.route(f"**/c/api/+/{change}/1", fail, times=2)  # the patch set that the page shows
    ann.review(change, "Once more.")
    expect(page.locator("#messages")).to_contain_text("Once more.")
    assert len(failures) == 2


def test_a_log_grows_in_the_page_while_the_build_runs(
    site: RunningSite, person: BrowserContext, builds: Builds
) -> None:
    builds.rule = lambda build: None
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    build = builds.runs("check", change).build
    page = new_page(person)
    page.goto(f"/build/{build}")
    expect(page.get_by_text("Nothing is printed yet.")).to_be_visible()
    logs = site.app.logs
    log = site.do(_call(lambda: logs.open(build, Scrubber({}))))
    page.reload()
    site.do(_call(lambda: log.stream()(b"one\n\x1b[31mtwo <b>\x1b[0m\n")))
    expect(page.locator("#log > div")).to_have_count(2)
    expect(page.locator("#L2 > span")).to_have_text("two <b>")
    expect(page.locator("#L2 .f1")).to_have_text("two <b>")
    site.do(_call(lambda: log.stream()(b"three\n")))
    expect(page.locator("#L3 > span")).to_have_text("three")
    page.locator("#L3 > a").click()
    expect(page.locator("#L3")).to_have_class("chosen")
    accessible(page)
    expect(page.locator("#log-state")).to_have_text("The log grows while the build runs.")
    site.do(_call(lambda: logs.close(build)))
    builds.finish("check", change, "FAILURE")
    expect(page.locator("#verdict")).to_contain_text("The job failed.")
    expect(page.locator("#log-state")).to_have_text("")


async def _call(what: Callable[[], T]) -> T:
    return what()


def test_a_click_on_a_lines_number_begins_a_comment_on_it(site: RunningSite, person: BrowserContext) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "one\ntwo\n"})
    page = new_page(person)
    page.goto(f"/{change}")
    sign_in(page)
    page.get_by_role("button", name="Comment on line 2").click()
    page.get_by_role("textbox", name="Comment", exact=True).fill("Why two?")
    accessible(page)
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator("tr.note")).to_contain_text("draft, only you see it")
    expect(page.locator("#my-drafts")).to_contain_text("Publish your drafts: 1")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("tr.note")).to_contain_text("Why two?")
    expect(page.locator("tr.note")).not_to_contain_text("draft")
    expect(page.locator("tr:has(+ tr.note) .code")).to_contain_text("two")


def test_what_a_change_of_configuration_does_is_fetched_when_it_is_opened(
    site: RunningSite, person: BrowserContext
) -> None:
    files = {".zuul.yaml": ZUUL.replace("run: ci/unit", "run: ci/unit, timeout: 77")}
    change = site.person("ann").propose("api", "Give unit less time", files)
    complaints: list[str] = []
    page = new_page(person, complaints)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/trial/" in request.url else None)
    page.goto(f"/c/api/+/{change}")
    trial = page.locator("#trial-of")
    assert not asked
    trial.locator("summary").first.click()
    expect(trial.get_by_role("row", name=re.compile("changed unit"))).to_contain_text("timeout 3600 → 77")
    expect(trial).not_to_have_attribute("aria-busy", "true")
    accessible(page)
    trial.get_by_text("2 graphs").click()
    expect(trial.get_by_role("listitem").first).to_have_text("api check, main")
    assert len(asked) == 1
    assert not complaints


def test_everything_works_without_scripts(site: RunningSite, browser: Browser, builds: Builds) -> None:
    with_password(site, "bob")
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/{change}")
    for name in ("Light or dark", "Keys ?", "Copy"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.locator("footer")).to_contain_text("Times are UTC.")
    expect(page.locator("footer")).not_to_contain_text("Times are in your zone")
    sign_in(page)
    expect(page.locator("#file-1")).to_contain_text("a.txt")
    page.get_by_label("Say something").fill("I read it.")
    page.get_by_label("Code-Review").select_option("2")
    page.get_by_label("Workflow").select_option("1")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#messages")).to_contain_text("I read it.")
    builds.runs("gate", change)
    page.goto("/status")
    expect(page.locator(".item")).to_contain_text(f"{change},1 Add a")
    context.close()


@pytest.mark.parametrize(("scheme", "language"), [("light", "ko-KR"), ("dark", "en-GB")])
def test_pages_fit_a_telephone_in_both_themes_and_languages(
    site: RunningSite, browser: Browser, builds: Builds, scheme: str, language: str
) -> None:
    ann = site.person("ann")
    change = ann.propose("api", f"Add {'a-very-long-word-' * 8}", {"a.txt": "a" * 300 + "\n"})
    ann.hears(change, "Build succeeded")
    site.person("bob").approve(change)
    build = builds.runs("gate", change)
    context = browser.new_context(
        base_url=site.url, color_scheme="dark" if scheme == "dark" else "light", locale=language,
        viewport={"width": 360, "height": 740},
    )  # fmt: skip
    page = context.new_page()
    paths = ["/", "/q/status:open", f"/c/api/+/{change}", "/projects", "/project/api", "/status", "/builds", "/login"]
    paths += [
        f"/trial/{change}",
        f"/status/change/{change}",
        f"/build/{build.build}",
        f"/buildset/{build.buildset}",
        "/health",
    ]
    paths += [
        "/jobs",
        "/job/unit",
        "/freeze",
        "/freeze?project=api&pipeline=gate",
        "/config-errors",
        "/semaphores",
        "/autoholds",
        f"/trial/{change}",
    ]
    paths += ["/buildsets", "/search?q=add", "/meetings/", "/irclogs/", "/no/such/page"]
    for path in paths:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{path} is {width} px wide"
        accessible(page)
    context.close()


def test_keys_lead_from_page_to_page_and_times_count_on(site: RunningSite, person: BrowserContext) -> None:
    site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    page = new_page(person)
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_have_text("Open changes")
    page.keyboard.press("j")
    expect(page.locator("tr[aria-selected='true']")).to_contain_text("Add a")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Add a")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("this help")
    own = page.locator("[data-help]").first.get_attribute("data-help") or "none"
    expect(page.get_by_role("dialog").locator("dd").first).to_have_text(own)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    # How long ago something was counts on while one looks.
    page = new_page(person)
    page.clock.install()
    page.goto("/q/status:open")
    ago = page.locator("time[data-relative]").first
    at = page.evaluate("at => Date.parse(at)", ago.get_attribute("datetime"))
    for seconds, told in ((130, "2 minutes ago"), (7300, "2 hours ago"), (180_000, "2 days ago")):
        page.clock.pause_at((at + seconds * 1000) / 1000)
        expect(ago).to_have_text(told)
