# SPDX-License-Identifier: Apache-2.0
"""Status and board, told in a channel: everybody hears of it, every open page shows it, and it is all kept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from gatebot.asking import SESSION
from tests.fakes.channel import Reader, on_irc, running_at
from tests.fakes.doors import Visitor
from tests.fakes.irc import NgIrcd
from tests.fakes.site import Builds, RunningSite, Template, eventually

SETTINGS = """trust_nicks = true

[status.demo]
channel = "#demo"

[board.ptg]
channel = "#demo"
title = "The gathering"
tracks = ["nova", "swift"]
"""
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
UNKNOWN = (
    "I do not know whose account you are. Make a code here and say it to me:  "
    "{0}/settings/irc  Or tell it here:  {0}/status-log"
)
ALERT = "Gerrit is down, see change 7"


@pytest.fixture
def directory(template: Template, tmp_path: Path, network: NgIrcd) -> Path:
    return on_irc(template, tmp_path, network, SETTINGS)


def is_admin(reader: Reader, site: RunningSite) -> None:
    """The person in the channel proves to be the administrator."""
    page = Visitor(site, "admin", site.tokens["admin"])
    code = re.search(r"gatebot: confirm ([A-Z2-7]{16})", page.ask("POST", "/settings/irc", b"", **FORM).text)
    assert code is not None
    assert reader.whispers(f"confirm {code[1]}") == "You are admin here from now on."


def speaks_from_the_web(page: Page, site: RunningSite, reader: Reader) -> None:
    """The administrator speaks in the channel from its page, and does not leave the field for it."""
    admin = site.do(site.app.identity.by_username("admin"))
    assert admin is not None
    session = site.do(site.app.identity.open_session(admin.id))
    page.context.add_cookies([{"name": SESSION, "value": session, "url": site.url}])
    page.goto("/irclogs/%23demo/latest.log.html")
    field, stays = page.get_by_label("Say in #demo as admin/web"), page.locator("#unsaid")
    page.evaluate("window.stayed = true")
    field.click()
    page.keyboard.type("g t is no key here")
    page.keyboard.press("Enter")
    expect(field).to_have_value("")
    assert reader.reads() == "<admin/web> g t is no key here"
    expect(page.locator("#log .line").last).to_contain_text("g t is no key here")
    expect(page.locator("#waiting li")).to_have_count(0)
    page.keyboard.type("#status log From the web")
    page.keyboard.press("Enter")
    expect(field).to_have_value("")
    told = {reader.reads(), reader.reads()}
    assert told == {"<admin/web> #status log From the web", "admin/web: finished logging"}
    for said in range(30):  # as fast as a page takes them: what is refilled meanwhile is less
        page.keyboard.type(f"more {said}")
        page.keyboard.press("Enter")
        eventually(lambda: field.input_value() == "" or stays.inner_text() != "")
        if field.input_value():
            break
    expect(stays).to_contain_text("That is too fast for an IRC channel.")
    expect(field).to_have_value(re.compile("^more [0-9]+$"))
    expect(field).to_be_focused()
    assert page.evaluate("window.stayed") is True
    most = int(field.input_value().removeprefix("more "))
    assert [reader.reads() for _ in range(most)] == [f"<admin/web> more {number}" for number in range(most)]


def test_an_alert_and_a_board_are_shown_on_open_pages_and_outlive_a_restart(
    directory: Path, template: Template, builds: Builds, reader: Reader, browser: Browser
) -> None:
    with running_at(directory, template, builds) as site:
        reader.meets()
        reader.sends("TOPIC #demo :welcome")
        reader.sees("TOPIC #demo :welcome")
        reader.says(f"#status alert {ALERT}")
        assert reader.reads() == f"mina: {UNKNOWN.format(site.url)}"
        is_admin(reader, site)
        page = browser.new_context(base_url=site.url, locale="en-GB").new_page()
        page.goto("/login")
        reader.says(f"#status alert {ALERT}")
        assert reader.reads() == "mina: sending alert"
        assert reader.sees("NOTICE #demo").endswith(f":NOTICE: {ALERT}")
        assert reader.reads() == "mina: finished sending alert"
        expect(page.get_by_role("alert")).to_contain_text(f"Alert: {ALERT}")
        assert page.locator("#notices a").first.get_attribute("href") == "/7"
        eventually(lambda: json.loads(Visitor(site).get("/alert.json").text) == {"alert": ALERT})
        page.goto("/board/ptg")
        reader.says("#nova now testing <b>rings</b>")
        expect(page.locator("#now-nova")).to_contain_text("#novatesting <b>rings</b>")
        assert reader.whispers("in nova") == "OK, checked into #nova - thanks for the update!"
        expect(page.locator("#now-nova")).to_contain_text("mina")
        assert '<a href="/board/ptg">Board</a>' in Visitor(site).get("/irclogs/%23demo/").text
        reader.says("~del swift")
        assert reader.reads() == "mina: Done."
        speaks_from_the_web(page, site, reader)
        page.context.close()
    with running_at(directory, template, builds) as site:
        reader.meets()
        assert '<b>Alert:</b> Gerrit is down, see <a href="/7"' in Visitor(site).get("/projects").text
        reader.says("#status ok All is well")
        assert reader.reads() == "mina: sending ok"
        assert reader.sees("NOTICE #demo").endswith(":NOTICE: All is well")
        reader.says("#success The gate is fast")
        assert {reader.reads(), reader.reads()} == {
            "mina: finished sending ok", f"mina: Added success to Success page ({site.url}/successes)"
        }  # fmt: skip
        reader.sends("TOPIC #demo")
        assert reader.sees(" 332 ").endswith(":welcome")
        visitor = Visitor(site)
        assert "Alert:" not in visitor.get("/projects").text
        kept = json.loads(visitor.get("/api/status-log").text)
        assert [(one["kind"], one["text"], one["nick"], one["username"]) for one in kept] == [
            ("success", "The gate is fast", "mina", "admin"), ("ok", "All is well", "mina", "admin"),
            ("log", "From the web", "admin/web", "admin"), ("alert", ALERT, "mina", "admin"),
        ]  # fmt: skip
        assert visitor.get(kept[0]["path"].partition("#")[0]).status == 200
        assert "The gate is fast" in visitor.get("/successes").text
        assert visitor.get("/status-log.atom").text.count("<entry>") == 3
        board = json.loads(visitor.get("/api/boards/ptg").text)
        assert (board["tracks"], board["now"]) == (["nova"], {"nova": "testing <b>rings</b>"})
        assert board["last_check_in"]["mina"]["location"] == "#nova"
        programs_tell(site)
        commands_from_the_web(site, reader)
        admin = Visitor(site, "admin", site.tokens["admin"])
        line = kept[0]["path"].rpartition("#l")[2]
        assert admin.ask("DELETE", f"/api/irclogs/%23demo/lines/{line}?why=secret").status == 200
        assert "The gate is fast" not in visitor.get("/successes").text


def commands_from_the_web(site: RunningSite, reader: Reader) -> None:
    """Who has signed in is his account to the bot: a board obeys him, and it is he who asks for new checks."""
    admin = Visitor(site, "admin", site.tokens["admin"])
    for text, answer in (
        ("~add cinder", "admin/web: Done."),
        ("gatebot: recheck 4711", "admin/web: There is no change 4711 that everybody here may see."),
    ):
        assert admin.send("POST", "/api/irclogs/%23demo/say", {"text": text}).status == 202
        assert [reader.reads(), reader.reads()] == [f"<admin/web> {text}", answer]


def programs_tell(site: RunningSite) -> None:
    """Everybody thanks, by REST as in a channel; the status needs the capability, and what is wrong is told."""
    path, bob = "/api/status-log", Visitor(site, "bob", site.tokens["bob"])
    assert Visitor(site).send("POST", path, {"kind": "thanks", "text": "ann for all"}).status == 401
    assert bob.send("POST", path, {"kind": "thanks", "text": "ann for all"}).status == 201
    assert "ann for all" in Visitor(site).get("/thanks").text
    refused = bob.send("POST", path, {"kind": "notice", "text": "I am here"})
    assert refused.status == 403
    assert refused.text.startswith("This needs the capability tellStatus.")
    for wrong in ("x", "-1", "\u0661"):
        answer = Visitor(site).get(f"{path}?before={quote(wrong)}")
        assert answer.status == 400
        assert answer.text.startswith(f"before={wrong} is no place in the list. Take the id of the entry")
    site.person("admin").rest.call("POST", path, {"kind": "notice", "text": "See https://example.org/why"})
    now = Visitor(site).get("/status-log").text.partition("In force:")[2].partition("</p>")[0]
    assert '<a href="https://example.org/why" rel="nofollow noopener">' in now
