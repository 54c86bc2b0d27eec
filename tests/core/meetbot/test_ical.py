# SPDX-License-Identifier: Apache-2.0
"""Calendars of planned meetings, read back by a reader of the standard that was written for nothing but this."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gatebot.meetbot.schedule.ical import Origin, calendar, escaped, folded
from gatebot.meetbot.schedule.model import Planned
from gatebot.meetbot.schedule.reading import read

ORIGIN = Origin("gate.example.org", "https://gate.example.org", datetime(2026, 11, 29, 12, 0, tzinfo=UTC))
UNSEEN = {chr(n) for n in (*range(9), *range(11, 32), 127, 0x2028, 0x2029)}
NOVA = """\
project: "Nova; Team, Meeting"
agenda_url: https://wiki.example.org/Nova
meeting_id: nova
chair: Ann
description: |
  첫째 줄은 길고 또 길어서 일흔다섯 바이트를 넘어야 접히는지 알 수 있는 그런 줄입니다.
  Second \\ line.
schedule:
  - {time: '1400', day: Thursday, irc: meet, frequency: biweekly-even, start_date: 20261101, duration: 45,
     skip_dates: [{skip_date: 20261224, reason: "Holidays, all"}]}
  - {time: '0030', irc: meet, frequency: last-friday}
"""


def meetings(text: str = NOVA) -> tuple[Planned, ...]:
    schedule = read({"meetings/nova.yaml": text.encode()})
    assert schedule.flaws == ()
    return schedule.meetings


def parsed(text: str) -> list[tuple[str, str]]:
    """The lines of a calendar, unfolded: name with parameters, and value."""
    assert text.endswith("\r\n")
    raw = text.encode().split(b"\r\n")[:-1]
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in raw)
    for line in raw:
        line.decode()  # no character is cut in two
    whole = b"\r\n".join(raw).replace(b"\r\n ", b"").decode().split("\r\n")
    return [(name, value) for name, _, value in (line.partition(":") for line in whole)]


def events(text: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for name, value in parsed(text):
        if (name, value) == ("BEGIN", "VEVENT"):
            found.append({})
        elif found and name != "END":
            assert name not in found[-1], "each is there once"
            found[-1][name] = value
    return found


def test_a_meeting_is_an_event_with_its_rule_and_what_is_skipped_is_cancelled() -> None:
    regular, cancelled, last = events(calendar("All", meetings(), ORIGIN))
    assert regular == {
        "UID": "nova-1@gate.example.org",
        "DTSTAMP": "20261129T120000Z",
        "DTSTART": "20261112T140000Z",
        "DURATION": "PT45M",
        "RRULE": "FREQ=WEEKLY;INTERVAL=2",
        "EXDATE": "20261224T140000Z",
        "SUMMARY": "Nova\\; Team\\, Meeting",
        "DESCRIPTION": "첫째 줄은 길고 또 길어서 일흔다섯 바이트를 넘어야 접히는지 알 수 있는 그런 줄입니다.\\n"
        "Second \\\\ line.\\nChair: Ann\\n#startmeeting nova\\nAgenda: https://wiki.example.org/Nova",
        "LOCATION": "#meet",
        "URL": "https://wiki.example.org/Nova",
        "STATUS": "CONFIRMED",
    }
    assert cancelled == {
        "UID": "nova-1-20261224@gate.example.org",
        "DTSTAMP": "20261129T120000Z",
        "DTSTART": "20261224T140000Z",
        "DURATION": "PT45M",
        "SUMMARY": "CANCELLED: Nova\\; Team\\, Meeting (2026-12-24)",
        "DESCRIPTION": "Holidays\\, all",
        "LOCATION": "#meet",
        "STATUS": "CANCELLED",
        "TRANSP": "TRANSPARENT",
    }
    assert (last["DTSTART"], last["RRULE"]) == ("20261225T003000Z", "FREQ=MONTHLY;BYDAY=-1FR")


def test_a_meeting_that_moves_stays_the_same_event() -> None:
    before, after = (events(calendar("", meetings(text), ORIGIN)) for text in (NOVA, NOVA.replace("'1400'", "'1500'")))
    assert [one["UID"] for one in before] == [one["UID"] for one in after]
    assert before != after


def test_a_calendar_without_dates_still_has_a_part() -> None:
    lines = parsed(calendar("None", (), ORIGIN))
    assert lines[0] == ("BEGIN", "VCALENDAR")
    assert lines[-1] == ("END", "VCALENDAR")
    assert ("BEGIN", "VTIMEZONE") in lines


@given(st.text(max_size=300))
def test_any_text_is_one_value_that_reads_back(text: str) -> None:
    value = escaped(text)
    assert all(character not in value for character in "\r\n\0")
    line = f"X:{value}"
    pieces = list(folded(line))
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line
    assert all(len(piece.encode("utf-8", "replace")) <= 75 and (piece[0] == " ") for piece in pieces[1:])
    back = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), value)
    assert back == "".join(one for one in text.replace("\r\n", "\n") if one not in UNSEEN)
