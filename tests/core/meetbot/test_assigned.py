# SPDX-License-Identifier: Apache-2.0
"""Whom an action belongs to, where people take part from the web."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gatebot.meetbot.minutes.fold import fold
from gatebot.meetbot.model import Entry, EntryKind, Line, Setting
from gatebot.meetbot.search import query

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("nicks", "action", "owners"),
    [
        (["carol", "bob/web", "eve/guest"], "carol and bob write the notes", ["bob/web", "carol"]),
        (["carol", "bob/web", "eve/guest"], "eve brings cake", ["eve/guest"]),
        (["bob", "bob/web"], "bob writes", ["bob"]),
        (["bob", "bob/web"], "bob/web writes", ["bob/web"]),
        (["bob/guest", "bob/web"], "Bob writes", ["bob/web"]),
        (["bob/web"], "bobby writes", []),
        (["철수/web"], "철수가 쓴다", ["철수/web"]),
    ],
)
def test_who_takes_part_from_the_web_is_named_by_the_name_alone(
    nicks: list[str], action: str, owners: list[str]
) -> None:
    lines = [Line(NOON, nick, "hi", id=number) for number, nick in enumerate(nicks, 1)]
    entries = [
        Entry(EntryKind.STARTED, NOON, nicks[0], "#gate", 1), Entry(EntryKind.ACTION, NOON, nicks[0], action, 1),
    ]  # fmt: skip
    minutes = fold(entries, lines, Setting(channel="#gate"))
    assert [nick for nick, _ in minutes.by_person] == owners


def test_a_search_for_what_somebody_said_finds_what_he_said_from_the_web() -> None:
    asked = query.parse("from:bob notes")
    assert query.fits("the notes", "bob/web", "#gate", asked)
    assert not query.fits("the notes", "bob/guest", "#gate", asked)
    needed, said = query.groups(asked), query.line_tokens("bob/web", "#gate", "the notes", 0)
    assert all(any(set(run) <= set(said) for run in group) for group in needed)
