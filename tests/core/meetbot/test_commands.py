# SPDX-License-Identifier: Apache-2.0
"""What each command does and says, and to whom it listens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from gatebot.meetbot.model import ITEMS, Act, Entry, EntryKind, Line, LineKind, Meeting, Setting
from gatebot.meetbot.reduce import reduce

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Channel:
    """A channel where a meeting is held, and all that came of it."""

    setting: Setting = field(default_factory=lambda: Setting("#gatebot", topic="old", prefix="http://x/meetings"))
    meeting: Meeting | None = None
    entries: list[Entry] = field(default_factory=list)
    now: datetime = NOON

    def say(self, nick: str, text: str, account: str | None = None, kind: LineKind = LineKind.SAID) -> list[str]:
        """Say a line a second later; returns the answers, topics with a `TOPIC ` before them."""
        self.now += timedelta(seconds=1)
        line = Line(self.now, nick, text, kind, account=account)
        self.meeting, entries, replies = reduce(self.meeting, line, self.setting)
        self.entries += entries
        return [f"TOPIC {r.text}" if r.act is Act.TOPIC else r.text for r in replies]

    @property
    def items(self) -> list[str]:
        """The items that stand."""
        assert self.meeting is not None
        return [f"{item.kind} {item.text}" for item in self.meeting.standing]


@pytest.fixture
def channel() -> Channel:
    """A meeting owned by ann."""
    channel = Channel()
    channel.say("ann", "#startmeeting Gate Sync")
    return channel


def test_a_meeting_starts_with_opendevs_words() -> None:
    assert Channel().say("ann", "#startmeeting Gate Sync") == [
        "Meeting started Sun Nov 22 12:00:01 2026 UTC and is due to finish in 60 minutes.  The chair is ann. "
        "Information about MeetBot at http://wiki.debian.org/MeetBot.",
        "Useful Commands: #action #agreed #help #info #idea #link #topic #startvote.",
        "TOPIC  (Meeting topic: Gate Sync)",
        "The meeting name has been set to 'gate_sync'",
    ]


def test_a_meeting_ends_with_its_addresses_and_the_old_topic(channel: Channel) -> None:
    assert channel.say("ann", "#endmeeting") == [
        "TOPIC old",
        "Meeting ended Sun Nov 22 12:00:02 2026 UTC.  Information about MeetBot at http://wiki.debian.org/MeetBot . "
        "(v 0.1.4)",
        "Minutes:        http://x/meetings/gate_sync/2026/gate_sync.2026-11-22-12.00.html",
        "Minutes (text): http://x/meetings/gate_sync/2026/gate_sync.2026-11-22-12.00.txt",
        "Log:            http://x/meetings/gate_sync/2026/gate_sync.2026-11-22-12.00.log.html",
    ]
    assert channel.meeting is None


def test_a_name_is_required_and_a_second_meeting_refused(channel: Channel) -> None:
    assert Channel().say("ann", "#startmeeting") == [
        "A meeting name is required, e.g., '#startmeeting Marketing Committee'"
    ]
    assert channel.say("bob", "#startmeeting Mine") == [
        "Can't start another meeting, one is in progress.  Use #endmeeting first."
    ]


@pytest.mark.parametrize(
    "command", ["topic", "agreed", "accepted", "rejected", "chair", "undo", "endmeeting", "endvote"]
)
def test_only_chairs_lead(channel: Channel, command: str) -> None:
    channel.say("ann", "#info kept")
    assert channel.say("bob", f"#{command} x") == []
    assert channel.items == ["info kept"]


@pytest.mark.parametrize(
    ("command", "kind"),
    [("info", "info"), ("idea", "idea"), ("help", "help"), ("halp", "help"), ("link", "link"), ("action", "action")],
)
def test_anyone_adds_items(channel: Channel, command: str, kind: str) -> None:
    assert channel.say("bob", f"#{command.upper()} some text") == []
    assert channel.items == [f"{kind} some text"]


def test_anyone_may_end_a_meeting_that_is_past_its_time(channel: Channel) -> None:
    channel.now = NOON + timedelta(minutes=60, seconds=1)
    assert channel.say("bob", "#endmeeting")[0] == "TOPIC old"


@pytest.mark.parametrize("text", [" #info x", "so #info x", "#nosuch x", "#", "# info"])
def test_other_lines_are_no_commands(channel: Channel, text: str) -> None:
    assert channel.say("ann", text) == []
    assert channel.items == []


def test_a_command_in_a_me_line_is_none(channel: Channel) -> None:
    channel.say("ann", "#info x", kind=LineKind.ME)
    assert channel.items == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://x.org/1 why", True),
        ("mailto://me@x", True),
        ("mailto:me@x", False),
        ("HTTPS://X.ORG", False),
        ("see https://x.org", False),
        ("gopher://x", False),
        ("http:", False),
    ],
)
def test_an_address_that_opens_a_line_is_a_link(channel: Channel, text: str, found: bool) -> None:
    channel.say("bob", text)
    assert channel.items == ([f"link {text}"] if found else [])


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ("topic", "#topic WHAT COMES NOW"),
        ("progress", "#subtopic WHAT COMES NOW"),
        ("info", "#info WHAT IS TO BE KNOWN"),
        ("idea", "#idea WHAT MIGHT BE DONE"),
        ("action", "#action WHO DOES WHAT"),
        ("agree", "#agreed WHAT WAS AGREED"),
        ("accept", "#accepted WHAT WAS ACCEPTED"),
        ("reject", "#rejected WHAT WAS REJECTED"),
        ("halp", "#help WHAT HELP IS WANTED WITH"),
        ("link", "#link ADDRESS"),
        ("done", "#done NUMBER, or #done and words of an action"),
    ],
)
def test_a_command_without_words_notes_nothing_and_says_what_it_needs(
    channel: Channel, command: str, example: str
) -> None:
    noted = example.removeprefix("#").split(" ")[0]
    assert channel.say("ann", f"#{command} \t") == [f"#{noted} needs words: {example}. Nothing was noted."]
    assert channel.items == []
    if command not in ("progress", "done"):
        strict = Channel(Setting("#c", strict=True))
        strict.say("ann", "#startmeeting x")
        strict.say("ann", f"#{command}")
        assert strict.items == [f"{noted} "]


def test_chairs_come_and_go() -> None:
    channel = Channel(Setting("#c", present=frozenset({"ann", "bob"})))
    channel.say("ann", "#startmeeting x")
    assert channel.say("ann", "#chair bob, eve") == ["Warning: Nick not in channel: eve", "Current chairs: ann bob eve"]
    assert channel.say("bob", "#topic T") == ["TOPIC T (Meeting topic: x)"]
    assert channel.say("ann", "#unchair bob,ann") == ["Current chairs: ann eve"]
    assert channel.say("bob", "#topic U") == []


def test_nicks_that_differ_in_case_are_one() -> None:
    channel = Channel(Setting("#c", present=frozenset({"Bob"})))
    channel.say("ann", "#startmeeting x")
    assert channel.say("ANN", "#chair bob") == ["Current chairs: ann bob"]
    assert channel.say("Bob", "#topic T") == ["TOPIC T (Meeting topic: x)"]
    assert channel.say("ann", "#unchair BOB") == ["Current chairs: ann"]


def test_many_who_are_not_there_are_one_warning() -> None:
    channel = Channel(Setting("#c", present=frozenset({"ann"})))
    channel.say("ann", "#startmeeting x")
    assert channel.say("ann", "#chair b c d e")[0] == "Warning: Nick not in channel: b c d e"


def test_who_takes_a_nick_that_has_voted_votes_once(channel: Channel) -> None:
    for nick, text in (("ann", "#startvote Q? yes, no"), ("eve_", "#vote yes"), ("eve", "#vote no")):
        channel.say(nick, text)
    channel.say("eve", "eve_", kind=LineKind.NICK)
    assert channel.say("bob", "#showvote") == ["no (1): eve_"]


def test_a_chair_keeps_the_seat_under_another_nick(channel: Channel) -> None:
    channel.say("ann", "ann_away", kind=LineKind.NICK)
    assert channel.say("ann", "#topic by a thief of the nick") == []
    assert channel.say("ann_away", "#topic mine") == ["TOPIC mine (Meeting topic: Gate Sync)"]


def test_a_chair_is_known_by_account_where_the_network_tells_it() -> None:
    channel = Channel()
    channel.say("ann", "#startmeeting x", account="ann")
    assert channel.say("ann", "#topic stolen", account="") == []
    assert channel.say("ann_", "#topic mine", account="ann") == ["TOPIC mine (Meeting topic: x)"]


def test_undo_says_what_and_puts_the_topic_back(channel: Channel) -> None:
    channel.say("ann", "#topic One")
    channel.say("ann", "#topic Two")
    channel.say("bob", "#link see https://x.org/a now")
    assert channel.say("ann", "#undo") == ["Removing item from minutes: #link https://x.org/a"]
    assert channel.say("ann", "#undo") == [
        "Removing item from minutes: #topic Two",
        "TOPIC One (Meeting topic: Gate Sync)",
    ]
    assert channel.say("ann", "#undo") == [
        "Removing item from minutes: #topic One",
        "TOPIC  (Meeting topic: Gate Sync)",
    ]
    assert channel.say("ann", "#undo") == []


def test_a_name_keeps_letters_of_every_script_and_never_is_empty(channel: Channel) -> None:
    assert channel.say("bob", "#meetingname 주간 Weekly 회의!") == [
        "The meeting name has been set to '주간_weekly_회의_'"
    ]
    assert channel.say("bob", "#meetingname ../..") == ["The meeting name has been set to 'gatebot'"]


def test_minutes_of_one_name_in_one_minute_do_not_overwrite_each_other() -> None:
    channel = Channel(Setting("#c", taken=frozenset({"x/2026/x.2026-11-22-12.00"})))
    channel.say("ann", "#startmeeting x")
    assert channel.say("ann", "#endmeeting")[-1] == "Log:            x/2026/x.2026-11-22-12.00-2.log.html"


def test_who_votes_is_told_alone_that_it_counts_where_settings_say_so() -> None:
    channel = Channel(Setting("#c", confirms=True))
    channel.say("ann", "#startmeeting x")
    channel.say("ann", "#startvote Q? 김밥, b")
    assert channel.say("bob", "#vote 김밥") == ["Your vote counts: 김밥. Only your last vote does."]


def test_a_vote_counts_the_last_choice_of_each(channel: Channel) -> None:
    assert channel.say("bob", "#startvote Q? a, b") == ["Only the meeting chair may start a vote."]
    assert channel.say("bob", "#vote a") == [
        "bob: no vote is open. A chair opens one with #startvote QUESTION? OPTION, OPTION."
    ]
    for unclear in ("#startvote", "#startvote no question"):
        assert channel.say("ann", unclear) == [
            "Unable to parse vote topic and options.",
            "Say #startvote QUESTION? OPTION, OPTION. Without options it is Yes or No.",
        ]
    assert channel.say("ann", '#startvote 점심은? 김밥, "비빔밥, 고추장 없이", +1') == [
        "Begin voting on: 점심은? Valid vote options are 김밥, 비빔밥, 고추장 없이, +1.",
        "Vote using '#vote OPTION'. Only your last vote counts.",
    ]
    assert channel.say("ann", "#startvote Again? a, b") == ["Already voting on '점심은'"]
    assert channel.say("bob", "#vote 국수") == [
        "bob: 국수 is not a valid option. Valid options are 김밥, 비빔밥, 고추장 없이, +1."
    ]
    assert channel.say("bob", "#vote 비빔밥, 고추장 없이") == []
    assert channel.say("bob", "#vote 김밥") == []
    assert channel.say("eve", "#vote 김밥") == []
    assert channel.say("eve", "#showvote") == ["김밥 (2): bob, eve"]
    assert channel.say("ann", "#endvote") == ['Voted on "점심은?" Results are', "김밥 (2): bob, eve"]
    assert channel.items == ['vote Voted on "점심은?" Results are, 김밥: 2']


def test_a_vote_without_options_is_yes_or_no(channel: Channel) -> None:
    assert channel.say("ann", "#startvote Ship it?")[0] == "Begin voting on: Ship it? Valid vote options are Yes, No."
    assert channel.say("bob", "#vote yes") == []
    assert channel.say("ann", "#endmeeting")[:3] == [
        'Voted on "Ship it?" Results are',
        "Yes (1): bob",
        "(the vote was open until the end of the meeting)",
    ]
    assert [entry.text for entry in channel.entries if entry.kind in ITEMS] == [
        'Voted on "Ship it?" Results are, Yes: 1 (the vote was open until the end of the meeting)'
    ]


@pytest.mark.parametrize(
    ("offered", "options"),
    [
        ("(+1, 0, -1)", "+1, 0, -1"),
        ("a b c", "a, b, c"),
        ('"red wine" white', "red wine, white"),
        ("C++, green-ish", "C++, green-ish"),
        ("don't, can't, 'no, never'", "don't, can't, no, never"),
        ("yes (now), no (a, b)", "yes (now), no (a, b)"),
        ("(maybe later) yes", "maybe later, yes"),
        ("김밥，비빔밥、국수", "김밥, 비빔밥, 국수"),
        (",,,", "Yes, No"),
        ("C++ | C#", "C++, C#"),
        ("red wine｜white; if any", "red wine, white; if any"),
        ("now; later on", "now, later on"),
        ("tea / coffee", "tea, coffee"),
        ("|", "Yes, No"),
        ("+ - 👍", "+, -, 👍"),
        (":) :(", ":), :("),
        ("x, X", "x"),
    ],
)
def test_options_are_read_as_people_write_them(channel: Channel, offered: str, options: str) -> None:
    assert channel.say("ann", f"#startvote Q? {offered}")[0] == f"Begin voting on: Q? Valid vote options are {options}."


def test_a_choice_is_found_however_it_is_typed(channel: Channel) -> None:
    channel.say("ann", '#startvote 무엇을 먹을까요？ "red wine", 김밥')
    assert channel.say("bob", '#vote "Red Wine"') == []
    assert channel.say("eve", "#vote \u1100\u1175\u11b7\u1107\u1161\u11b8") == []
    assert channel.say("bob", "#showvote") == ["red wine (1): bob", "김밥 (1): eve"]


def test_subtopics_and_done_items_belong_to_chairs_and_are_not_opendevs(channel: Channel) -> None:
    assert channel.say("bob", "#done mine") == []
    assert channel.say("ann", "#subtopic Details") == []
    assert channel.say("ann", "#progress More") == []
    assert channel.say("ann", "#done bob wrote the docs") == []
    assert channel.items == ["subtopic Details", "subtopic More", "done bob wrote the docs"]
    strict = Channel(Setting("#c", strict=True))
    strict.say("ann", "#startmeeting x")
    assert strict.say("ann", "#subtopic Details") == []
    assert strict.say("ann", "#vote a") == []
    assert strict.say("ann", "#startvote") == ["Unable to parse vote topic and options."]
    assert strict.items == []
    assert strict.say("ann", "#commands") == [
        "Available commands: #accept #accepted #action #agree #agreed #chair #commands #endmeeting #endvote #halp "
        "#help #idea #info #link #lurk #meetingname #meetingtopic #nick #reject #rejected #restrictlogs "
        "#save #showvote #startmeeting #startvote #topic #unchair #undo #unlurk #vote"
    ]


def test_logs_are_restricted_with_a_word_and_strictly_without(channel: Channel) -> None:
    assert channel.say("ann", "#restrictlogs") == ["Restricting permissions on minutes: -0o77 on next #save"]
    assert EntryKind.RESTRICTED in [entry.kind for entry in channel.entries]
    strict = Channel(Setting("#c", strict=True))
    strict.say("ann", "#startmeeting x")
    assert strict.say("ann", "#restrictlogs") == []


def test_an_empty_old_topic_is_put_back_too() -> None:
    channel = Channel(Setting("#c", topic=""))
    channel.say("ann", "#startmeeting x")
    assert channel.say("ann", "#endmeeting")[0] == "TOPIC "


def test_a_lurking_bot_records_in_silence(channel: Channel) -> None:
    assert channel.say("ann", "#lurk") == []
    assert channel.say("ann", "#topic quiet") == []
    assert channel.say("ann", "#unlurk") == []
    assert channel.items == ["topic quiet"]


def test_a_changed_nick_is_part_of_the_record_only_where_it_matters(channel: Channel) -> None:
    before = len(channel.entries)
    channel.say("zed", "zed_", kind=LineKind.NICK)
    channel.say("ann", "ann_", kind=LineKind.NICK)
    assert [entry.kind for entry in channel.entries[before:]] == [EntryKind.RENAMED]
