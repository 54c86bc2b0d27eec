# SPDX-License-Identifier: Apache-2.0
"""What #status, #success and #thanks do, and what of the status is in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from gatebot.meetbot.status import deciding, standing
from gatebot.meetbot.status.feed import atom
from gatebot.meetbot.status.model import Entry, Held, Kind, Person, Step

SITE = "https://gate.example.org"
NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
CLARK = Person("clark", may=True)
SIX_HOURS = timedelta(hours=6)


def said(text: str, person: Person | None = CLARK) -> Step:
    read = deciding.read(text)
    assert read is not None
    return deciding.decide(*read, "clark", person, SITE)


def entry(id: int, kind: Kind, text: str = "", hours: int = 0) -> Entry:
    return Entry(id, NOON + timedelta(hours=hours), kind, text, "clark")


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("#status log Restarted Gerrit", Step(Kind.LOG, "Restarted Gerrit", "clark: finished logging")),
        (
            "#Status Notice Gerrit restarts  at 12:00",
            Step(
                Kind.NOTICE, "Gerrit restarts at 12:00", "clark: sending notice", "clark: finished sending notice",
                "NOTICE: Gerrit restarts at 12:00",
            ),
        ),
        (
            "#status alert Gerrit is \x02down\x02",
            Step(
                Kind.ALERT, "Gerrit is down", "clark: sending alert", "clark: finished sending alert",
                "NOTICE: Gerrit is down",
            ),
        ),
        ("#status ok", Step(Kind.OK, "", "clark: sending ok", "clark: finished sending ok")),
        (
            "#status ok It is back",
            Step(Kind.OK, "It is back", "clark: sending ok", "clark: finished sending ok", "NOTICE: It is back"),
        ),
        (
            "#success A gate",
            Step(Kind.SUCCESS, "A gate", "clark: Added success to Success page (https://gate.example.org/successes)"),
        ),
        (
            "#thanks ann for the door",
            Step(
                Kind.THANKS, "ann for the door",
                "clark: Added your thanks to Thanks page (https://gate.example.org/thanks)",
            ),
        ),
    ],
)  # fmt: skip
def test_commands_are_statusbots_with_its_replies(text: str, step: Step) -> None:
    assert said(text) == step


@pytest.mark.parametrize("text", ["#statusquo", "status log x", "#info x", " #status log x", "hello"])
def test_other_lines_are_no_commands(text: str) -> None:
    assert deciding.read(text) is None


def test_who_may_not_reads_why_and_what_to_do_and_nothing_is_kept() -> None:
    assert said("#status alert x", None) == Step(
        first="clark: I do not know whose account you are. Make a code here and say it to me:  "
        "https://gate.example.org/settings/irc  "
        "Or tell it here:  https://gate.example.org/status-log"
    )
    guest = deciding.decide("status", "alert x", "eve/guest", None, SITE)
    assert guest.first == (
        "eve/guest: You speak from the web without an account. Sign in, then say it again:  "
        "https://gate.example.org/login  Or tell it here:  https://gate.example.org/status-log"
    )
    assert said("#status alert x", Person("clark", may=False)) == Step(
        first="clark: #status needs the capability tellStatus, which clark does not have. An administrator can give "
        "it in All-Projects."
    )
    assert said("#success x", None).kind is Kind.SUCCESS


def test_what_cannot_be_understood_is_answered_by_what_there_is() -> None:
    usage = (
        "#status log TEXT, #status notice TEXT, #status alert TEXT, #status ok [TEXT], #success TEXT, "
        "#thanks NICK [for TEXT]"
    )
    assert said("#status alarm x") == Step(first=f"clark: unknown command. There are: {usage}.")
    assert said("#status") == Step(first=f"clark: unknown command. There are: {usage}.")
    assert said("#status notice") == Step(first="clark: Say it like this: #status notice TEXT")
    assert said("#thanks") == Step(first="clark: Say it like this: #thanks NICK for TEXT")


def test_an_alert_stands_until_ok_and_a_notice_for_a_time() -> None:
    told = (entry(1, Kind.ALERT, "down"), entry(2, Kind.NOTICE, "see change 42", hours=1))
    shown = standing.banners(told, NOON + timedelta(hours=2), SIX_HOURS)
    assert [(one.kind, one.text, one.until) for one in shown] == [
        ("alert", "down", None), ("notice", "see change 42", NOON + timedelta(hours=7)),
    ]  # fmt: skip
    assert shown[1].parts == (("see ", None), ("change 42", "/42"))
    assert [one.kind for one in standing.banners(told, NOON + timedelta(hours=7), SIX_HOURS)] == ["alert"]
    assert standing.banners((), NOON, SIX_HOURS) == ()


def test_a_feed_holds_whatever_was_told() -> None:
    told = [entry(2, Kind.OK, hours=1), entry(1, Kind.ALERT, "<b>&\ufffe\x0b 인스턴스")]
    feed = ElementTree.fromstring(atom(told, "Status log", SITE, "/status-log", NOON))
    name = "{http://www.w3.org/2005/Atom}"
    assert [one.findtext(f"{name}title") for one in feed.iter(f"{name}entry")] == ["ok", "alert: <b>& 인스턴스"]
    assert feed.findtext(f"{name}updated") == "2026-11-29T13:00:00Z"


def test_a_topic_is_judged_by_the_alert_as_it_is_when_the_topic_goes_out() -> None:
    held, past = Held("developers", "Down"), ("Down",)
    assert standing.judged("Down", held, "Down", "Sync", past) == "Down"
    assert standing.judged(None, held, "Down", "Sync", past) == "developers"
    assert standing.judged(None, Held("developers", ""), "Down", "developers", past) is None
    assert (
        standing.judged("Down again", held, "Doors (Meeting topic: Sync)", "Sync", past)
        == "Doors (Meeting topic: Sync)"
    )
    assert standing.judged(None, None, "Down", "Sync", past) == "Down"
