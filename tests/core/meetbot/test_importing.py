# SPDX-License-Identifier: Apache-2.0
"""Logs of six programs, read: the same conversation comes out of each; what cannot be read is told by its number."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gatebot.meetbot.importing import formats
from gatebot.meetbot.model import LineKind

OPENDEV = """\
2014-05-27T22:00:02  *** ann <ann@host.example> has joined #gate
2014-05-27T22:00:05  <ann> hi > there
2014-05-27T22:00:06  * bob waves
2014-05-27T22:01:00  *** bob is now known as bobby
2014-05-27T22:02:00  -ann- look
2014-05-27T22:03:00  *** ann sets mode: +o bobby
2014-05-27T22:04:00  *** ann changes topic to "old days"
2014-05-27T22:05:00  *** eve was kicked by ann (out)
2014-05-27T22:06:00  *** ann has quit IRC (Ping timeout)
2014-05-27T22:07:00  *** bobby has left #gate (bye)
garbage here
"""
ZNC = """\
[22:00:02] *** Joins: ann (ann@host.example)
[22:00:05] <ann> hi > there
[22:00:06] * bob waves
[22:01:00] *** bob is now known as bobby
[22:02:00] -ann- look
[22:03:00] *** ann sets mode: +o bobby
[22:04:00] *** ann changes topic to 'old days'
[22:05:00] *** eve was kicked by ann (out)
[22:06:00] *** Quits: ann (ann@host.example) (Ping timeout)
[22:07:00] *** Parts: bobby (b@host.example) (bye)
garbage here
"""
WEECHAT = """\
2014-05-27 22:00:02\t-->\tann (~ann@host.example) has joined #gate
2014-05-27 22:00:05\t@ann\thi > there
2014-05-27 22:00:06\t *\tbob waves
2014-05-27 22:01:00\t--\tbob is now known as bobby
2014-05-27 22:02:00\t--\tNotice(ann): look
2014-05-27 22:03:00\t--\tMode #gate [+o bobby] by ann
2014-05-27 22:04:00\t--\tann has changed topic for #gate from "x" to "old days"
2014-05-27 22:05:00\t<--\tann has kicked eve (out)
2014-05-27 22:06:00\t<--\tann (~ann@host.example) has quit (Ping timeout)
2014-05-27 22:07:00\t<--\tbobby (~b@host.example) has left #gate (bye)
garbage here
"""
IRSSI = """\
--- Log opened Tue May 27 22:00:00 2014
22:00:02 -!- ann [~ann@host.example] has joined #gate
22:00:05 <@ann> hi > there
22:00:06  * bob waves
22:01:00 -!- bob is now known as bobby
22:02:00 -ann:#gate- look
22:03:00 -!- mode/#gate [+o bobby] by ann
22:04:00 -!- ann changed the topic of #gate to: old days
22:05:00 -!- eve was kicked from #gate by ann [out]
22:06:00 -!- ann [~ann@host.example] has quit [Ping timeout]
22:07:00 -!- bobby [~b@host.example] has left #gate [bye]
garbage here
--- Log closed Tue May 27 23:00:00 2014
"""
EXPECTED = [
    (LineKind.JOIN, "ann", ""),
    (LineKind.SAID, "ann", "hi > there"),
    (LineKind.ME, "bob", "waves"),
    (LineKind.NICK, "bob", "bobby"),
    (LineKind.NOTICE, "ann", "look"),
    (LineKind.MODE, "ann", "+o bobby"),
    (LineKind.TOPIC, "ann", "old days"),
    (LineKind.KICK, "ann", "eve out"),
    (LineKind.QUIT, "ann", "Ping timeout"),
    (LineKind.PART, "bobby", "bye"),
]


@pytest.mark.parametrize(
    ("text", "format"),
    [
        (OPENDEV, "opendev"),
        (OPENDEV.replace("T", " ", 0), "opendev"),
        (ZNC, "znc"),
        (WEECHAT, "weechat"),
        (IRSSI, "irssi"),
    ],
)
def test_one_conversation_is_read_alike_from_every_program(text: str, format: str) -> None:
    read = formats.read(text, date(2014, 5, 27))
    assert read is not None
    assert read.format == format
    assert [(line.kind, line.nick, line.text) for line in read.lines] == EXPECTED
    assert read.lines[0].at == datetime(2014, 5, 27, 22, 0, 2, tzinfo=UTC)
    assert read.lines[-1].at == datetime(2014, 5, 27, 22, 7, tzinfo=UTC)
    assert [text for _, text in read.unreadable] == ["garbage here"]


def test_a_clock_of_another_zone_and_a_log_over_midnight() -> None:
    read = formats.read("[23:59] <a> x\n[00:01] <a> y\n", date(2026, 1, 1), ZoneInfo("Asia/Seoul"))
    assert read is not None
    assert [line.at for line in read.lines] == [
        datetime(2026, 1, 1, 14, 59, tzinfo=UTC),
        datetime(2026, 1, 1, 15, 1, tzinfo=UTC),
    ]


def test_a_named_format_is_used_and_days_of_irssi_change() -> None:
    text = "--- Log opened Wed Dec 31 23:00:00 2025\n23:59 <a> x\n--- Day changed Thu Jan 01 2026\n00:01 <a> y\n"
    read = formats.read(text, None, format=formats.FORMATS[-1])
    assert read is not None
    assert [line.at.isoformat() for line in read.lines] == ["2025-12-31T23:59:00+00:00", "2026-01-01T00:01:00+00:00"]


def test_what_is_no_log_is_none_and_a_log_without_a_day_says_so() -> None:
    assert formats.read("Dear all,\nthis is a letter.\n", None) is None
    with pytest.raises(ValueError, match="no day"):
        formats.read("[10:00:00] <a> x\n", None)


@pytest.mark.parametrize(
    ("folder", "name", "channel", "day"),
    [
        ("%23gate", "%23gate.2014-05-27.log", "#gate", date(2014, 5, 27)),
        ("#Gate-Dev", "2014-05-27.log", "#gate-dev", date(2014, 5, 27)),
        ("oftc", "#gate.log", "#gate", None),
        ("logs", "irc.oftc.#gate.weechatlog", "#gate", None),
        ("x", "#gate_20140527.log", "#gate", date(2014, 5, 27)),
        ("x", "notes.txt", "", None),
    ],
)
def test_names_tell_channel_and_day(folder: str, name: str, channel: str, day: date | None) -> None:
    assert (formats.channel_of(folder, name), formats.day_of_name(name)) == (channel, day)
