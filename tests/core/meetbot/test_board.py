# SPDX-License-Identifier: Apache-2.0
"""The board of an event: what lines do to it, who may, and what is answered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.meetbot.board import deciding, folding, reading
from gatebot.meetbot.board.model import Board, Event, Fact, Speaker
from gatebot.meetbot.board.pages import json_of, pad
from gatebot.settings_sisters import COMMANDS

SITE = "https://gate.example.org"
NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
MINA = Speaker("oftc", "Mina")
ADMIN = Speaker("oftc", "ann", "account:ann", "ann", manages=True)
PTG = Event(
    "ptg", "oftc", "#ptg", "The gathering", ("nova", "swift"), ("Aspen",), ("MonAM", "MonPM"), "https://pad.example/p/"
)


class Channel:
    """The channel of a board."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.told: list[tuple[str, str, str]] = []

    @property
    def board(self) -> Board:
        return folding.board(PTG.tracks, self.facts)

    def say(self, text: str, who: Speaker = MINA) -> str | None:
        """What is answered to a line; None: it is none for the board."""
        return self._done(reading.said(text), who)

    def whisper(self, text: str, who: Speaker = MINA) -> str | None:
        return self._done(reading.whispered(text), who)

    def _done(self, said: reading.Said | None, who: Speaker) -> str | None:
        answer = deciding.decide(PTG, self.board, said, who, NOON, SITE) if said is not None else None
        if answer is None:
            return None
        self.facts += answer.facts
        self.told += answer.told
        return answer.reply


@pytest.fixture
def channel() -> Channel:
    return Channel()


def test_now_takes_the_place_of_what_was_to_come_and_clean_of_both(channel: Channel) -> None:
    assert channel.say("#swift next ring placement") == ""
    assert channel.say("+Swift next with #glance") == ""
    assert channel.board.next == {"swift": ("ring placement", "with #glance")}
    assert channel.say("#swift now cold storage") == ""
    assert (channel.board.now, channel.board.next) == ({"swift": "cold storage"}, {})
    channel.say("#swift next x")
    assert channel.say("#swift clean") == ""
    assert (channel.board.now, channel.board.next) == ({}, {})


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("#svift now Looking", "Unknown track 'svift'. Active tracks: nova swift"),
        ("#swift", f"Missing track command (#TRACK now|next|clean...). See doc at: {SITE}/board/ptg"),
        ("#swift now", "Missing sentence (#TRACK now ...)"),
        ("#swift clean all", "'#TRACK clean' does not take any parameter"),
        ("#swift url javascript:alert(1)", "'#TRACK url' takes a single URL parameter"),
        ("#swift etherpad http://a http://b", "'#TRACK etherpad' takes a single URL parameter"),
        ("#swift color red;x", "'#TRACK color' takes a single colorcode parameter"),
        (
            "#swift discussing rings",
            "Unknown command 'discussing'. Did you mean: swift now discussing... ? There are: now, next, clean, "
            "clear, etherpad, url, color, location, book, unbook.",
        ),
        ("#swift book Beach-Tue", "Slot 'Beach-Tue' is invalid (or booked). Free: Aspen-MonAM, Aspen-MonPM."),
        ("#swift unbook Aspen-MonAM", "Slot 'Aspen-MonAM' is invalid (or not booked for swift)"),
        ("+in", "The 'in' command should be followed by a location."),
        ("+in #svift", "Unrecognised track #svift"),
        ("+out now", "The 'out' command does not accept any extra parameters."),
        ("+out", "You weren't checked in anywhere yet!"),
        ("+seen", "The 'seen' command needs a single nick argument."),
        ("+seen dahu", "dahu never checked in anywhere"),
        ("+subscribe", "You don't have a subscription regex set yet"),
        ("+subscribe ***", "Invalid regex: no argument for repetition operator: *"),
        ("#unsubscribe", "You don't have a subscription regex set yet"),
        ("~list", "Available tracks: nova swift"),
        ("#here", "Say where you are with #in, such as: #in the lobby"),
        ("~add cinder", f"Need a known account for admin commands. Link it here:  {SITE}/settings/irc"),
        (
            "+help",
            "I accept commands in the following format: '#TRACK COMMAND [PARAMETERS]'. See doc at: "
            f"{SITE}/board/ptg",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_answered_as_ptgbot_does_and_changes_nothing(
    channel: Channel, text: str, reply: str
) -> None:
    assert channel.say(text) == reply
    assert channel.facts == []


@pytest.mark.parametrize(
    "text", ["#info swift", "#topic now what", "#1 is the worst", "#status ok", "hello", "# x", "~"]
)
def test_meetings_and_talk_are_left_alone(channel: Channel, text: str) -> None:
    assert channel.say(text) is None


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("~list", "~list"),
        ("~ADD nova", "~add"),
        ("#in #nova", "#in"),
        ("+in the lobby", "#in"),
        ("#out", "#out"),
        ("#here", "#here"),
        ("#nova now testing", "#nova now"),
        ("#glance now has a bot", ""),  # of no board a track: somebody speaks of a channel
        ("#in my opinion this is a sentence", ""),
        ("~10 minutes", ""),
        ("~/src is where it is", ""),
        ("#info we are here", ""),
        ("hello", ""),
    ],
)
def test_a_command_of_a_board_where_there_is_none_is_told_from_talk(text: str, command: str) -> None:
    assert reading.elsewhere(text, {"nova"}) == command


def test_who_says_it_where_there_is_no_board_reads_where_there_is_one() -> None:
    told = "There is no board in this channel, so nothing comes of ~list. "
    assert deciding.nowhere("~list", ["#ptg"], SITE) == f"{told}One is led in #ptg:  {SITE}/board"
    assert deciding.nowhere("~list", [], SITE) == (
        f"{told}An administrator makes one with a section [board.NAME] in gatebot.toml."
    )
    assert deciding.nowhere("#here", [], SITE) == (
        "#here is no command of mine: who speaks in a meeting is counted as present."
    )


def test_settings_know_every_command_that_no_track_can_be_called() -> None:
    assert {*reading.OTHERS, *reading.USER, "here"} == COMMANDS


def test_people_check_in_and_out_in_the_channel_or_alone(channel: Channel) -> None:
    assert channel.whisper("in swift") == "OK, checked into #swift - thanks for the update!"
    assert [one.nick for one in channel.board.present("swift")] == ["Mina"]
    assert channel.say("#seen mina", ADMIN) == "Mina was last seen in #swift at 2026-11-29 12:00:00 UTC"
    assert channel.say("+in the pub") == "OK, checked into the pub - thanks for the update!"
    assert channel.whisper("+out") == "OK, checked out of the pub - thanks for the update!"
    assert channel.whisper("out") == "You already checked out of the pub at 2026-11-29 12:00:00 UTC!"
    assert channel.whisper("seen MINA") == "Mina checked out of the pub at 2026-11-29 12:00:00 UTC"
    assert channel.whisper("why 42") is None


def test_who_subscribes_is_told_alone_of_what_fits(channel: Channel) -> None:
    assert channel.whisper("subscribe #nova.*test|python *3") == "Subscription set to #nova.*test|python *3"
    channel.say("#nova location Ballroom A")
    channel.say("#nova now TESTS of things")
    channel.say("#swift next other things")
    assert channel.told == [("oftc", "Mina", "now in #nova (Ballroom A): TESTS of things")]
    assert channel.whisper("subscribe swift") == "Subscription set to swift (was #nova.*test|python *3)"
    assert channel.whisper("subscribe") == "Your current subscription regex is: swift"
    assert channel.whisper("unsubscribe") == "Cancelled subscription swift"
    assert channel.board.subscriptions == {}


def test_rooms_are_booked_once(channel: Channel) -> None:
    assert channel.say("#swift book aspen-monam") == "Room aspen is now booked on monam for swift"
    assert channel.say("#nova book Aspen-MonAM") == "Slot 'Aspen-MonAM' is invalid (or booked). Free: Aspen-MonPM."
    assert channel.board.bookings == {"Aspen-MonAM": "swift"}
    assert channel.say("#swift unbook Aspen-MonAM") == "Room Aspen (previously booked for swift) is now free on MonAM"


def test_a_board_is_led_by_who_may(channel: Channel) -> None:
    known = Speaker("oftc", "bob", "account:bob", "bob")
    assert channel.say("~newday", known) == (
        "~newday needs the capability manageBoards, which bob does not have. An administrator can give it in "
        "All-Projects."
    )
    assert channel.say("~add Cinder #glance", ADMIN) == "Done."
    assert channel.say("~del swift", ADMIN) == "Done."
    assert channel.board.tracks == ("cinder", "glance", "nova")
    assert channel.say("~add", ADMIN) == "This command takes one or more arguments"
    assert channel.say("~add a/b", ADMIN) == "This command takes one or more arguments: names of tracks"
    nobody = "There is no track nosuch. Available tracks: cinder glance nova"
    assert [channel.say(f"~{word} nova nosuch", ADMIN) for word in ("del", "clean")] == [nobody, nobody]
    assert channel.say("~add x info", ADMIN) == "#info is a command, so no track can be called so."
    assert channel.board.tracks == ("cinder", "glance", "nova")
    assert channel.say("~motd add danger Fire!", ADMIN) == "Done."
    assert channel.say("~motd add info Lunch  at 12", ADMIN) == "Done."
    assert channel.say("~motd reorder 2 1", ADMIN) == "Done."
    assert channel.board.motd == (("info", "Lunch at 12"), ("danger", "Fire!"))
    assert channel.say("~motd del 1", ADMIN) == "Done."
    assert channel.say("~motd del 2", ADMIN) == "Incorrect message number 2"
    assert channel.say("~motd add loud x", ADMIN) == (
        "Incorrect message level 'loud' (should be info, success, warning or danger)"
    )
    assert channel.say("~requirevoice", ADMIN) == "From now on only people with a linked account move tracks."
    assert channel.say("#nova now x") == f"Need a known account to issue commands. Link it here:  {SITE}/settings/irc"
    guest = Speaker("oftc", "eve/guest")
    assert channel.say("#nova now x", guest) == f"Need a known account to issue commands. Sign in:  {SITE}/login"
    assert channel.say("#nova now x", known) == ""
    assert channel.say("~fetchdb http://x", ADMIN) == (
        "Unknown command 'fetchdb'. There are: ~list, ~add, ~del, ~clean, ~newday, ~motd, ~emptydb, ~requirevoice, "
        "~alloweveryone."
    )
    channel.whisper("in the pub")
    assert channel.say("~newday", ADMIN) == "Done: a new day."
    board = channel.board
    assert (board.now, board.checkins, board.motd, board.tracks) == ({}, {}, (), ("cinder", "glance", "nova"))
    sure = "~emptydb takes away everything, the tracks too. If you mean it: ~emptydb ptg"
    assert [channel.say(text, ADMIN) for text in ("~emptydb", "~emptydb all", "~emptydb PTG")] == [
        sure, sure, "Done: the board is empty."
    ]  # fmt: skip
    assert channel.board == Board()


def test_programs_read_it_in_ptgbots_form_without_subscriptions(channel: Channel) -> None:
    for line in ("#nova now x", "#nova color #42f4c5", "#swift etherpad https://pad.example/mine", "+subscribe nova"):
        channel.say(line)
    told = json_of(PTG, channel.board)
    assert told["now"] == {"nova": "x"}
    assert told["colors"] == {"nova": "#42f4c5"}
    assert told["etherpads"] == {"nova": "https://pad.example/p/nova", "swift": "https://pad.example/mine"}
    assert told["schedule"] == {"Aspen": {"MonAM": "", "MonPM": ""}}
    assert "subscri" not in str(told)
    channel.say("#swift etherpad auto")
    assert pad(PTG, channel.board, "swift") == "https://pad.example/p/swift"


WORDS = st.sampled_from((
    "#nova", "+swift", "~motd", "~add", "~del", "~newday", "+in", "#out", "#seen", "#subscribe", "now", "next", "clean",
    "book", "unbook", "Aspen-MonAM", "add", "del", "reorder", "info", "1", "2", "99999999", "*", "(", "url",
    "https://x", "color", "red", "\u202e", "\x02",
))  # fmt: skip


@given(lines=st.lists(st.lists(WORDS | st.text(max_size=8), max_size=5).map(" ".join), max_size=12))
def test_no_line_breaks_a_board_and_every_answer_is_one_line(lines: list[str]) -> None:
    channel = Channel()
    for number, line in enumerate(lines):
        reply = channel.say(line, ADMIN if number % 2 else MINA)
        assert reply is None or not any(ord(letter) < 32 for letter in reply)
    assert json_of(PTG, channel.board)["tracks"] == sorted(channel.board.tracks)
