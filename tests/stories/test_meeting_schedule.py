# SPDX-License-Identifier: Apache-2.0
"""Planned meetings on a real site: reviewed as files, checked by a job, read by people and their calendars."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.fakes.site import RunningSite, Template, begin

ZUUL = """\
- project:
    queue: integrated
    check: &jobs
      jobs:
        - meeting-conflicts: {nodeset: {nodes: [{name: node, label: offline}]}}
    gate: *jobs
"""
MEETING = """\
project: {name} Team Meeting
meeting_id: {name}
chair: Ann (ann)
description: What {name} does.
schedule:
  - time: '{time}'
    day: Thursday
    irc: openstack-meeting
    frequency: weekly
"""


CHANGES: dict[str, object] = {"meetings.schedule_project": "api"}


@pytest.fixture
def site(template: Template, tmp_path: Path) -> Iterator[RunningSite]:
    """A site that runs jobs."""
    with begin(template, tmp_path, changes=CHANGES) as running:
        yield running


def page(site: RunningSite, path: str) -> str:
    """What a stranger gets."""
    with urlopen(f"{site.url}{path}") as answer:
        return str(answer.read().decode())


def test_a_meeting_that_is_in_the_way_of_another_does_not_get_in(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    nova = {"meetings/nova.yaml": MEETING.format(name="nova", time="1400"), ".zuul.yaml": ZUUL}
    good = ann.propose("api", "Plan the meeting of nova", nova)
    assert "Build succeeded." in ann.hears(good, "Build succeeded.")
    bad = ann.propose(
        "api", "Plan one more", nova | {"meetings/keystone.yaml": MEETING.format(name="keystone", time="1430")}
    )
    told = ann.hears(bad, "Build failed.")
    says = "“nova Team Meeting” (14:00-15:00 UTC) is in the way of “keystone Team Meeting” (14:30-15:30 UTC, "
    assert (
        f"error: meetings/nova.yaml:6: {says}meetings/keystone.yaml:6) in #openstack-meeting: first on Thursday, "
        in told
    )
    (comment,) = ann.rest.get(f"/changes/{bad}/comments")["meetings/nova.yaml"]
    assert comment["line"] == 6
    assert comment["message"].startswith(says)
    assert "No meeting is planned yet." in page(site, "/meetings/schedule")
    bob.approve(good)
    bob.sees_merged(good)
    shown = page(site, "/meetings/schedule")
    assert "nova Team Meeting" in shown
    assert "keystone" not in shown
    assert "weekly, Thursday 14:00 UTC, #openstack-meeting" in shown
    assert 'href="/meetings/schedule/nova.ics"' in shown
    for calendar in (
        "/meetings/schedule/nova.ics",
        "/meetings/schedule/project/nova_team_meeting.ics",
        "/meetings/schedule.ics",
    ):
        assert "RRULE:FREQ=WEEKLY\r\n" in page(site, calendar)
    assert "회의 일정" in page(site, "/meetings/schedule?lang=ko")
