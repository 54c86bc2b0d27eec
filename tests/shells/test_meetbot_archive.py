# SPDX-License-Identifier: Apache-2.0
"""The archive on SQLite and on PostgreSQL: what was heard is kept, found again, and resumed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from gatebot import journal
from gatebot.db import Database
from gatebot.errors import Invalid
from gatebot.events import LineRemoved, LineSaid, MeetingEnded, MeetingStarted
from gatebot.journal import Journal
from gatebot.meetbot import archive, channels, store
from gatebot.meetbot.edits import store as edits
from gatebot.meetbot.importing import formats
from gatebot.meetbot.importing import meetings as held
from gatebot.meetbot.importing import store as importing
from gatebot.meetbot.memory import store as register
from gatebot.meetbot.model import EntryKind, Line, LineKind, Setting
from gatebot.meetbot.removing import store as removing
from gatebot.meetbot.search import minutes as written
from gatebot.meetbot.search.store import find as search
from gatebot.meetbot.store import Heard
from gatebot.mentions import Mentions
from gatebot.reasons import reason

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = NOON.date()
WAYS = Setting(prefix="http://x/meetings")


@pytest.fixture
async def db(migrated_url: str) -> AsyncIterator[Database]:
    """A database with the newest schema."""
    database = Database.open(migrated_url, durable=False)
    yield database
    await database.close()


def heard(*texts: str, channel: str = "#c", start: datetime = NOON, nick: str = "ann") -> list[Heard]:
    return [
        Heard("irc", channel, Line(start + timedelta(seconds=n), nick, text), topic="old")
        for n, text in enumerate(texts)
    ]


async def find(db: Database, query: str) -> list[str]:
    """The texts of the lines found."""
    found = await db.read(search, query)
    return sorted(line.text for one in found.conversations for line in one.lines if line.id in one.hits)


async def test_korean_words_of_any_length_are_found_with_their_particles(db: Database) -> None:
    lines = heard("내일 회의를 합니다", "회사 의사", "nova 인스턴스가 느려요", "점심", "\u1112\u116c\u110b\u1174 끝")
    await db.run(store.take_in, lines, WAYS)
    assert await find(db, "회의") == sorted(["내일 회의를 합니다", "\u1112\u116c\u110b\u1174 끝"])
    assert await find(db, "인스턴스 NOVA") == ["nova 인스턴스가 느려요"]
    assert await find(db, "점") == ["점심"]
    assert await find(db, "없는말") == []


async def test_a_query_is_words_and_never_syntax(db: Database) -> None:
    await db.run(store.take_in, heard('it\'s "quoted" & (odd) OR * NEAR'), WAYS)
    for query in ("it's", '"quoted" & (odd)', "NEAR*", "odd OR", "tokens:odd it"):
        expected = [] if "tokens" in query else ['it\'s "quoted" & (odd) OR * NEAR']
        assert await find(db, query) == expected
    assert await find(db, "'\"&|!()") == []


async def test_what_the_bot_says_and_is_told_to_search_for_is_found_only_by_its_nick(db: Database) -> None:
    said = heard("the lamp of change 7 is broken", "bot: search lamp", "bob: search for the lamp of change 8")
    bot = Line(NOON + timedelta(seconds=5), "bot", "1 found, the newest: the lamp of change 7 is broken", own=True)
    await db.run(store.take_in, [*said, Heard("irc", "#c", bot)], WAYS)
    assert await find(db, "lamp") == ["bob: search for the lamp of change 8", "the lamp of change 7 is broken"]
    assert await find(db, "in:c") == ["bob: search for the lamp of change 8", "the lamp of change 7 is broken"]
    assert await find(db, "after:2026-11-22") == await find(db, "lamp")
    assert await find(db, "lamp from:bot") == [bot.text]
    assert "bot: search lamp" in await find(db, "lamp from:ann")
    mentions = Mentions(db, Journal(db), "http://x")
    await db.run_silent(mentions.catch_up)
    assert [one.text for one in await mentions.of("change/7")] == ["the lamp of change 7 is broken"]


async def test_a_hit_is_shown_in_its_conversation(db: Database) -> None:
    lines = heard("a1", "needle", "a2")
    lines[1:1] = heard("other channel", channel="#d", start=NOON)
    lines += heard("much later", start=NOON + timedelta(hours=1))
    await db.run(store.take_in, lines, WAYS)
    (found,) = (await db.read(search, "needle")).conversations
    assert [line.text for line in found.lines] == ["a1", "needle", "a2"]
    assert found.channel == "#c"


async def test_a_meeting_is_kept_and_told_in_the_journal(db: Database) -> None:
    await db.run(store.take_in, heard("hi", "#startmeeting Gate", "#info one"), WAYS)
    later = heard("#undo", "#action ann does it", "#endmeeting", "after", start=NOON + timedelta(minutes=1))
    outcomes = await db.run(store.take_in, later, WAYS)
    assert [outcome.written for outcome in outcomes] == [None, None, 1, None]
    (row,) = await db.read(archive.meetings)
    assert (row.name, row.channel, row.location) == ("gate", "#c", "gate/2026/gate.2026-11-22-12.00")
    minutes = await db.read(archive.minutes, row, WAYS)
    assert [item.text for item in minutes.items] == ["ann does it"]
    assert minutes.log[0].text == "#startmeeting Gate"
    assert len(minutes.log) == 5
    events = [entry.event for entry in await journal.Journal(db).read(0)]
    assert [type(event) for event in events] == [
        *(LineSaid, MeetingStarted, LineSaid, LineSaid, LineSaid, LineSaid, LineSaid, MeetingEnded, LineSaid)
    ]
    said = [event for event in events if isinstance(event, LineSaid)]
    assert [event.in_meeting for event in said] == [0, 1, 1, 1, 1, 1, 0]
    assert said[0].path == "/irclogs/%23c/%23c.2026-11-22.log.html#l1"
    ended = events[-2]
    assert isinstance(ended, MeetingEnded)
    assert ended.path == "/meetings/gate/2026/gate.2026-11-22-12.00"


async def test_two_meetings_of_one_name_in_one_minute_have_two_places(db: Database) -> None:
    for channel in ("#c", "#d"):
        await db.run(store.take_in, heard("#startmeeting X", "#endmeeting", channel=channel), WAYS)
    rows = await db.read(archive.meetings)
    assert sorted(row.location for row in rows) == ["x/2026/x.2026-11-22-12.00", "x/2026/x.2026-11-22-12.00-2"]


async def test_days_channels_and_neighbours(db: Database) -> None:
    lines = heard("first") + heard("second", "third", start=NOON + timedelta(days=3))
    lines.append(Heard("irc", "#C", Line(NOON, "bob", "", LineKind.JOIN)))
    await db.run(store.take_in, lines, WAYS)
    assert await db.read(archive.days, "#c") == [(date(2026, 11, 25), 2), (date(2026, 11, 22), 2)]
    east = timezone(timedelta(hours=12, minutes=45))
    assert await db.read(archive.days, "#c", east) == [(date(2026, 11, 26), 2), (date(2026, 11, 23), 2)]
    assert await db.read(archive.last_day, "#c", east) == date(2026, 11, 26)
    assert [line.text for line in await db.read(archive.lines_of_day, "#c", date(2026, 11, 25))] == ["second", "third"]
    assert await db.read(archive.neighbours, "#c", date(2026, 11, 25)) == (date(2026, 11, 22), None)
    counts = channels.Counts(unsettled=2)
    (channel,) = await db.read(channels.channels, counts)
    assert (channel.name, channel.lines, channel.first) == ("#c", 4, NOON)
    assert await db.read(channels.years, "#c") == [2026]
    # Lines that come later are counted too, those of old logs as well.
    await db.run(store.append_lines, "irc", "#c", [Line(datetime(2013, 12, 31, 23, 0, tzinfo=UTC), "ann", "old")])
    (channel,) = await db.read(channels.channels, counts)
    assert (channel.lines, channel.first.year) == (5, 2013)
    assert await db.read(channels.years, "#c") == [2026, 2013]
    assert await db.read(channels.years, "#c", east) == [2026, 2014]
    assert await db.read(archive.days, "#c", east, 2014) == [(date(2014, 1, 1), 1)]
    assert await db.read(archive.days, "#c", UTC, 2013) == [(date(2013, 12, 31), 1)]


async def test_when_channels_were_heard_last_is_known_by_network(db: Database) -> None:
    gap, said = Line(NOON + timedelta(hours=1), "", "gap", LineKind.GAP), Line(NOON, "ann", "x")
    for network, channel, lines in (("irc", "#a", [gap]), ("irc", "#b", [said, gap]), ("oftc", "#c", [said])):
        await db.run(store.append_lines, network, channel, lines)
    assert await db.read(archive.marks, "irc") == {"#b": NOON}
    assert await db.read(archive.marks, "oftc") == {"#c": NOON}
    assert await db.read(archive.last_day, "#a") == DAY
    assert await db.read(archive.last_day, "#nosuch") is None


async def test_old_logs_are_added_once_beside_what_was_heard_live(db: Database) -> None:
    await db.run(store.take_in, heard("live", "live"), WAYS)
    said = ((0, "live"), (1, "live"), (2, "회의록"), (2, "회의록"))
    text = "\n".join(f"[12:00:{second:02}] <ann> {text}" for second, text in said)
    read = formats.read(text, NOON.date())
    assert read is not None
    assert await db.run(importing.add, "irc", "#C", read.lines) == 2
    assert await db.run(importing.add, "irc", "#c", read.lines) == 0
    lines = await db.read(archive.lines_of_day, "#c", NOON.date())
    assert [line.text for line in lines] == ["live", "live", "회의록", "회의록"]
    assert await find(db, "회의록") == ["회의록", "회의록"]


async def test_an_old_line_is_a_mention_of_the_change_that_it_names_from_its_own_day(db: Database) -> None:
    said = (
        "[12:00:00] <ann> https://x.org/c/demo/api/+/12 is broken",
        "[12:00:01] <bob> so",
        "[12:00:02] * bob wrote change 13",
    )
    read = formats.read("\n".join(said), date(2014, 5, 27))
    assert read is not None
    await db.run(importing.add, "irc", "#c", read.lines, "https://x.org")
    mentions = Mentions(db, Journal(db), "https://x.org")
    assert await db.run_silent(mentions.catch_up) == 2
    (one,) = await mentions.of("change/12")
    where = "/irclogs/%23c/%23c.2014-05-27.log.html#l1"
    assert (one.who, one.at.date(), one.path) == ("ann", date(2014, 5, 27), where)
    assert [one.who for one in await mentions.of("change/13")] == ["bob"]
    await db.run(removing.remove, "#c", 1, 1, "private", NOON)
    await db.run_silent(mentions.catch_up)
    assert await mentions.of("change/12") == []


async def test_a_meeting_in_an_old_log_is_put_on_record_once_and_is_found_as_all_others(db: Database) -> None:
    await db.run(store.take_in, heard("#startmeeting Gate", "#action ann writes live", "#endmeeting"), WAYS)
    said = (
        "[12:00:00] <bob> #startmeeting Gate",
        "[12:00:01] <bot> Meeting started Tue May 27 12:00:00 2014 UTC.  The chair is bob.",
        "[12:00:02] <carl> #action bob reads change 12",
        "[12:00:03] <bob> #agreed old words",
        "[12:00:04] <bob> #action to be struck",
        "[12:00:05] <bob> #undo",
        "[12:00:06] <bob> #done ann writes live",
        "[12:00:07] <bob> #done 1",
        "[12:00:08] <bob> #endmeeting",
        "[12:01:00] <bob> #startmeeting Gate",
    )
    read = formats.read("\n".join(said), date(2014, 5, 27))
    assert read is not None
    await db.run(importing.add, "irc", "#c", read.lines, "https://x.org")
    span = held.span([line.at for line in read.lines])
    first, unended = await db.read(held.starts, "#C", *span)
    made = await db.run(held.hold, first, WAYS, "https://x.org")
    assert made == held.Made(2, "/meetings/gate/2014/gate.2014-05-27-12.00")
    assert await db.run(held.hold, unended, WAYS) == held.Made(open=True)
    assert await db.run(held.hold, first, WAYS) == held.Made(known=True)
    assert [row.started.year for row in await db.read(archive.meetings, "gate")] == [2026, 2014]
    row = await db.read(archive.meeting, 2)
    assert row is not None
    minutes = await db.read(archive.minutes, row, WAYS)
    assert (minutes.people, minutes.owner, minutes.over) == ((("bob", 7), ("bot", 1), ("carl", 1)), "bob", True)
    opened = await db.read(register.actions, is_open=True)
    assert [(action.text, action.meeting) for action in opened] == [("bob reads change 12", 2), ("ann writes live", 1)]
    assert [one.text for one in await db.read(register.decisions)] == ["old words"]
    assert await find(db, "old meeting:gate before:2015") == ["#agreed old words"]
    mentions = Mentions(db, Journal(db), "https://x.org")
    await db.run_silent(mentions.catch_up)
    assert [one.meeting for one in await mentions.of("change/12")] == [("gate", made.path)]
    # Whatever else was said while a meeting on record ran is no other one.
    again = [Line(NOON.replace(year=2014, month=5, day=27, second=2), "eve", "#startmeeting Gate")]
    await db.run(store.append_lines, "irc", "#c", again)
    (late,) = {*await db.read(held.starts, "#c", *span)} - {first, unended}
    assert await db.run(held.hold, late, WAYS) == held.Made(known=True)


async def test_a_long_log_is_added_in_portions_and_still_once(db: Database) -> None:
    said = [Line(NOON + timedelta(minutes=n // 4), "ann", "again") for n in range(40)]
    for added in (40, 0):
        parts = list(importing.portions(reversed(said), most=6))
        assert [len(part) for part in parts] == [8, 8, 8, 8, 8]
        assert sum([await db.run(importing.add, "irc", "#c", part, "", True) for part in parts]) == added
    assert len(await db.read(archive.lines_of_day, "#c", DAY)) == 40


async def test_a_name_of_any_length_is_indexed_and_found(db: Database) -> None:
    long = "ann" * 1000
    await db.run(store.append_lines, "irc", "#c", [Line(NOON, long, "hello")])
    assert await find(db, "hello") == ["hello"]


async def texts(db: Database, query: str, limit: int = 10) -> list[str]:
    """The texts of the lines found, in the order of the page."""
    found = await db.read(search, query, limit)
    return [line.text for one in found.conversations for line in one.lines if line.id in one.hits]


async def test_filters_tell_who_where_when_and_in_which_meeting(db: Database) -> None:
    old = datetime(2024, 2, 3, 12, 0, tzinfo=UTC)
    await db.run(store.take_in, heard("the gate is slow", channel="#nova", nick="dave[m]", start=old), WAYS)
    await db.run(store.take_in, heard("a slow day, see https://x.org/1", channel="#infra", nick="Ann"), WAYS)
    lines = heard("#startmeeting Gate Sync", "slow again", "#endmeeting", channel="#infra", nick="bob")
    await db.run(store.take_in, lines, WAYS)
    slow = {"the gate is slow", "a slow day, see https://x.org/1", "slow again"}
    assert set(await texts(db, "slow")) == slow
    assert await texts(db, "slow from:DAVE[m]") == ["the gate is slow"]
    assert await texts(db, "from:ann slow in:infra") == ["a slow day, see https://x.org/1"]
    assert set(await texts(db, "slow from:ann from:bob")) == slow - {"the gate is slow"}
    assert await texts(db, "slow meeting:gate_sync") == ["slow again"]
    assert await texts(db, 'slow meeting:"Gate Sync"') == ["slow again"]
    assert await texts(db, "slow meeting:nosuch") == []
    assert await texts(db, "slow has:link") == ["a slow day, see https://x.org/1"]
    assert await texts(db, "slow before:2024-02-04") == ["the gate is slow"]
    assert await texts(db, "slow before:2024-02-03") == []
    assert await texts(db, "slow after:2024-02-03 before:2025") == ["the gate is slow"]
    assert await texts(db, "before:2024-03") == ["the gate is slow"]
    with pytest.raises(Invalid) as refused:
        await texts(db, "slow before:yesterday")
    assert refused.value.reason == reason("meetbot.bad-search-day", day="yesterday")


async def test_phrases_hold_together_in_every_script(db: Database) -> None:
    said = ["nova 인스턴스가 느려요", "인스턴스 둘 nova", "the gate is open", "open the gate", "gated the"]
    await db.run(store.take_in, heard(*said, "nova 인스 스턴 턴스"), WAYS)
    assert set(await texts(db, "인스턴스 nova")) == set(said[:2])
    assert (await db.read(search, "인스턴스 nova")).count == 2
    assert await texts(db, '"nova 인스턴스"') == said[:1]
    assert await texts(db, "“the gate”") == [said[2], said[3]]
    assert await texts(db, '"gate is') == [said[2]]
    assert await texts(db, '"인스턴스가 느려"') == said[:1]
    assert await texts(db, '"스턴스가 느려"') == said[:1]


async def test_what_most_lines_have_is_found_in_the_newest_and_counted_no_further_than_anybody_reads(
    db: Database,
) -> None:
    lines = [Line(NOON + timedelta(hours=hour), "ann", f"the 인스턴스가 {hour}") for hour in range(1_300)]
    await db.run(store.append_lines, "irc", "#c", lines)
    await db.run(lambda session: session.execute(sa.text("ANALYZE")).close())
    for query in ("the", "인스턴스", "the 인스턴스", "in:c"):
        found = await db.read(search, query)
        assert [one.hit.text for one in found.conversations] == [line.text for line in reversed(lines[-10:])]
        assert found.count == 1_000
    early = await db.read(search, "the before:2026-11-24")
    assert [early.conversations[0].hit.text, early.count] == ["the 인스턴스가 35", 36]


async def test_lines_with_the_words_side_by_side_come_first_then_the_newest(db: Database) -> None:
    said = ["the gate is slow", "인스턴스가 느려요", "gate of the day", "the gate", "느려요 인스턴스", "the other gate"]
    lines = [Line(NOON + timedelta(hours=hour), "ann", text) for hour, text in enumerate(said)]
    await db.run(store.append_lines, "irc", "#c", lines)
    best = ["the gate", "the gate is slow", "the other gate", "gate of the day"]
    assert await texts(db, "the gate") == best
    assert await texts(db, "인스턴스 느려요") == [said[1], said[4]]
    newest = await db.read(search, "the gate", 10, newest=True)
    assert [one.hit.text for one in newest.conversations] == [said[5], said[3], said[2], said[0]]
    read: list[str] = []
    older = None
    for _ in best:
        found = await db.read(search, "the gate", 1, older)
        read += [one.hit.text for one in found.conversations]
        older = found.older
    assert (read, older) == (best, None)


async def test_minutes_are_found_by_what_was_written_into_them_later_and_not_by_what_it_replaced(db: Database) -> None:
    lines = heard("#startmeeting Sync", "#info the gate opens", "#info 회의록", "#info gone", "#endmeeting")
    await db.run(store.take_in, lines, WAYS)
    (row,) = await db.read(archive.meetings)
    minutes = await db.read(archive.minutes, row, WAYS)
    places = {item.text: place for item, place in zip(minutes.items, minutes.places, strict=True)}
    later = NOON + timedelta(hours=1)

    async def found(query: str) -> list[str]:
        return [one.text for one in await db.read(written.find, query)]

    assert await found("gate") == []
    await db.run(edits.edit, row.id, places["the gate opens"], "the gate shuts", "root", later)
    await db.run(edits.edit, row.id, places["the gate opens"], "a door shuts", "root", later)
    await db.run(edits.edit, row.id, places["회의록"], "결정을 미룬다", "root", later)
    await db.run(edits.add, row.id, "agreed", "doors stay 열려", "root", later)
    await db.run(edits.edit, row.id, places["gone"], "", "root", later)
    assert await found("shuts") == ["a door shuts"]
    assert await found("gate") == await found("회의록") == await found("gone") == []
    assert await found("결정 in:c meeting:sync from:root after:2026-11-22") == ["결정을 미룬다"]
    assert await found("열려 doors") == ["doors stay 열려"]
    assert await found("doors from:ann") == await found("doors before:2026-11-22") == await found("in:c") == []
    assert await db.read(written.find, "doors", 10, {row.id}) == []
    assert await texts(db, "gate opens") == ["#info the gate opens"]


async def test_old_logs_taken_in_later_stand_where_they_belong_in_time(db: Database) -> None:
    await db.run(store.take_in, heard("needle live"), WAYS)
    years = [Line(NOON.replace(year=year), "eve", f"needle {year}") for year in (2020, 2021)]
    minute = [Line(NOON.replace(year=2019), "eve", f"minute {number}") for number in range(300)]
    ids = await db.run(store.append_lines, "irc", "#Old", [*years, *minute])
    assert len(set(ids)) == 302
    assert await texts(db, "needle") == ["needle live", "needle 2021", "needle 2020"]
    assert await texts(db, "minute 299 in:#old") == ["minute 299"]
    lines = await db.read(archive.lines_of_day, "#old", date(2019, 11, 22))
    assert [line.text for line in lines] == [f"minute {number}" for number in range(300)]
    assert await db.run(store.append_lines, "irc", "#old", []) == []


async def test_pages_of_results_follow_each_other_without_gap_or_repetition(db: Database) -> None:
    lines = [Line(NOON + timedelta(hours=hour), "ann", f"needle {hour}") for hour in range(25)]
    await db.run(store.append_lines, "irc", "#c", lines)
    read: list[str] = []
    older = None
    for _ in range(3):
        found = await db.read(search, "needle", 10, older)
        read += [one.hit.text for one in found.conversations]
        older = found.older
    assert read == [f"needle {hour}" for hour in reversed(range(25))]
    assert older is None
    assert (await db.read(search, "needle", 10)).count == 25
    assert (await db.read(search, "after:2026-11-23", 10)).count == 13


async def test_a_restart_at_every_line_changes_nothing(db: Database) -> None:
    texts = [
        "#startmeeting X",
        "#topic A",
        "#topic B",
        "#undo",
        "#info one",
        "#undo",
        "#undo",
        "#startvote Q? a, b",
        "#vote a",
    ]
    texts += ["#chair eve", "#action ann works", "#save", "#endmeeting"]
    for channel, cut in (("#whole", len(texts)), ("#cut", 1)):
        lines = heard(*texts, channel=channel)
        for start in range(0, len(lines), cut):
            await db.run(store.take_in, lines[start : start + cut], WAYS)
    rows = await db.read(archive.meetings)
    first, second = [await db.read(archive.minutes, row, WAYS) for row in rows]
    plain = [replace(minutes, channel="", location="", log=()) for minutes in (first, second)]
    ids = [[replace(item, line=0) for item in minutes.items] for minutes in plain]
    assert ids[0] == ids[1]
    assert [item.text for item in first.items] == [
        "ann works",
        'Voted on "Q?" Results are, a: 1 (the vote was open until the end of the meeting)',
    ]


async def test_removed_words_are_nowhere_and_their_place_is_marked(db: Database) -> None:
    said = ("#startmeeting Gate", "#info the password is sesame", "fine", "sesame again", "#endmeeting")
    await db.run(store.take_in, heard(*said), WAYS)
    removed = await db.run(removing.remove, "#c", 2, 4, "a password", NOON)
    assert (removed.lines, removed.meetings) == (3, (1,))
    mark = "[removed by an administrator: a password]"
    lines = await db.read(archive.lines_of_day, "#c", NOON.date())
    assert [line.text for line in lines] == ["#startmeeting Gate", mark, mark, mark, "#endmeeting"]
    assert await find(db, "sesame") == []
    (row,) = await db.read(archive.meetings)
    minutes = await db.read(archive.minutes, row, WAYS)
    assert ([item.text for item in minutes.items], len(minutes.log)) == ([mark], 5)
    entries = await journal.Journal(db).read(0)
    assert not any("sesame" in str(entry.event) for entry in entries)
    assert [entry.event for entry in entries[-3:]] == [LineRemoved("#c", line) for line in (2, 3, 4)]
    again = await db.run(removing.remove, "#c", 2, 4, "a password", NOON)
    assert again.lines == 0


async def test_a_removal_with_another_reason_leaves_the_index_whole(db: Database) -> None:
    await db.run(store.take_in, heard("sesame", "other"), WAYS)
    for why in ("a", "b", "c"):
        assert (await db.run(removing.remove, "#c", 1, 1, why, NOON)).lines == 1
    await db.run(removing.remove, "#c", 2, 2, "", NOON)
    assert (await find(db, "sesame"), await find(db, "removed"), await find(db, "reason")) == ([], [], [])
    await db.run(store.take_in, heard("sesame again"), WAYS)
    assert await find(db, "sesame") == ["sesame again"]
    if db.is_sqlite:
        check = "INSERT INTO irc_line_search (irc_line_search) VALUES ('integrity-check')"
        await db.run(lambda session: session.exec_driver_sql(check))


async def test_the_bot_does_not_say_removed_words_again_in_a_meeting_that_runs(db: Database) -> None:
    said = ("#startmeeting Sesame", "#topic sesame", "#startvote Open sesame? yes, no", "#vote yes")
    await db.run(store.take_in, heard(*said), WAYS)
    await db.run(removing.remove, "#c", 1, 3, "", NOON)
    later = heard("#subtopic x", "#meetingtopic none", "#undo", "#endvote", start=NOON + timedelta(minutes=1))
    outcomes = await db.run(store.take_in, [*later[:1], *later[3:]], WAYS)
    (row,) = await db.read(archive.meetings)
    mark = "[removed by an administrator]"
    assert row.title == mark
    told = [reply.text for outcome in outcomes for reply in outcome.replies]
    assert told == [f'Voted on "{mark}" Results are', "yes (1): ann"]
    told = [reply.text for one in await db.run(store.take_in, later[1:2], WAYS) for reply in one.replies]
    assert told == [mark]


async def test_removed_words_are_gone_from_the_register_from_edits_and_from_titles(db: Database) -> None:
    said = ("#startmeeting Sesame", "#action ann says sesame", "#nick sesame", "#chair sesame2", "#endmeeting")
    await db.run(store.take_in, heard(*said), WAYS)
    (row,) = await db.read(archive.meetings)
    record = await db.read(store.record, row.id)
    place = next(number for number, entry in enumerate(record, 1) if entry.kind is EntryKind.ACTION)
    assert await db.run(edits.edit, row.id, place, "ann says sesame twice", "admin", NOON)
    await db.run(removing.remove, "#c", 1, 5, "", NOON)
    (row,) = await db.read(archive.meetings)
    minutes = await db.read(archive.minutes, row, WAYS)
    assert "sesame" not in str([minutes.items, minutes.people, minutes.edits, minutes.title, row.title]).lower()
    (action,) = await db.read(lambda session: register.actions(session, is_open=True))
    assert action.text == "[removed by an administrator]"
