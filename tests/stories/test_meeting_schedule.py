# SPDX-License-Identifier: Apache-2.0
"""Planned meetings on a real site: reviewed as files, checked by a job, read by people and their calendars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from gatebot.app import places
from tests.fakes.channel import Reader, on_irc, running_at
from tests.fakes.git import WorkTree
from tests.fakes.irc import NgIrcd
from tests.fakes.site import Builds, RunningSite, Template, begin

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


SOON = """\
project: Demo Team Meeting
meeting_id: Demo Team
chair: Mina (mina)
description: What is to be decided.
schedule:
  - time: '{at:%H%M}'
    day: {at:%A}
    irc: demo
    frequency: weekly
    start_date: '{at:%Y%m%d}'
"""


def test_the_channel_is_reminded_and_who_starts_the_meeting_is_told_the_agenda(
    template: Template, tmp_path: Path, network: NgIrcd, reader: Reader, builds: Builds
) -> None:
    directory = on_irc(template, tmp_path, network)
    file = directory / places.SETTINGS
    more = '[meetings]\nschedule_project = "api"\nreminder_minutes = 30\n'
    file.write_text(file.read_text().replace("[meetings]\n", more, 1))
    _, where = places.load(directory)
    work = WorkTree.clone(where.git / "api.git", tmp_path / "work")
    work.put("meetings/demo.yaml", SOON.format(at=datetime.now(UTC) + timedelta(minutes=20)))
    work.commit("Plan a meeting")
    work.git("--git-dir", str(where.git / "api.git"), "fetch", "-q", str(work.path), "HEAD:refs/heads/main")
    with running_at(directory, template, builds) as site:
        said = reader.reads()
        agenda = f"{site.url}/meetings/demo_team/agenda"
        assert said.startswith("Demo Team Meeting begins in ")
        assert said.endswith(f" minutes, chaired by Mina (mina): #startmeeting demo_team. Agenda: {agenda}")
        reader.says("#startmeeting Demo Team")
        while not (told := reader.reads()).startswith("Agenda: "):
            assert "meeting" in told.lower() or told.startswith("Useful Commands:")
        assert told == f"Agenda: {agenda}"
        assert "Demo Team Meeting" in page(site, "/meetings/schedule")
        assert "There is no agenda yet." in page(site, "/meetings/demo_team/agenda")
