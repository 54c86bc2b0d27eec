# SPDX-License-Identifier: Apache-2.0
"""Meetings in old logs of channels: where they begin and end, and what they are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gatebot.meetbot.importing.held import Held, held
from gatebot.meetbot.model import EntryKind, Line, LineKind, Setting

NOON = datetime(2014, 5, 27, 12, 0, tzinfo=UTC)
GREETING = "Meeting started Tue May 27 12:00:00 2014 UTC and is due to finish in 60 minutes.  The chair is ann."
FAREWELL = "Meeting ended Tue May 27 12:50:00 2014 UTC.  Information about MeetBot at http://wiki.debian.org/MeetBot"


def told(*said: str) -> Held | None:
    """What is held of `nick text` lines, a second each; `*** nick NEW` is a change of nick."""
    lines: list[Line] = []
    for number, text in enumerate(said):
        nick, _, words = text.removeprefix("*** ").partition(" ")
        kind = LineKind.NICK if text.startswith("*** ") else LineKind.SAID
        lines.append(Line(NOON + timedelta(seconds=number), nick, words, kind, id=number + 1))
    return held(lines, Setting("#c"))


def test_a_meeting_is_held_again_and_the_bot_of_then_is_not_obeyed() -> None:
    found = told(
        "ann #startmeeting Gate", f"bot {GREETING}", "bot #info not mine", "*** ann ann_", "ann_ #action bob to look",
        "bob #endmeeting", "ann_ #endmeeting", f"bot {FAREWELL}", "ann_ bye",
    )  # fmt: skip
    assert found is not None
    assert (found.name, found.bot, found.meeting.title) == ("gate", "bot", "Gate")
    assert [line.id for line in found.lines] == [1, 2, 3, 5, 6, 7]
    assert [line.id for line in found.lines if line.own] == [2, 3]
    items = [(entry.kind, entry.number) for entry in found.entries if entry.kind in (EntryKind.ACTION, EntryKind.INFO)]
    assert items == [(EntryKind.ACTION, 4)]
    assert found.entries[-1].text == "gate/2014/gate.2014-05-27-12.00"


def test_a_meeting_is_over_where_the_bot_says_so_whoever_ended_it() -> None:
    found = told("ann #startmeeting Gate", f"bot {GREETING}", "bob #endmeeting", f"bot {FAREWELL}", "bob bye")
    assert found is not None
    assert [line.id for line in found.lines] == [1, 2, 3]
    assert (found.entries[-1].kind, found.entries[-1].number) == (EntryKind.ENDED, 3)


@pytest.mark.parametrize(
    "said",
    [
        ("ann #startmeeting Gate", "ann hello"),  # no end
        ("ann #startmeeting Gate", f"bot {GREETING}", "ann #startmeeting Gate", f"bot {GREETING}", "ann #endmeeting"),
        ("ann #startmeeting", "bot A meeting name is required, e.g.", "ann #endmeeting"),  # it never began
        ("ann #endmeeting",),
    ],
)
def test_what_has_no_end_or_never_began_is_no_meeting(said: tuple[str, ...]) -> None:
    assert told(*said) is None


def test_without_a_name_it_is_called_as_its_channel_where_the_bot_greeted_it() -> None:
    found = told("ann #startmeeting", f"bot {GREETING}", "ann #endmeeting")
    assert found is not None
    assert found.name == "c"
