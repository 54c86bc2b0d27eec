# SPDX-License-Identifier: Apache-2.0
"""The pure parts of the IRC adapter: bytes, login, pace, who is where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatebot.meetbot.irc import handshake, pace, session, wire
from gatebot.meetbot.irc.handshake import Handshake
from gatebot.meetbot.irc.hearing import Scene, hear
from gatebot.meetbot.irc.messages import Message, parse
from gatebot.meetbot.irc.model import Network
from gatebot.meetbot.irc.outbox import Outbox, Unheard
from gatebot.meetbot.irc.session import Effect, Hears, Sends, Session
from gatebot.meetbot.model import Act, Line, LineKind, Priority, Reply

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("회의 ok".encode(), "회의 ok"),
        ("회의 ok".encode("cp949"), "회의 ok"),
        (b"caf\xe9", "café"),
        (b"\x81 \x8d", "\ufffd \ufffd"),
    ],
)
def test_bytes_are_read_as_what_they_probably_are(raw: bytes, text: str) -> None:
    assert wire.decode(raw) == text


def test_lines_are_cut_from_the_stream_and_endless_ones_dropped() -> None:
    lines = wire.Lines(longest=10)
    assert lines.feed(b"PING :a\r\n\r\nPO") == ["PING :a"]
    assert lines.feed(b"NG\n" + b"x" * 50) == ["PONG"]
    assert lines.feed(b"yz\r\nok\r\n") == ["ok"]  # The rest of an endless line is no line of the server.


def test_what_would_end_a_line_never_goes_out() -> None:
    assert list(wire.split("hi\r\nQUIT :x\0", 400)) == ["hi  QUIT :x "]
    assert not wire.is_clean("PRIVMSG #c :hi\rQUIT")


def test_long_texts_are_split_between_words_and_never_inside_a_character() -> None:
    assert list(wire.split("one two three", 8)) == ["one two", "three"]
    assert list(wire.split("회의를합시다", 8)) == ["회의", "를합", "시다"]
    assert list(wire.split("회의", -20)) == ["회", "의"]  # a name as long as the line leaves no room, and yet it ends
    assert list(wire.split("e\u0301" * 4, 5)) == ["e\u0301", "e\u0301", "e\u0301", "e\u0301"]


def test_what_is_left_of_512_bytes_counts_the_servers_prefix() -> None:
    source, channel = "gatebot!bot@host.example", "#회의"
    limit = wire.room(source, "PRIVMSG", channel)
    assert len(f":{source} PRIVMSG {channel} :".encode()) + limit + 2 == 512


def negotiate(state: Handshake, *messages: tuple[str, ...]) -> tuple[Handshake, list[str]]:
    sent: list[str] = []
    for command, *arguments in messages:
        state, lines = handshake.advance(state, command, arguments)
        sent += lines
    return state, sent


def test_login_by_sasl_in_the_302_style_over_two_lines() -> None:
    state, sent = negotiate(
        Handshake("gate", "secret"),
        ("CAP", "LS", "*", "server-time account-tag away-notify"),
        ("CAP", "LS", "sasl=PLAIN,EXTERNAL batch"),
        ("CAP", "ACK", "account-tag batch server-time sasl "),
        ("AUTHENTICATE", "+"),
        ("903", "SASL authentication successful"),
    )
    assert sent == [
        "CAP REQ :account-tag batch server-time sasl",
        "AUTHENTICATE PLAIN",
        "AUTHENTICATE Z2F0ZQBnYXRlAHNlY3JldA==",
        "CAP END",
    ]
    assert state.authenticated
    assert "account-tag" in state.enabled


@pytest.mark.parametrize("numeric", ["902", "904", "905", "906", "908"])
def test_a_refused_login_ends_negotiations_and_is_told(numeric: str) -> None:
    state, sent = negotiate(
        Handshake("gate", "wrong"),
        ("CAP", "LS", "sasl"),
        ("CAP", "ACK", "sasl"),
        ("AUTHENTICATE", "+"),
        (numeric, "no"),
    )
    assert sent[-1] == "CAP END"
    assert state.problem == f"the login was refused ({numeric}): no"


@pytest.mark.parametrize(
    ("offered", "sent", "problem"),
    [
        ("multi-prefix", "CAP REQ :multi-prefix", "the server offers no login by SASL PLAIN"),
        ("", "CAP END", "the server offers no login by SASL PLAIN"),
        ("sasl=EXTERNAL", "CAP END", "the server offers no login by SASL PLAIN"),
    ],
)
def test_servers_that_offer_little_are_taken_as_they_are(offered: str, sent: str, problem: str) -> None:
    state, lines = negotiate(Handshake("gate", "secret"), ("CAP", "LS", offered))
    assert (lines, state.problem) == ([sent], problem)


def test_a_long_secret_goes_in_pieces() -> None:
    _, sent = negotiate(Handshake("gate", "x" * 390), ("CAP", "ACK", "sasl"), ("AUTHENTICATE", "+"))
    assert [len(line) - len("AUTHENTICATE ") for line in sent[1:]] == [400, 136]


def test_a_bucket_lets_a_burst_through_and_then_drips() -> None:
    bucket, waits, now = pace.bucket(3, 0.5, 0.0), [], 0.0
    for _ in range(5):
        waits.append(round(bucket.wait(now), 3))
        now += waits[-1]
        bucket = bucket.take(now)
    assert waits == [0, 0, 0, 2.0, 2.0]


def test_waits_grow_and_stay_below_five_minutes() -> None:
    assert [pace.back_off(failures, 1.0) for failures in (1, 2, 3, 20)] == [10.0, 20.0, 40.0, 300.0]
    assert [pace.back_off(failures, 0.0) for failures in (1, 20)] == [2.5, 2.5]


def test_a_network_that_is_away_for_weeks_is_tried_all_the_same() -> None:
    assert pace.back_off(100_000, 1.0) == 300.0


def message(
    command: str, nick: str, target: str = "", *arguments: str, tags: Mapping[str, str] | None = None
) -> Message:
    return Message(command, nick, f"{nick}!u@h", target, arguments, tags or {})


def after(*messages: Message, scene: Scene | None = None) -> tuple[Scene, list[tuple[str, Line]]]:
    scene, heard = scene or Scene("bot"), []
    for one in messages:
        scene, lines = hear(scene, one, NOON)
        heard += lines
    return scene, heard


ENTERED = (
    message("JOIN", "bot", "#c"),
    message("332", "server", "bot", "#c", "the topic"),
    message("353", "server", "bot", "=", "#C", "@ann +bob bot"),
)


def test_entering_a_channel_tells_who_is_there() -> None:
    scene, heard = after(*ENTERED)
    assert heard == []
    present = scene.roster.get("#C")
    assert present is not None
    assert (present.nicks, present.topic) == ({"ann", "bob", "bot"}, "the topic")
    assert scene.source == "bot!u@h"


def test_people_come_go_and_change_names() -> None:
    scene, heard = after(
        *ENTERED,
        message("JOIN", "eve", "#c"),
        message("NICK", "eve", "eva"),
        message("PART", "bob", "#c", "tired"),
        message("KICK", "ann", "#c", "eva", "out"),
        message("QUIT", "ann", "", "bye"),
        message("QUIT", "stranger", "", "bye"),
    )
    assert [(line.kind, line.nick, line.text) for _, line in heard] == [
        (LineKind.JOIN, "eve", ""),
        (LineKind.NICK, "eve", "eva"),
        (LineKind.PART, "bob", "tired"),
        (LineKind.KICK, "ann", "eva out"),
        (LineKind.QUIT, "ann", "bye"),
    ]
    present = scene.roster.get("#c")
    assert present is not None
    assert present.nicks == {"bot"}


def test_the_bot_knows_when_it_is_thrown_out() -> None:
    scene, _ = after(*ENTERED, message("KICK", "ann", "#c", "bot", "no bots"))
    assert scene.roster.get("#c") is None


def test_the_servers_clock_and_accounts_are_used_where_they_are_told() -> None:
    said = message("PRIVMSG", "ann", "#c", "\x02hi\x0f", tags={"time": "2026-11-22T11:59:00.000Z", "account": "ann"})
    there, _ = after(*ENTERED)
    _, heard = after(said, scene=replace(there, tells_accounts=True))
    assert heard == [("#c", Line(NOON - timedelta(minutes=1), "ann", "hi", account="ann"))]
    _, heard = after(replace(said, tags={"time": "nonsense", "account": "ann"}), scene=there)
    assert heard == [("#c", Line(NOON, "ann", "hi", account=None))]


def test_nothing_is_said_in_the_future_and_nothing_private_is_logged() -> None:
    late = message("PRIVMSG", "ann", "#c", "hi", tags={"time": "2030-01-01T00:00:00Z"})
    assert after(*ENTERED, late)[1][0][1].at == NOON
    assert after(message("PRIVMSG", "ann", "bot", "secret"), message("ACTION", "ann", "bot", "waves"))[1] == []


def test_what_is_said_to_some_people_of_a_channel_is_not_said_in_it() -> None:
    assert after(*ENTERED, message("PRIVMSG", "ann", "+#c", "voices only"))[1] == []


def test_what_a_network_did_not_echo_before_it_broke_is_said_again() -> None:
    out, sent = Outbox(), "a line"
    unheard = Unheard()
    for number, text in enumerate(("first", sent, "old")):
        unheard.keep("#c", Reply(text), Priority.NEWS, text, 0.0 if text == "old" else 200.0 + number)
    unheard.forget("#C", "first")
    unheard.put_back(out, 210.0)
    assert out.next(lambda _: True) == ("#c", Reply(sent), Priority.NEWS)
    assert out.next(lambda _: True) is None


def test_a_topic_gives_way_to_a_newer_one_of_its_channel_and_nothing_else_does() -> None:
    out = Outbox()
    for channel, text, act in (
        ("#c", "old", Act.TOPIC),
        ("#d", "other", Act.TOPIC),
        ("#c", "said", Act.SAY),
        ("#C", "new", Act.TOPIC),
    ):
        out.put(channel, Reply(text, act))
    told: list[str] = []
    while (one := out.next(lambda _: True)) is not None:
        told.append(one[1].text)
    assert told == ["other", "said", "new"]


def logged_in() -> Session:
    """A session with history, in no channel yet."""
    network = Network("irc.example.org", name="n", channels=("#c", "#Ö[1]"))
    state = session.start(network, {"#ö[1]": NOON}, NOON)[0]
    offers = "batch server-time message-tags draft/chathistory"
    told = (f"CAP * LS :{offers}", f"CAP * ACK :{offers}", "001 gatebot :hi", "005 gatebot CHATHISTORY=50 :are")
    for raw in (*told, "376 gatebot :end"):
        state, _ = take(state, f":s {raw}")
    return state


def take(state: Session, raw: str, at: datetime = NOON) -> tuple[Session, list[Effect]]:
    """One raw line of the server."""
    message = parse(raw)
    assert message is not None
    return session.receive(state, message, at)


def test_who_is_thrown_out_asks_for_what_he_missed_since_then_and_forgets_nothing_held() -> None:
    late = NOON + timedelta(hours=5)
    state = logged_in()
    state, _ = take(state, ":gatebot!u@h JOIN #c")
    state, _ = take(state, "@time=2026-11-22T16:59:00.000Z :ann!u@h PRIVMSG #c :before", late)
    state, _ = take(state, ":ann!u@h KICK #c gatebot :out", late)
    state, effects = take(state, ":gatebot!u@h JOIN #c", late)
    assert effects == [Sends("CHATHISTORY AFTER #c timestamp=2026-11-22T16:59:58.000Z 50")]
    for raw in (":ann!u@h PRIVMSG #c :held", ":ann!u@h KICK #c gatebot :again", ":gatebot!u@h JOIN #c"):
        state, _ = take(state, raw, late)
    _, effects = session.tick(state, late + timedelta(seconds=30))
    assert [one.line.text for one in effects if isinstance(one, Hears)][-2:] == ["held", "gatebot again"]


def test_a_channel_is_remembered_by_the_name_that_the_archive_gives_it() -> None:
    _, effects = take(logged_in(), ":gatebot!u@h JOIN #Ö[1]")
    assert effects == [Sends("CHATHISTORY AFTER #Ö[1] timestamp=2026-11-22T11:59:58.000Z 50")]
