# SPDX-License-Identifier: Apache-2.0
"""The pages and the JSON of meetings and logs, as a browser and a program get them."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gatebot.access_rules import Actor
from gatebot.banners import Banner
from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.front import Front
from gatebot.identity import Identity
from gatebot.meetbot import store
from gatebot.meetbot.edits.pages import EditPages
from gatebot.meetbot.irc.model import ChannelHealth, Health
from gatebot.meetbot.irc.pages import LogPages, health
from gatebot.meetbot.memory.pages import MemoryPages
from gatebot.meetbot.model import Bug, Line, LineKind, Setting, State
from gatebot.meetbot.pages import MeetingPages
from gatebot.meetbot.removing import store as removing
from gatebot.meetbot.rest import MeetingRest
from gatebot.meetbot.search.pages import SearchPart
from gatebot.meetbot.search.query import CONDITIONS
from gatebot.meetbot.sisters import links
from gatebot.meetbot.store import Heard
from gatebot.settings import load
from gatebot.site import Site
from gatebot.targets import topic_of

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WAYS = Setting(prefix="http://x/meetings")
LOG = "/irclogs/%23gatebot/%23gatebot.2026-11-22.log"
EVIL = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"
LINK = f'<a href="/42" rel="nofollow noopener" title="Fix {SAFE}">change 42</a>'
MERGED = f'{LINK} <span class="now"><span class="chip merge">'


BUILD = "5f" * 16


class Things:
    """Change 42 is merged and a build of it failed; change 13 is only for people with an account; bugs have a place."""

    def __init__(self) -> None:
        self.asked = 0

    async def of(self, actor: Actor, targets: Sequence[str]) -> Mapping[str, State]:
        self.asked += 1
        known = {
            "change/42": State("change", "MERGED", f"Fix {EVIL}"),
            "change/13": State("change", "NEW", "A secret"),
            f"build/{BUILD}": State("build", "FAILURE", "unit (api 42,1)"),
            "bug/https://bugs.example.org/7": State("bug", "FIX_MERGED", f"42: Fix {EVIL}", url="/42"),
        }
        seen = {target: state for target, state in known.items() if actor.account or target != "change/13"}
        return {target: seen[target] for target in targets if target in seen}

    def bugs(self, text: str) -> Sequence[Bug]:
        at = text.find("bug 7")
        return [Bug(at, at + 5, "https://bugs.example.org/7")] if at >= 0 else []

    def bug_at(self, address: str) -> str:
        return ""


@dataclass
class House:
    """A site with the meetbot's pages, and its database."""

    client: TestClient[web.Request, web.Application]
    db: Database
    pages: MeetingPages
    things: Things
    site: Site

    async def get(self, path: str, status: int = 200) -> str:
        """A page as its reader gets it."""
        answer = await self.client.get(path, headers={"Accept": "text/html"})
        text = await answer.text()
        assert answer.status == status, text
        return text

    async def hear(self, *said: tuple[str, str], kind: LineKind = LineKind.SAID, start: datetime = NOON) -> None:
        """Lines of a channel, a second apart."""
        lines = [Line(start + timedelta(seconds=n), nick, text, kind) for n, (nick, text) in enumerate(said)]
        await self.db.run(store.take_in, [Heard("irc", "#gatebot", line, "old") for line in lines], WAYS)


@pytest.fixture
async def house(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[House]:
    """The site, with nothing said yet."""
    shutil.copyfile(migrated_sqlite, tmp_path / "gatebot.db")
    db = Database.open(f"sqlite:///{tmp_path / 'gatebot.db'}", durable=False)
    site = Site(load("", "gatebot.toml"), Identity(db, SystemClock()))
    things = Things()
    meeting_pages = MeetingPages(site, db, tmp_path / "meetings", WAYS, states=things)
    app = web.Application(middlewares=[*site.middlewares()])
    app.add_routes([*meeting_pages.routes(), *LogPages(site, db, states=things).routes()])
    app.add_routes(MeetingRest(site, db, WAYS, things).routes())
    app.add_routes(MemoryPages(site, db, SystemClock(), things).routes())
    front = Front(site, lambda: None)
    front.add(search=("Meetings and IRC logs", SearchPart(site, db, things).search), conditions=CONDITIONS)
    app.add_routes(front.routes())

    async def write(_meeting: int) -> None:
        return None

    app.add_routes(EditPages(site, db, SystemClock(), WAYS, lambda actor: True, write).routes())
    async with TestClient(TestServer(app)) as client:
        yield House(client, db, meeting_pages, things, site)
    await db.close()


async def hold(house: House) -> None:
    """A short meeting with hostile words."""
    await house.hear(
        ("ann", f"#startmeeting Sync {EVIL}"),
        ("ann", f"#topic {EVIL}"),
        ("bob", "#action ann looks at change 42"),
        ("bob", "#link javascript:alert(1)"),
        ("ann", "#endmeeting"),
    )


async def test_minutes_are_served_in_four_forms_and_as_a_page(house: House) -> None:
    await hold(house)
    listed = await house.get("/meetings/")
    base = "/meetings/sync__script_alert_1___script_/2026/sync__script_alert_1___script_.2026-11-22-12.00"
    assert f'href="{base}.html"' in listed
    for ending in (".html", ".txt", ".log.html", ".log.txt"):
        assert "change 42" in await house.get(base + ending)
    page = await house.get("/meeting/1")
    assert MERGED in page
    assert f'href="{LOG}.html#l3"' in page
    for text in (listed, page, await house.get(base + ".html"), await house.get(base + ".log.html")):
        assert EVIL not in text
        assert 'href="javascript' not in text
    assert "Sync &lt;script&gt;" in await house.get("/meetings/sync__script_alert_1___script_/2026/")


async def test_minutes_carry_their_own_strict_policy(house: House) -> None:
    await hold(house)
    answer = await house.client.get(
        "/meetings/sync__script_alert_1___script_/2026/sync__script_alert_1___script_.2026-11-22-12.00.html"
    )
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")


async def test_old_minutes_that_are_only_files_are_served(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "meetings" / "nova" / "2014"
    folder.mkdir(parents=True)
    (folder / "nova.2014-05-27-22.00.txt").write_text("old minutes")
    (tmp_path / "meetings" / "secret.txt").write_text("secret")
    assert await house.get("/meetings/nova/2014/nova.2014-05-27-22.00.txt") == "old minutes"
    for path in ("/meetings/nova/2014/..%2f..%2fsecret.txt", "/meetings/nova/..%2f/secret.txt", "/meetings/x/y/z.txt"):
        await house.get(path, 404)


async def test_a_day_has_a_row_for_every_line_with_its_anchors(house: House) -> None:
    await house.hear(("ann", "hello <b>"), ("ann", "see https://x.org/a?b=1&c=2."))
    await house.hear(("zed", ""), ("yan", ""), kind=LineKind.JOIN, start=NOON + timedelta(seconds=1))
    await house.hear(("bob", "back"), start=NOON + timedelta(hours=2))
    page = await house.get(LOG + ".html")
    assert '<li id="l1" class="line said"><a class="at" id="t12:00:00" href="#l1" title="2026-11-22T12:00:00Z">' in page
    assert 'id="t12:00:01-2"' in page
    assert "hello &lt;b&gt;" in page
    assert '<a href="https://x.org/a?b=1&amp;c=2" rel="nofollow noopener">' in page
    assert "2 came or went" in page
    assert "silence for 1 h 59 min" in page
    assert 'data-live="channel/#gatebot"' in page


async def test_plain_logs_have_the_channel_loggers_form(house: House) -> None:
    await house.hear(("ann", "hello"))
    await house.hear(("bob", "waves"), kind=LineKind.ME)
    await house.hear(("bob", "bye"), kind=LineKind.QUIT)
    assert await house.get(LOG) == (
        "2026-11-22T12:00:00  <ann> hello\n"
        "2026-11-22T12:00:00  * bob waves\n"
        "2026-11-22T12:00:00  *** bob has quit IRC (bye)\n"
    )


async def test_what_happened_and_what_was_removed_is_told_in_the_language_of_the_reader(house: House) -> None:
    await house.hear(("ann", "secret"), ("ann", "hi"))
    await house.hear(("bob", "plans"), kind=LineKind.TOPIC, start=NOON + timedelta(seconds=5))
    await house.hear(("eve", "lunch"), kind=LineKind.PART, start=NOON + timedelta(seconds=6))
    await house.db.run(removing.remove, "#gatebot", 1, 1, "a password", NOON)
    page = await house.get(LOG + ".html?lang=ko")
    for said in (
        "[관리자가 지웠습니다: a password]",
        "bob 님이 주제를 바꾸었습니다: “plans”",
        "eve 님이 나갔습니다 (lunch)",
    ):
        assert said in page
    assert "[관리자가 지웠습니다: a password]" in await house.get("/search?q=hi&lang=ko")
    await house.hear(("ann", "#startmeeting Gate Sync"), ("ann", "bye"), start=NOON + timedelta(hours=1))
    found = await house.get("/search?q=bye")
    assert '>#gatebot</a> · <a href="/meeting/1">Gate Sync</a></span>' in found
    await house.db.run(removing.remove, "#gatebot", 5, 5, "", NOON)
    house.site.banners = lambda: [Banner(1, "alert", (("[removed by an administrator: a name]", None),), NOON)]
    page = await house.get("/meeting/1?lang=ko")
    assert "<title>#gatebot: [관리자가 지웠습니다]" in page
    assert "<b>경보:</b> [관리자가 지웠습니다: a name]" in page
    page = await house.get(LOG + ".html?lang=en")
    for said in ("[removed by an administrator: a password]", "bob changes topic to &#34;plans&#34;"):
        assert said in page


async def test_days_lead_to_each_other_and_short_addresses_to_the_right_ones(house: House) -> None:
    await house.hear(("ann", "one"))
    await house.hear(("ann", "two"), start=NOON + timedelta(days=2))
    assert f'rel="next" href="{LOG.replace("22", "24")}.html"' in await house.get(LOG + ".html")
    assert "No one spoke on this day." in await house.get(LOG.replace("22", "23") + ".html")
    for short, end in (
        ("/irclogs/gatebot/", "/irclogs/%23gatebot/"),
        ("/irclogs/%23gatebot/latest.log.html", LOG.replace("22", "24") + ".html"),
        ("/irclogs/%23gatebot/?day=2026-11-22", LOG + ".html"),
    ):
        answer = await house.client.get(short, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (302, end)
    await house.hear(("ann", "old"), start=NOON.replace(year=2020))
    page = await house.get("/irclogs/%23gatebot/")
    assert "2026-11" in page
    assert "2020-11" not in page
    assert '<b aria-current="page">2026</b> <a href="?year=2020">2020</a>' in page
    assert "2020-11" in await house.get("/irclogs/%23gatebot/?year=2020")
    assert "#gatebot" in await house.get("/irclogs/")
    await house.get("/irclogs/%23nosuch/", 404)


async def test_programs_get_the_same_as_json(house: House) -> None:
    await hold(house)
    (row,) = await (await house.client.get("/api/meetings")).json()
    assert (row["id"], row["channel"], row["title"]) == (1, "#gatebot", f"Sync {EVIL}")
    meeting = await (await house.client.get("/api/meetings/1")).json()
    assert meeting["actions"] == {"ann": ["ann looks at change 42"]}
    assert meeting["people"] == {"ann": 3, "bob": 2}
    (found,) = await (await house.client.get("/api/irclogs/search?q=looks")).json()
    assert found["hits"] == [3]
    (day,) = await (await house.client.get("/api/irclogs/%23gatebot")).json()
    assert day == {"day": "2026-11-22", "lines": 5, "path": LOG + ".html"}
    lines = await (await house.client.get("/api/irclogs/%23gatebot/2026-11-22")).json()
    assert lines[4]["path"] == LOG + ".html#l5"
    assert (await house.client.get("/api/irclogs/search")).status == 400


async def test_search_gives_hits_in_their_conversation(house: House) -> None:
    await house.hear(("ann", "before"), ("bob", "회의를 합시다"), ("ann", "after"))
    await house.hear(("bob", "회의실로 간다 <b>"), kind=LineKind.ME, start=NOON + timedelta(hours=1))
    page = await house.get("/search?q=회의")
    told = [
        f'<a href="{LOG}.html#l4">#gatebot</a>',
        "<div>13:00 * bob 회의실로 간다 &lt;b&gt;</div>",
        f'<a href="{LOG}.html#l2">#gatebot</a>',
        '<div class="small soft">12:00 &lt;ann&gt; before</div>',
        "<div>12:00 &lt;bob&gt; 회의를 합시다</div>",
        '<div class="small soft">12:00 &lt;ann&gt; after</div>',
    ]
    places = [page.index(one) for one in told]
    assert places == sorted(places)
    assert "Lines found: 2" in page
    assert "newest first" not in page


async def test_search_says_what_it_cannot_read_and_offers_the_newest_first(house: House) -> None:
    await house.hear(("ann", "the gate"), ("ann", "gate of the day"))
    no_day = "“9999-99” is no day. Days are written like 2026-11-22, months like 2026-11, years like 2026."
    no_order = (
        "“size” is no order. Lines come with the words side by side first (sort=best), "
        "or the newest first (sort=newest)."
    )
    no_page = "older is a number that the page before told: follow its link to more results, or leave older out."
    no_log = "No channel #gatbot has a log here. There are: #gatebot. All channels are at /irclogs/."
    for asked, said in (
        ("gate after:9999-99", no_day), ("gate&sort=size", no_order), ("gate&older=x", no_page),
        ("gate in:%23gatbot", no_log),
    ):  # fmt: skip
        page = await house.get(f"/search?q={asked}", status=400)
        assert f"Meetings and IRC logs: {said}" in page
    assert "in:#gatebot meeting:nova after:2026-11 before:2026-11-22 has:link" in await house.get("/search?q=nothing")
    korean = await house.get("/search?q=gate+after:9999-99&lang=ko", status=400)
    assert (
        "회의와 IRC 기록: “9999-99”는 날짜가 아닙니다. 날짜는 2026-11-22, 달은 2026-11, 해는 2026처럼 씁니다." in korean
    )
    page = await house.get("/search?q=the+gate&lang=en")
    assert '<b>words side by side first</b> <a href="/search?q=the+gate&amp;sort=newest">newest first</a>' in page
    assert (await house.client.get("/api/irclogs/search?q=gate&sort=size")).status == 400


async def test_a_further_page_of_results_has_an_address(house: House) -> None:
    for hour in range(21):
        await house.hear(("ann", f"needle {hour}"), start=NOON + timedelta(hours=hour))
    page = await house.get("/search?q=needle")
    more = re.search(r'<a rel="next" href="(/search[^"]+)">More results</a>', page)
    assert more
    last = await house.get(more[1].replace("&amp;", "&"))
    assert "needle 0</div>" in last
    assert "needle 1</div>" not in last


async def test_restricted_minutes_need_an_account(house: House) -> None:
    await house.hear(("ann", "#startmeeting Board"), ("ann", "#restrictlogs"), ("ann", "#endmeeting"))
    answer = await house.client.get("/meeting/1", headers={"Accept": "text/html"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=/meeting/1")
    assert (await house.client.get("/api/meetings/1")).status == 401


async def test_health_says_what_is_wrong_and_which_channel_is_silent() -> None:
    heard = ChannelHealth("#a", True, NOON)
    told = [
        Health("oftc", None, "gatebot", (), "Connection refused"),
        Health("oftc", NOON, "gatebot", (ChannelHealth("#a", False, None, "Cannot join (477)"),)),
        Health("oftc", NOON, "gatebot", (heard, ChannelHealth("#b", True, NOON, silent=True))),
        Health("oftc", NOON, "gatebot", (heard,), dropped=3),
    ]
    assert [health(lambda h=h: [h]).text for h in told] == [
        "oftc: not connected (Connection refused); it is tried again and again",
        "oftc: gatebot in #a (not in it: Cannot join (477); last line none yet)",
        "oftc: gatebot in #a (last line 2026-11-22 12:00:00 UTC), #b (SILENT FOR TOO LONG: is it still in use? "
        "last line 2026-11-22 12:00:00 UTC)",
        "oftc: gatebot in #a (last line 2026-11-22 12:00:00 UTC); 3 lines of news were too many for the network",
    ]
    assert [health(lambda h=h: [h]).ok for h in told] == [False, False, False, True]
    both = [Health("oftc", NOON, "gatebot", (heard,)), Health("libera", NOON, "gatebot", (replace(heard, name="#A"),))]
    assert health(lambda: both).ok
    assert health(lambda: both).text.endswith(
        "; #a is on oftc and libera and has one log for both, in which nobody tells whose line is whose: "
        "unless they are bridged, leave it out of channels in all [[irc]] but one"
    )


async def test_a_day_of_the_readers_zone_takes_from_two_days_of_utc(house: House) -> None:
    await house.hear(("ann", "before midnight in Seoul"), start=NOON.replace(hour=14, minute=59))
    await house.hear(("ann", "after midnight in Seoul"), start=NOON.replace(hour=15))
    await house.hear(("ann", "noon in Seoul"), start=NOON.replace(day=23, hour=3))
    page = await house.get("/irclogs/%23gatebot/%23gatebot.2026-11-23.log.html?tz=Asia/Seoul")
    assert "before midnight in Seoul" not in page
    assert page.index("after midnight in Seoul") < page.index("noon in Seoul")
    assert ">00:00:00</a>" in page
    assert ">12:00:00</a>" in page
    assert 'href="/irclogs/%23gatebot/%23gatebot.2026-11-22.log.html?tz=Asia/Seoul"' in page
    # The plain text is by days of UTC, so a page says which it leads to, and leads to those that there are.
    for day in ("22", "23"):
        assert f'-{day}.log">Plain text of 2026-11-{day} UTC</a>' in page
        await house.get(LOG.replace("-22", f"-{day}"))
    # All days and the newest are those of the zone too.
    assert '<a href="/irclogs/%23gatebot/?tz=Asia/Seoul">All days</a>' in page
    days = await house.get("/irclogs/%23gatebot/?tz=Asia/Seoul")
    counted = re.findall(r'log.html([^"]*)">(2026-11-\d\d)</a> <span class="soft">(\d+)', days)
    assert counted == [("?tz=Asia/Seoul", "2026-11-23", "2"), ("?tz=Asia/Seoul", "2026-11-22", "1")]
    latest = await house.client.get("/irclogs/%23gatebot/latest.log.html?tz=America/New_York", allow_redirects=False)
    assert latest.headers["Location"] == LOG + ".html?tz=America/New_York"
    nobody = await house.get(LOG.replace("-22", "-25") + ".html")
    assert "Plain text" not in nobody
    wrong = await house.get(LOG + ".html?tz=Mars/Phobos", 404)
    assert "“Mars/Phobos” is no time zone. Write one such as Asia/Seoul: ?tz=Asia/Seoul" in wrong
    for hostile in ("../etc/passwd", "/etc", ".", "x" * 300):
        await house.get(LOG + f".html?tz={hostile}", 404)
    korean = await house.get("/irclogs/%23gatebot/%23gatebot.2026-11-23.log.html?tz=Asia/Seoul&lang=ko")
    assert "Asia/Seoul의 하루는 UTC의 이틀에 걸쳐 있습니다." in korean


async def test_another_zone_keeps_the_line_that_one_looks_at(house: House) -> None:
    await house.hear(("ann", "noon"), ("ann", "after midnight in Seoul"), start=NOON.replace(hour=15))
    page = await house.get(LOG + ".html?lines=2")
    assert '<input type="hidden" name="at" value="2"><input type="hidden" name="lines" value="2-2">' in page
    assert '<input type="hidden" name="at" value="1"> ' in await house.get(LOG + ".html")
    seoul = LOG.replace("-22", "-23") + ".html?tz=Asia/Seoul"
    for asked, end in (
        ("?tz=Asia/Seoul&at=2", seoul + "#l2"),
        ("?tz=Asia/Seoul&at=2&lines=2-2", seoul + "&lines=2-2#l2"),
        ("?tz=UTC&at=1", LOG + ".html?tz=UTC#l1"),
    ):
        answer = await house.client.get(LOG + ".html" + asked, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (302, end)
    for nothing in ("at=9", "at=evil", "at=", "at=" + "9" * 30):
        await house.get(f"{LOG}.html?tz=Asia/Seoul&{nothing}")


async def test_a_line_shows_the_present_state_of_what_it_names_to_who_may_see_it(house: House) -> None:
    await house.hear(
        ("ann", "#startmeeting Sync"),
        ("ann", f"change 42 and change 13, build {BUILD}"),
        ("ann", "#agreed bug 7 is change 42"),
        ("ann", "#action ann reads change 42"),
        ("ann", "#endmeeting"),
    )
    file = "/meetings/sync/2026/sync.2026-11-22-12.00"
    paths = (LOG + ".html", "/meeting/1", "/decisions", file + ".log.html", file + ".html")
    day, page, decided, log, minutes = [await house.get(path) for path in paths]
    assert house.things.asked == len(paths)
    for shown in (day, page, decided):
        assert MERGED in shown
        bug = f'<a href="https://bugs.example.org/7" rel="nofollow noopener" title="42: Fix {SAFE}">bug 7</a>'
        assert f'{bug} <span class="now"><a href="/42"><span class="chip merge">' in shown
    assert "fix merged</span></a>" in day
    assert f'title="unit (api 42,1)">build {BUILD}</a> <span class="now"><span class="chip bad" title="FAILURE">' in day
    followed = f"{topic_of('bug/https://bugs.example.org/7')},build/{BUILD},change/42"
    assert f'data-live="channel/#gatebot,{followed}"' in day
    plain = f'<a href="/42" title="Fix {SAFE}">change 42</a> <span class="state change">[merged]</span>'
    assert plain in log
    assert plain in " ".join(minutes.split())
    assert f"  <li>ann reads {plain}</li>" in minutes
    assert '<span class="state build">[failure]</span>' in log
    assert "secret" not in "".join((day, page, decided, log, minutes))
    identity = Identity(house.db, SystemClock())
    account = await identity.create("ann", name="Ann", email="ann@x.org")
    cookie = {"Cookie": f"gatebot_session={await identity.open_session(account.id)}"}
    assert (
        'title="A secret">change 13</a> <span class="now"><span class="chip run">'
        in await (await house.client.get(LOG + ".html", headers=cookie)).text()
    )
    lines = await (await house.client.get("/api/irclogs/%23gatebot/2026-11-22")).json()
    assert lines[1]["named"][0] == {"target": "change/42", "path": "/42", "state": "MERGED", "title": f"Fix {EVIL}"}
    assert [one["target"] for one in lines[1]["named"]] == ["change/42", f"build/{BUILD}"]
    found = await house.get("/search?q=build")
    assert 'change 42</a> <span class="now"><span class="chip merge"><i aria-hidden="true">⇥</i> merged</span>' in found
    assert '<span class="chip bad" title="FAILURE"><i aria-hidden="true">✗</i> failure</span>' in found


async def test_who_came_without_a_word_is_shown_beside_who_spoke(house: House) -> None:
    await house.hear(("zoe", ""), kind=LineKind.JOIN, start=NOON - timedelta(minutes=5))
    await house.hear(("ann", "#startmeeting Sync"), ("ann", "#endmeeting"))
    assert "<p>There, and said nothing: zoe</p>" in await house.get("/meeting/1")
    named = await house.get("/meetings/sync/")
    assert '<td>zoe</td><td class="num"><span title="there, and said nothing">○</span></td>' in named
    assert "Lines said; ○ was there and said nothing, as the joins in the log tell; · was not there." in named
    assert (await (await house.client.get("/api/meetings/1")).json())["silent"] == ["zoe"]
    told = await (await house.client.get("/api/meetings/sync/attendance")).json()
    assert (told["people"], told["dates"][0]["meeting"]) == ({"ann": [2], "zoe": [0]}, 1)
    assert (await house.client.get("/api/meetings/nosuch/attendance")).status == 404


async def test_several_lines_have_one_address(house: House) -> None:
    await house.hear(*(("ann", f"line {number}") for number in range(1, 6)))
    page = await house.get(LOG + ".html?lines=2-3")
    assert [f'id="l{number}" class="line said marked"' in page for number in range(1, 6)] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert 'class="line said marked"' not in await house.get(LOG + ".html?lines=evil")


async def test_open_actions_decisions_and_who_came_are_shown_and_escaped(house: House) -> None:
    await house.hear(
        ("ann", "#startmeeting Sync"),
        ("bob", f"#action ann looks at change 42 {EVIL}"),
        ("ann", f"#agreed {EVIL}"),
        ("ann", "#endmeeting"),
    )
    pages = [await house.get(path) for path in ("/actions", "/actions/1", "/decisions", "/meetings/sync/")]
    for page in pages:
        assert EVIL not in page
    opened, one, decided, named = pages
    assert (
        f'<a href="/actions/1">#1</a> ann looks at <a href="/42" rel="nofollow noopener" title="Fix {SAFE}">' in opened
    )
    assert "Sign in to close it here, say #done 1 in a meeting, or write Closes-Action: 1 in a commit message." in one
    assert '<b class="kind">agreed</b> &lt;script&gt;' in decided
    assert '<a href="/actions?meeting=sync">Open actions</a>' in named
    assert '<td>ann</td><td class="num">3</td>' in named
    assert "There is no such action. Open ones are listed at /actions." in await house.get("/actions/9", 404)
    assert "No action is open." in await house.get("/actions?meeting=nosuch")
    told = await (await house.client.get("/api/actions")).json()
    assert (told[0]["id"], told[0]["name"], told[0]["closed"]) == (1, "sync", None)
    assert (await house.client.post("/actions/1", data={"do": "close"})).status in (401, 403)


async def test_what_restricted_minutes_hold_is_not_told_to_guests(house: House) -> None:
    await house.hear(
        ("ann", "#startmeeting Sync"),
        ("ann", "#restrictlogs"),
        ("ann", "#action ann hides"),
        ("ann", "#agreed to whisper"),
    )
    assert "ann hides" not in await house.get("/actions")
    assert "whisper" not in await house.get("/decisions")
    await house.get("/actions/1", 404)


async def test_a_guest_changes_no_minutes(house: House) -> None:
    await hold(house)
    led = await house.client.get("/meeting/1/edit", headers={"Accept": "text/html"}, allow_redirects=False)
    assert led.headers["Location"] == "/login?next=/meeting/1/edit"
    assert (await house.client.post("/meeting/1/edit", data={"place": "3", "text": "x"})).status in (401, 403)


async def test_only_who_may_change_minutes_is_offered_to(house: House) -> None:
    said = ("#startmeeting Sync", "#info done", "#endmeeting")
    lines = [Line(NOON + timedelta(seconds=n), "Ann", text, account="ann") for n, text in enumerate(said)]
    await house.db.run(store.take_in, [Heard("irc", "#gatebot", line, "old") for line in lines], WAYS)
    identity = Identity(house.db, SystemClock())
    offered: dict[str, bool] = {"": "Change minutes" in await house.get("/meeting/1")}
    for name in ("ann", "eve"):
        account = await identity.create(name, name=name, email=f"{name}@x.org")
        proves = "account:ann" if name == "ann" else "account:eve"
        await house.db.run(links.keep_code, account.id, name, NOON)
        await house.db.run(links.confirm, name, "irc", proves, NOON)
        cookie = f"gatebot_session={await identity.open_session(account.id)}"
        page = await (await house.client.get("/meeting/1", headers={"Cookie": cookie})).text()
        offered[name] = "Change minutes" in page
        # Who may not is told why, and what to do if he led it on IRC.
        told = 'If you led it on IRC, link your account there to yours here: <a href="/settings/irc">You on IRC</a></p>'
        assert (told in page) == (name == "eve")
    assert offered == {"": False, "ann": True, "eve": False}
    assert '<a href="/meeting/1">page</a>' in await house.get("/meetings/")
    file = await house.get("/meetings/sync/2026/sync.2026-11-22-12.00.html")
    assert '<a href="/meeting/1">The page of this meeting</a>. Who led it can change these minutes there.' in file


async def test_an_administrator_changes_minutes_and_everybody_sees_what_was_there_before(house: House) -> None:
    await hold(house)
    identity = Identity(house.db, SystemClock())
    account = await identity.create("root", name="Root", email="root@x.org")
    cookie = f"gatebot_session={await identity.open_session(account.id)}"
    form = await (await house.client.get("/meeting/1/edit", headers={"Cookie": cookie})).text()
    assert 'value="ann looks at change 42"' in form
    assert EVIL not in form
    token = re.search(r'name="_xsrf" value="([^"]+)"', form)
    place = re.search(r'name="was-(\d+)" value="ann looks', form)
    assert token
    assert place
    was = {"_xsrf": token[1], f"was-{place[1]}": "ann looks at change 42"}
    data = was | {f"text-{place[1]}": f"ann looks at change 43 {EVIL}"}
    answer = await house.client.post("/meeting/1/edit", data=data, headers={"Cookie": cookie}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/meeting/1")
    assert unquote(answer.cookies["told"].value) == "The minutes are saved."
    page = await house.get("/meeting/1")
    assert "<del>ann looks at change 42</del>" in page
    assert "<ins>ann looks at change 43 &lt;script&gt;" in page
    assert '<span class="small soft">(changed by root)</span>' in page
    # Who opened the page before that is told, and keeps what was typed in every field.
    late = was | {
        f"text-{place[1]}": "ann reads change 42",
        "was-99": "x",
        "text-99": "x",
        "kind": "idea",
        "text": "tea",
    }
    answer = await house.client.post("/meeting/1/edit", data=late, headers={"Cookie": cookie}, allow_redirects=False)
    told = await answer.text()
    assert answer.status == 409
    assert "Nothing was saved: somebody else has changed an item since you opened this page." in told
    assert "root has changed it to:</b> <ins>ann looks at change 43 &lt;script&gt;" in told
    assert f'name="text-{place[1]}" value="ann reads change 42"' in told
    assert f'name="was-{place[1]}" value="ann looks at change 43 &lt;script&gt;' in told
    assert "<option selected>idea</option>" in told
    assert '<input name="text" value="tea"' in told
    assert "tea" not in await house.get("/meeting/1")
    found = await house.get("/search?q=43")
    assert '>#gatebot</a> · <a href="/meeting/1">Sync &lt;script&gt;' in found
    assert "<div>root: ann looks at <a" in found
    (told,) = await (await house.client.get("/api/meetings/search?q=43")).json()
    assert (told["who"], told["path"]) == ("root", "/meeting/1")
    assert (await house.client.get("/api/meetings/search")).status == 400
    assert EVIL not in page
