# SPDX-License-Identifier: Apache-2.0
"""Files of planned meetings: what they say, on which dates, what is wrong with them, who is in whose way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import islice, pairwise

import pytest

from gatebot import words
from gatebot.meetbot.schedule.checking import problems, told
from gatebot.meetbot.schedule.model import Schedule, Slot
from gatebot.meetbot.schedule.occurrences import days, months_later, of_all
from gatebot.meetbot.schedule.reading import read
from gatebot.meetbot.schedule.tied import of_project

NOVA = """\
project: Nova Team Meeting
project_url: https://wiki.example.org/Nova
agenda_url: https://wiki.example.org/Nova/Agenda
meeting_id: nova
chair: Ann (ann)
description: >
  What compute does.
schedule:
  - time: '1400'
    day: Thursday
    irc: openstack-meeting
    frequency: biweekly-even
    start_date: '20261101'
    skip_dates:
      - skip_date: '20261224'
        reason: Holidays
  - {time: 0930, day: thursday, irc: '#openstack-meeting', frequency: biweekly-odd, chair: Bob, duration: 30}
"""
START = date(2026, 11, 29)


def one(text: str, **files: str) -> Schedule:
    """The schedule of a file, and of more."""
    return read({"m/nova.yaml": text.encode()} | {f"m/{name}.yaml": more.encode() for name, more in files.items()})


def slot(line: str) -> Slot:
    """A slot written in one line."""
    found = one(f"project: P\nchair: c\ndescription: d\nschedule: [{{time: '1200', irc: c, {line}}}]\n")
    assert found.flaws == ()
    return found.meetings[0].slots[0]


def said(schedule: Schedule) -> list[str]:
    """All problems in sentences."""
    return [told(flaw, words.say) for flaw in problems(schedule, START)]


def test_a_file_says_who_meets_when_and_where() -> None:
    schedule = one(NOVA)
    (nova,) = schedule.meetings
    assert (nova.key, nova.meeting_id, nova.project, nova.agenda_url) == (
        "nova", "nova", "Nova Team Meeting", "https://wiki.example.org/Nova/Agenda",
    )  # fmt: skip
    even, odd = nova.slots
    assert (even.channel, even.chair, odd.channel, odd.chair) == (
        "#openstack-meeting", "Ann (ann)", "#openstack-meeting", "Bob",
    )  # fmt: skip
    dates = of_all([nova], datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 15, tzinfo=UTC))
    assert [(f"{one.start:%m-%d %H:%M}-{one.end:%H:%M}", one.skipped) for one in dates] == [
        ("12-03 09:30-10:00", None),
        ("12-10 14:00-15:00", None),
        ("12-17 09:30-10:00", None),
        ("12-24 14:00-15:00", "Holidays"),
        ("12-31 09:30-10:00", None),
        ("01-07 14:00-15:00", None),
        ("01-14 09:30-10:00", None),
    ]


def test_weeks_go_on_alternating_over_a_year_of_53_weeks() -> None:
    first = list(islice(days(slot("day: Monday, frequency: biweekly-odd"), date(2026, 12, 14)), 3))
    other = list(islice(days(slot("day: Monday, frequency: biweekly-even"), date(2026, 12, 14)), 3))
    assert first == [date(2026, 12, 14), date(2026, 12, 28), date(2027, 1, 11)]
    assert other == [date(2026, 12, 21), date(2027, 1, 4), date(2027, 1, 18)]
    assert [day.isocalendar().week for day in (*first[1:], *other[1:])] == [53, 2, 1, 3]


def test_the_number_of_the_week_says_where_the_count_begins() -> None:
    begun = slot("day: Tuesday, frequency: biweekly-even, start_date: 20270201")
    assert next(days(begun, date(2026, 1, 1))).isocalendar().week == 6
    quad = slot("day: Friday, frequency: quadweekly-week-3, start_date: '20261201'")
    found = list(islice(days(quad, START), 3))
    assert [day.isocalendar().week for day in found] == [51, 2, 6]
    assert [(later - day).days for day, later in pairwise(found)] == [28, 28]


def test_days_of_the_month_are_counted() -> None:
    def next_three(frequency: str) -> list[str]:
        return [f"{day:%m-%d}" for day in islice(days(slot(f"frequency: {frequency}"), START), 3)]

    assert next_three("first-monday") == ["12-07", "01-04", "02-01"]
    assert next_three("fourth-thursday") == ["12-24", "01-28", "02-25"]
    assert next_three("last-sunday") == ["11-29", "12-27", "01-31"]
    assert list(days(slot("frequency: adhoc"), START)) == []


def test_a_month_later_is_never_a_day_that_there_is_not() -> None:
    assert months_later(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_later(date(2026, 12, 31), 24) == date(2028, 12, 31)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("'1400'", "9am"), "9: “9am” is no time. Write four digits in UTC, such as '0930' or '2100'."),
        (("day: Thursday", "day: Thurday"), "10: “Thurday” is no day of the week. Did you mean Thursday?"),
        (("irc: openstack-meeting", "irc: a b"), "11: “a b” is no channel. Write its name without blanks, such as "),
        (("biweekly-even", "biweekly"), "12: “biweekly” is no frequency. Did you mean biweekly-"),
        (("biweekly-even", "first-monday"), "10: day is Thursday, and frequency is first-monday. Write “frequency: "
            "first-thursday”, or leave out day."),
        (("'20261101'", "20261131"), "13: start_date is “20261131”; write a date that there is as eight digits"),
        (("20261224", "20261225"), "15: On 20261225 there is no such meeting that could be skipped; "
            "the next is on 20270107."),
        (("duration: 30", "duration: 2000"), "17: “2000” is no duration. Write minutes from 1 to 1440, such as 60."),
        (("duration: 30", "durations: 30"), "17: There is no key durations. Did you mean duration?"),
        (("    reason", "    because"), "15: reason is missing, or empty."),
        (("https://wiki.example.org/Nova/Agenda", "javascript:alert(1)"), "3: agenda_url is “javascript:alert(1)”; "
            "write a whole address that begins with https:// or http://."),
        (("chair: Ann (ann)", "chair:"), "9: chair is missing, or empty. Write it: docs/meeting-schedule.md has"),
        (("meeting_id: nova", "project: other"), "4: project is here a second time. Keep one of them."),
        (("Ann (ann)", "[ann]"), "5: chair is one value, not a list or a table."),
        (("schedule:", "scheduled:"), "1: schedule is missing, or empty."),
        (("Ann (ann)", "Ann: ann"), "5: This is not YAML: mapping values are not allowed here. Look at the"),
        (("Ann", "A\x00"), "1: This is not YAML: special characters are not allowed. Look"),
        ((NOVA, "[" * 5000), "1: This is not YAML: it is nested too deeply. Look at the indentation"),
        ((NOVA, "- nova\n"), "1: The file holds no meeting: write keys and values such as “project: Nova "
            "Team Meeting”."),
        ((NOVA, "#" * 70_000), "1: The file is longer than 64 KiB. Write one meeting into each file."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line_and_with_what_to_write(change: tuple[str, str], says: str) -> None:
    found = said(one(NOVA.replace(*change)))
    assert any(text.startswith(f"m/nova.yaml:{says}") for text in found), found


def test_texts_of_other_encodings_are_told_with_their_line() -> None:
    schedule = read({"m/nova.yaml": NOVA.replace("Ann", "안").encode("cp949")})
    assert said(schedule) == ["m/nova.yaml:5: This line is not UTF-8. Save the file as UTF-8."]


def test_all_errors_are_told_at_once_and_other_files_are_passed_over() -> None:
    wrong = NOVA.replace("'1400'", "9am").replace("duration: 30", "duration: x")
    schedule = read({"m/a.yaml": wrong.encode(), "m/b.yaml": NOVA.encode(), "m/README.md": b"\xff"})
    assert [(flaw.path, flaw.line) for flaw in schedule.flaws] == [("m/a.yaml", 9), ("m/a.yaml", 17)]
    assert [one.key for one in schedule.meetings] == ["b"]


OTHER = """\
project: Other
chair: o
description: d
schedule: [{%s, irc: openstack-meeting}]
"""


def test_two_meetings_in_one_channel_at_one_time_are_a_conflict() -> None:
    found = said(one(NOVA, other=OTHER % "time: '1430', day: Thursday, frequency: first-thursday"))
    assert found == [
        "m/other.yaml:4: “Other” (14:30-15:30 UTC) is in the way of “Nova Team Meeting” (14:00-15:00 UTC, "
        "m/nova.yaml:9) in #openstack-meeting: first on Thursday, 2027-01-07, 11 times in all. "
        "Change the time, the day or the channel of one of them; "
        "here #openstack-meeting is free from Thursday 1500 on, as far as these two go."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("other", "first"),
    [
        ("time: '1500', day: Thursday, frequency: weekly", None),  # one begins as the other ends
        ("time: '1400', day: Thursday, frequency: biweekly-odd", None),  # the other weeks
        ("time: '2330', day: Wednesday, frequency: weekly, duration: 601", "Thursday, 2026-12-03"),  # over midnight
        ("time: '1400', day: Thursday, frequency: biweekly-even", "Thursday, 2026-12-10"),
        ("time: '1400', day: Thursday, frequency: fourth-thursday, start_date: '20261220'", "Thursday, 2027-05-27"),
    ],
)
def test_conflicts_are_those_of_real_dates(other: str, first: str | None) -> None:
    found = said(one(NOVA, other=OTHER % other))
    assert [f"first on {first}," in text for text in found] == ([True] if first else []), found


def test_a_date_that_is_skipped_is_in_nobodys_way() -> None:
    skips = (
        OTHER
        % "time: '1400', day: Thursday, frequency: fourth-thursday, skip_dates: [{skip_date: 20261224, reason: x}]"
    )
    assert "2026-12-24" not in " ".join(said(one(NOVA, other=skips)))


def test_conflicts_within_one_file_and_from_sunday_to_monday_are_found() -> None:
    slots = (
        "{time: '2330', day: Sunday, frequency: weekly, irc: c}, {time: '0010', day: Monday, frequency: weekly, irc: c}"
    )
    (found,) = said(one(f"project: P\nchair: c\ndescription: d\nschedule:\n  [{slots}]\n"))
    assert found.startswith(
        "m/nova.yaml:5: “P” (00:10-01:10 UTC) is in the way of “P” (23:30-00:30 UTC, m/nova.yaml:5) in #c:"
    )
    assert "first on Sunday, 2026-11-29" in found


def test_a_project_has_the_meetings_that_name_it_or_share_its_page() -> None:
    def file(project: str, url: str = "") -> bytes:
        page = f"project_url: {url}\n" if url else ""
        slot = "{time: '1400', day: Thursday, irc: c, frequency: adhoc}"
        return f"project: {project}\n{page}chair: Ann\ndescription: d\nschedule: [{slot}]\n".encode()

    neutron = "https://wiki.example.org/Neutron"
    files = {
        "m/drivers.yaml": file("Neutron Drivers", neutron),
        "m/neutron.yaml": file("Neutron", f"{neutron}/"),
        "m/china.yaml": file("Interop Working Group"),
        "m/interop.yaml": file("interop working group"),
        "m/nova.yaml": file("Nova", "https://wiki.example.org/Nova"),
    }
    meetings = read(files).meetings
    told = {name: [one.key for one in of_project(meetings, name)] for name in ("neutron", "interop_working_group", "x")}
    assert told == {"neutron": ["drivers", "neutron"], "interop_working_group": ["china", "interop"], "x": []}
