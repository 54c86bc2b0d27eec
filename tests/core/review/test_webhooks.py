# SPDX-License-Identifier: Apache-2.0
"""Which events a webhook is told, how requests are signed and where they may lead, and when a failed one is retried."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatebot.app.webhooks import sign_of_webhooks
from gatebot.assignment import Json
from gatebot.review.deliveries.pauses import pause
from gatebot.review.deliveries.targets import is_local
from gatebot.review.ssh import happenings
from gatebot.review.webhooks.deciding import delivered, failed, headers, safe_place, signature, wants
from gatebot.review.webhooks.model import Due, Progress, Standing, Webhook
from gatebot.settings_outside import WEBHOOK_EVENTS

AT = datetime(2026, 11, 29, 11, 0, tzinfo=UTC)
CI = Webhook("ci", "https://ci.example.org/hook", ("openstack/.*",), ("change-merged", "ref-updated"))
MERGED: dict[str, Json] = {
    "type": "change-merged", "project": "openstack/nova", "change": {"number": 7}, "eventId": 42,
}  # fmt: skip
MOVED: dict[str, Json] = {"type": "ref-updated", "refUpdate": {"project": "openstack/nova"}}
CREATED: dict[str, Json] = {"type": "project-created", "projectName": "openstack/new"}
DUE = Due(42, "change-merged", AT, 42)


@pytest.mark.parametrize(
    ("webhook", "told", "wanted"),
    [
        (CI, MERGED, True),
        (CI, MERGED | {"project": "demo/openstack/nova"}, False),
        (CI, MERGED | {"type": "comment-added"}, False),
        (CI, MERGED | {"change": {"number": 7, "private": True}}, False),
        (CI, MOVED, True),
        (CI, CREATED, False),
        (replace(CI, events=()), CREATED, True),
        (replace(CI, events=(), projects=()), {"type": "project-created", "projectName": "any"}, True),
    ],
)
def test_a_webhook_is_told_what_its_settings_say_and_nothing_private(
    webhook: Webhook, told: dict[str, Json], wanted: bool
) -> None:
    assert wants(webhook, told) is wanted


def test_the_types_that_settings_know_are_those_that_are_told() -> None:
    source = inspect.getsource(happenings)
    made = re.findall(r'_event\(\s*"([a-z-]+)"|"type": "([a-z-]+)"', source)
    assert {one or other for one, other in made} == set(WEBHOOK_EVENTS)


def test_a_request_tells_its_event_and_is_signed() -> None:
    # The second test case of RFC 4231.
    assert signature(b"Jefe", b"what do ya want for nothing?") == (
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    found = headers(MERGED, b"{}", b"key")
    assert (found["X-Gatebot-Event"], found["X-Gatebot-Delivery"]) == ("change-merged", "42")
    assert found["X-Gatebot-Signature"] == signature(b"key", b"{}")
    assert "X-Gatebot-Signature" not in headers(MERGED, b"{}", b"")


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("0.0.0.0", True),
        ("::", True),
        ("10.1.2.3", False),
        ("192.0.2.7", False),
        ("2001:db8::7", False),
    ],
)
def test_addresses_of_this_machine_and_its_link_are_known(address: str, local: bool) -> None:
    assert is_local(address) is local


def test_what_fails_waits_longer_and_longer_and_not_all_at_once() -> None:
    assert [pause(tries).total_seconds() for tries in (1, 2, 3, 9, 10, 99)] == [10, 20, 40, 2560, 3600, 3600]
    assert pause(3, chance=0.0) == pause(3) / 2


def test_an_event_that_fails_is_tried_for_a_day_and_then_left_behind_by_name() -> None:
    progress, now, tries = Progress(41), AT, 0
    while progress.left_count == 0:
        progress = failed(progress, DUE, "it answers 500", now, 1.0)
        tries += 1
        now = progress.due or now
    assert now - AT >= timedelta(days=1)
    assert now - AT < timedelta(days=1, hours=1)
    assert tries == 33
    assert progress == Progress(
        42, since=AT, problem="it answers 500", left_count=1, left_name="change-merged 42", left_at=now
    )
    assert delivered(progress, Due(43, "ref-updated", AT, 43), now).since is None


def test_what_waited_behind_another_still_has_several_tries() -> None:
    progress, now = Progress(41, since=AT), AT + timedelta(days=2)
    for _ in range(4):
        progress = failed(progress, DUE, "it answers 500", now, 1.0)
    assert (progress.tries, progress.left_count) == (4, 0)
    assert failed(progress, DUE, "it answers 500", now, 1.0).left_count == 1


def test_what_happens_while_nothing_is_taken_has_a_day_of_its_own() -> None:
    progress = Progress(41, event=42, tries=50, since=AT)
    young = replace(DUE, at=AT + timedelta(hours=12))
    assert failed(progress, young, "it answers 500", AT + timedelta(hours=35), 1.0).left_count == 0
    assert failed(progress, young, "it answers 500", AT + timedelta(hours=36), 1.0).left_count == 1


def test_a_place_passes_nothing_that_is_not_told_yet() -> None:
    assert [safe_place([3, 5, 9], position, 11) for position in range(3)] == [3, 5, 11]
    assert [safe_place([5, 3, 9], position, 9) for position in range(3)] == [2, 3, 9]


def test_the_health_page_tells_lag_and_the_last_failure() -> None:
    failing = Progress(41, 42, 3, AT, AT + timedelta(seconds=40), "it answers 500", AT, 2, "ref-updated 7", AT)
    sign = sign_of_webhooks([Standing("ci", failing, AT), Standing("chat", Progress(42, delivered=AT))])
    assert (sign.ok, sign.vital) == (False, False)
    assert sign.text == (
        "ci: behind since 2026-11-29 11:00 UTC, nothing taken since 2026-11-29 11:00 UTC (it answers 500), "
        "event 42 was tried 3 times, next at 2026-11-29 11:00 UTC, last delivered 2026-11-29 11:00 UTC, "
        "2 left behind, the last ref-updated 7 on 2026-11-29 11:00 UTC; "
        "chat: up to date, last delivered 2026-11-29 11:00 UTC"
    )
    assert sign_of_webhooks([]).text == "there are none"
