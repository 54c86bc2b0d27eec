# SPDX-License-Identifier: Apache-2.0
"""Which channel hears of what, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot import words
from gatebot.meetbot.sisters.announcing import LONGEST, announcement, bundle, is_said
from gatebot.meetbot.sisters.model import Announcement, Audience, Happened, Kind, Waiting

URL = "https://gate.example.org/42"
SITE = "https://gate.example.org/"
PUSHED = Happened(Kind.PROPOSED, "Ann", "demo/api", "main", "Add a door", URL, 42)
EVERYTHING = Audience("oftc", "#demo", tuple(kind.value for kind in Kind))
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def english(text: str) -> str:
    return text


def told(one: Happened, audience: Audience = EVERYTHING, language: str = "en") -> str | None:
    found = announcement(audience, one, words.translations(language).gettext)
    return found.text if found else None


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (PUSHED, "Ann proposed demo/api main: Add a door  https://gate.example.org/42"),
        (replace(PUSHED, kind=Kind.MERGED), "Merged demo/api main: Add a door  https://gate.example.org/42"),
        (replace(PUSHED, kind=Kind.ABANDONED), "Ann abandoned demo/api main: Add a door  https://gate.example.org/42"),
        (replace(PUSHED, kind=Kind.RESTORED), "Ann restored demo/api main: Add a door  https://gate.example.org/42"),
        (
            replace(PUSHED, kind=Kind.COMMENTED),
            "Ann commented on demo/api main: Add a door  https://gate.example.org/42",
        ),
        (Happened(Kind.TAGGED, "Ann", "demo/api", "", "", "", name="1.2.0"), "Ann tagged demo/api with 1.2.0"),
        (
            replace(PUSHED, kind=Kind.GATE_FAILED, name="unit", text="E assert 1 == 2", url=SITE + "build/ab"),
            "Gate failed demo/api main: Add a door: unit: E assert 1 == 2  https://gate.example.org/build/ab",
        ),
        (
            replace(PUSHED, kind=Kind.GATE_FAILED, text="It conflicts with main."),
            "Gate failed demo/api main: Add a door: It conflicts with main.  https://gate.example.org/42",
        ),
    ],
)
def test_each_event_has_its_line(one: Happened, text: str) -> None:
    assert told(one) == text


def test_a_channel_may_want_korean() -> None:
    assert told(PUSHED, language="ko") == "Ann 님이 demo/api main에 올림: Add a door  https://gate.example.org/42"


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ({"events": ("change-merged",)}, False),
        ({"projects": ("demo/api",)}, True),
        ({"projects": ("demo",)}, False),
        ({"projects": ("^demo/.*",)}, True),
        ({"projects": ("^api",)}, False),
        ({"branches": ("main",)}, True),
        ({"branches": ("^stable/.*",)}, False),
        ({"projects": ("demo/api",), "branches": ("stable",)}, False),
    ],
)
def test_a_message_goes_where_event_project_and_branch_are_all_wanted(wanted: dict[str, object], heard: bool) -> None:
    assert (told(PUSHED, replace(EVERYTHING, **wanted)) is not None) == heard  # type: ignore[arg-type]


def test_a_vote_is_an_event_of_its_own() -> None:
    votes = replace(EVERYTHING, events=("Code-Review-2",))
    voted = replace(PUSHED, kind=Kind.COMMENTED, votes=(("Code-Review", -2), ("Workflow", 1)))
    assert told(voted, votes) == "Ann voted Code-Review-2 on demo/api main: Add a door  https://gate.example.org/42"
    assert told(replace(voted, votes=(("Code-Review", -1),)), votes) is None
    assert told(replace(voted, votes=()), votes) is None


def test_what_programs_comment_is_told_only_for_a_wanted_vote() -> None:
    said = replace(PUSHED, kind=Kind.COMMENTED, program=True, votes=(("Verified", -1),))
    assert told(said) is None
    assert told(said, replace(EVERYTHING, events=("comment-added", "Verified-1"))) is not None


def test_a_rebase_and_a_storm_of_patch_sets_say_nothing_new() -> None:
    assert told(replace(PUSHED, same=True, follows=timedelta(days=1))) is None
    assert told(replace(PUSHED, follows=timedelta(minutes=9))) is None
    assert told(replace(PUSHED, follows=timedelta(minutes=11))) is not None


HOSTILE = st.text(st.one_of(st.characters(), st.sampled_from("\r\n\0\x02\x03\x0f\x1d\u2028 QUIT:")), max_size=700)


@given(subject=HOSTILE, who=HOSTILE, error=HOSTILE, kind=st.sampled_from(Kind))
def test_hostile_texts_are_one_line_of_irc_that_ends_with_its_address(
    subject: str, who: str, error: str, kind: Kind
) -> None:
    one = Happened(kind, who, "demo/api", "main", subject, URL, 42, name="job", text=error)
    line = told(one)
    assert line is not None
    assert len(line.encode()) <= LONGEST + 3
    assert not any(ord(character) < 32 or ord(character) == 127 for character in line)
    assert line.endswith("  " + URL)


def waiting(*several: Happened) -> list[Waiting]:
    found = [announcement(EVERYTHING, one, english) for one in several]
    return [Waiting(n, NOW, one) for n, one in enumerate(found) if one is not None]


def test_few_announcements_are_said_one_by_one() -> None:
    text, count = bundle(waiting(*[PUSHED] * 5), 5, SITE, english)
    assert (text, count) == ("Ann proposed demo/api main: Add a door  https://gate.example.org/42", 1)


def test_many_become_one_line() -> None:
    several = [replace(PUSHED, number=number) for number in (1, 2, 3)]
    several += [replace(PUSHED, kind=Kind.MERGED, branch="stable", number=number) for number in (7, 8, 8)]
    text, count = bundle(waiting(*several), 5, SITE, english)
    assert count == 6
    assert text == ("6 news: proposed demo/api main: 1, 2, 3; merged demo/api stable: 7, 8  https://gate.example.org/")


@settings(max_examples=20)
@given(count=st.integers(6, 120))
def test_a_digest_of_very_many_leaves_the_rest_for_the_next(count: int) -> None:
    several = waiting(*(replace(PUSHED, number=10000 + number) for number in range(count)))
    left, lines = several, 0
    while left:
        text, taken = bundle(left, 5, SITE, english)
        assert 1 <= taken <= len(left)
        assert len(text.encode()) <= LONGEST
        left, lines = left[taken:], lines + 1
    assert lines <= 1 + count // 30 + 5


def test_a_digest_survives_headings_that_are_too_long_for_one() -> None:
    long = [Waiting(n, NOW, Announcement("text", f"{n}" + "x" * 170, "1")) for n in range(6)]
    assert bundle(long, 5, SITE, english) == ("text", 1)


def test_an_announcement_is_known_by_its_first_line_on_the_wire() -> None:
    assert is_said("Ann proposed x: a  https://x/1", "Ann proposed x: a https://x/1")
    assert is_said("Ann proposed x: a  https://x/1", "Ann proposed x: a")
    assert not is_said("Ann proposed x: a", "Bob proposed x: a")
    assert not is_said("Ann proposed x: a", "")
