# SPDX-License-Identifier: Apache-2.0
"""Who was in a channel while a meeting ran and said nothing, as the joins of its log tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gatebot.meetbot.attendance.presence import silent
from gatebot.meetbot.model import Line, LineKind

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
JOIN, PART, QUIT, KICK, NICK, GAP = (LineKind(kind) for kind in ("join", "part", "quit", "kick", "nick", "gap"))


def lines(*told: tuple[int, LineKind, str, str]) -> list[Line]:
    """What happened, so many minutes after the start of the meeting."""
    return [Line(NOON + timedelta(minutes=minute), nick, text, kind) for minute, kind, nick, text in told]


def test_who_came_before_or_meanwhile_or_left_meanwhile_was_there() -> None:
    told = lines(
        (-90, JOIN, "early", ""), (-60, JOIN, "gone", ""), (-30, PART, "gone", "bye"), (-20, JOIN, "ann", ""),
        (5, JOIN, "late", ""), (6, QUIT, "idler", "Ping timeout"), (7, KICK, "ann", "rude out"), (8, JOIN, "early", ""),
    )  # fmt: skip
    assert silent(told, NOON, ["Ann"]) == ("early", "late", "idler", "rude")


def test_nobody_is_counted_twice_under_another_nick() -> None:
    told = lines(
        (-9, JOIN, "bob_", ""), (-5, NICK, "bob_", "bob"), (1, NICK, "bob", "bob|away"),
        (2, JOIN, "eve", ""), (3, NICK, "eve", "eva"), (4, NICK, "zed", "zed_"),
    )  # fmt: skip
    assert silent(told, NOON, ["bob"]) == ("eva", "zed_")
    assert silent(told, NOON, ["zed"]) == ("bob|away", "eva")


def test_behind_a_gap_of_the_log_nobody_is_known_to_be_there() -> None:
    assert silent(lines((-60, JOIN, "bob", ""), (-30, GAP, "", "disconnected"), (-10, JOIN, "eve", "")), NOON, []) == (
        "eve",
    )
    assert silent(lines((-60, JOIN, "bob", ""), (10, GAP, "", "disconnected")), NOON, []) == ("bob",)
    assert silent([], NOON, []) == ()


def test_whom_the_channel_had_at_the_start_was_there_whoever_left_then() -> None:
    told = lines((1, QUIT, "bob", ""), (2, NICK, "eve", "eva"), (3, GAP, "", "disconnected"))
    assert silent(told, NOON, ["ann"], ["ann", "bob", "eve"]) == ("bob", "eva")
