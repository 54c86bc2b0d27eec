# SPDX-License-Identifier: Apache-2.0
"""What holds for any meeting: resuming changes nothing, undo restores, minutes escape, messages fit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gatebot.meetbot.irc.history import GAP
from gatebot.meetbot.lines import PROTOCOLS
from gatebot.meetbot.minutes.fold import fold
from gatebot.meetbot.minutes.render import render
from gatebot.meetbot.minutes.table import minutes_table
from gatebot.meetbot.model import ITEMS, Entry, EntryKind, Line, LineKind, Meeting, Setting
from gatebot.meetbot.reduce import reduce
from gatebot.meetbot.replay import replay

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SETTING = Setting("#law", topic="old", prefix="http://x/meetings")
STRICT = replace(SETTING, strict=True)
NICKS = ["ann", "bob", "철수", "dave[m]", "<b>"]
WORDS = ["x", "", "ann", "철수가", "Q? a, b", "a", "<script>", "https://x.org/\"'>", "javascript:alert(1)", "bob,철수"]
COMMANDS = [
    *("topic", "info", "idea", "action", "agreed", "accepted", "rejected", "help", "link", "chair", "unchair", "undo"),
    *("nick", "meetingname", "meetingtopic", "startvote", "vote", "showvote", "endvote", "lurk", "unlurk", "commands"),
    *("startmeeting", "nosuch", "subtopic", "done", "save", "restrictlogs"),
]

words = st.sampled_from(WORDS)
texts = st.one_of(
    st.builds("#{} {}".format, st.sampled_from(COMMANDS), words),
    st.builds("{}//{}".format, st.sampled_from(PROTOCOLS), words),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
)
kinds = st.sampled_from([LineKind.SAID] * 8 + [LineKind.ME, LineKind.NICK, LineKind.JOIN])
spoken = st.builds(
    Line,
    at=st.just(NOON),
    nick=st.sampled_from(NICKS),
    text=texts,
    kind=kinds,
    own=st.sampled_from([False] * 9 + [True]),
    account=st.sampled_from([None, "", "ann", "bob"]),
)


@st.composite
def meetings(draw: st.DrawFn) -> list[Line]:
    """The lines of a meeting from its start to its end."""
    middle = draw(st.lists(spoken, max_size=40))
    lines = [Line(NOON, "ann", "#startmeeting Law"), *middle]
    return [replace(line, at=NOON + timedelta(seconds=n), id=n + 1) for n, line in enumerate(lines)]


def hold(lines: list[Line], state: Meeting | None = None) -> tuple[Meeting | None, list[Entry], list[str]]:
    """Let lines come one after the other."""
    entries: list[Entry] = []
    said: list[str] = []
    for line in lines:
        state, more, replies = reduce(state, line, SETTING)
        entries += more
        said += [reply.text for reply in replies]
    return state, entries, said


@given(meetings(), st.integers(0, 41))
def test_a_meeting_resumed_from_its_stored_state_is_the_same_meeting(lines: list[Line], cut: int) -> None:
    whole = hold(lines)
    before, entries, said = hold(lines[:cut])
    stored = msgspec.json.decode(msgspec.json.encode(before), type=Meeting | None)
    after, more, later = hold(lines[cut:], stored)
    assert (after, entries + more, said + later) == whole


@given(meetings(), st.sampled_from(sorted(ITEMS - {EntryKind.VOTE})), words)
def test_undo_restores_what_was_before(lines: list[Line], kind: EntryKind, text: str) -> None:
    before, _, _ = hold(lines)
    assert before is not None
    # Without words a command adds nothing that could be undone.
    owner = Line(NOON, before.owner.nick, f"#{kind} {text.strip() or 'x'}", account=before.owner.account)
    after, _, _ = hold([owner, replace(owner, text="#undo")], before)
    assert after is not None
    assert replace(after, said=0) == replace(before, said=0, owner=after.owner, chairs=after.chairs)


@given(meetings())
def test_standing_items_are_the_fold_of_the_entries(lines: list[Line]) -> None:
    state, entries, _ = hold(lines)
    assert state is not None
    assert fold(entries, lines, SETTING).items == state.standing


class Reader(HTMLParser):
    """Notes every tag and address of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name == "href"]


@given(meetings(), st.booleans())
@settings(max_examples=60)
def test_nothing_that_people_say_becomes_markup(lines: list[Line], strict: bool) -> None:
    _, entries, _ = hold(lines)
    setting = replace(SETTING, strict=strict)
    minutes = fold(entries, lines, setting)
    files = render(minutes, setting)
    page, log = Reader(files[".html"] + minutes_table(minutes, setting)), Reader(files[".log.html"])
    known = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h3",
        "span",
        "a",
        "br",
        "ol",
        "li",
        "b",
        "i",
        "font",
        "table",
        "tr",
        "th",
        "td",
    }
    assert page.tags <= known
    assert log.tags <= known | {"pre"}
    assert page.attributes | log.attributes <= {
        "href",
        "name",
        "class",
        "type",
        "color",
        "http-equiv",
        "content",
        *("border", "colspan"),
    }
    assert not [address for address in page.addresses if address.lower().startswith(("javascript:", "data:"))]


@given(meetings())
@settings(max_examples=60)
def test_other_formats_parse_and_hold_what_people_said_as_text(lines: list[Line]) -> None:
    _, entries, _ = hold(lines)
    minutes = fold(entries, lines, SETTING)
    files = render(minutes, SETTING)
    told = json.loads(files[".json"])
    assert [(item["kind"], item["text"]) for item in told["items"]] == [(i.kind, i.text) for i in minutes.items]
    assert [line["text"] for line in told["log"]] == [line.text.strip() for line in minutes.log]
    markdown = MarkdownIt("commonmark").render(files[".md"])
    read = Reader(markdown)
    assert read.tags <= {"h1", "h2", "p", "ul", "li", "strong", "em", "a", "br"}
    assert not [address for address in read.addresses if address.lower().startswith(("javascript:", "data:"))]
    for part in files[".mediawiki"].split("<nowiki>")[1:]:
        assert "<" not in part.split("</nowiki>")[0]


@given(meetings())
@settings(max_examples=60)
def test_a_meetings_own_log_replays_to_the_same_files(lines: list[Line]) -> None:
    plain = [
        replace(line, account=None, own=False, text=line.text.strip())
        for line in lines
        if line.kind in (LineKind.SAID, LineKind.ME) and line.text == " ".join(line.text.split()) and line.nick != "<b>"
    ]
    _, entries, _ = hold(plain)
    files = render(fold(entries, plain, SETTING), SETTING)
    again = replay(files[".log.txt"], SETTING, day=NOON.date()).files
    assert again == files


@given(meetings(), st.integers(1, 41), st.booleans())
@settings(max_examples=40)
def test_a_log_with_a_gap_replays_to_the_same_files_and_strictly_tells_of_none(
    lines: list[Line], cut: int, other_day: bool
) -> None:
    plain = [
        replace(line, account=None, own=False, text=line.text.strip())
        for line in lines
        if line.kind is LineKind.SAID and line.text == " ".join(line.text.split()) and line.nick != "<b>"
    ]
    gap = Line(NOON + timedelta(hours=1), "", GAP, LineKind.GAP)
    greeted = Line(NOON, "gatebot", "Meeting started at 12:00:00 UTC", own=True)
    before = [plain[0], greeted, *plain[1:cut]]
    state, entries, _ = hold(before)
    state, away, replies = reduce(state, gap, replace(SETTING, heard=NOON - timedelta(days=other_day)))
    assert state is not None
    told = [Line(gap.at, "gatebot", reply.text, own=True) for reply in replies]
    assert bool(told) is not state.lurking
    later = [*told, *(replace(line, at=gap.at) for line in plain[cut:])]
    entries += [*away, *hold(later, state)[1]]
    files = render(fold(entries, [*before, *later], SETTING), SETTING)
    assert "Missing in the log" in files[".txt"]
    again, strict = (replay(files[".log.txt"], one, day=NOON.date()).files for one in (SETTING, STRICT))
    assert not told or again == files
    assert not any("Missing in the log" in text for text in strict.values())
