# SPDX-License-Identifier: Apache-2.0
"""What is pushed to which remote, and when again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatebot.app.outward import sign_of
from gatebot.events import BranchMoved, PatchSetCreated, ProjectCreated, TagMoved
from gatebot.fact import Event
from gatebot.review.model import PrivateChanged
from gatebot.review.replication.model import PatchSetOf, Remote, Standing, Waiting
from gatebot.review.replication.planning import address, again, concerns, later, refspecs, shown

AT = datetime(2026, 11, 29, 11, 0, tzinfo=UTC)
MIRROR = Remote("mirror", "ssh://git@mirror.example.org/${name}.git", ("openstack/.*",))
MOVED = BranchMoved("openstack/nova", "main", "0" * 40, "a" * 40, "gate")
UPLOADED = PatchSetCreated(7, 1, "openstack/nova", "main", "a" * 40, 1)


@pytest.mark.parametrize(
    ("fact", "project"),
    [
        (MOVED, "openstack/nova"),
        (replace(MOVED, project="demo/openstack/x"), ""),
        (TagMoved("openstack/nova", "1.0", "0" * 40, "a" * 40), "openstack/nova"),
        (ProjectCreated("openstack/new"), "openstack/new"),
        (UPLOADED, ""),
    ],
)
def test_a_remote_gets_what_moves_in_its_projects(fact: Event, project: str) -> None:
    assert concerns(MIRROR, fact, {}) == project


def test_changes_are_pushed_where_that_is_wanted() -> None:
    with_changes = replace(MIRROR, changes=True)
    assert concerns(with_changes, UPLOADED, {}) == "openstack/nova"
    shut = PrivateChanged(7, True, 1)
    assert concerns(with_changes, shut, {7: "openstack/nova"}) == "openstack/nova"
    assert concerns(with_changes, shut, {7: "demo/api"}) == concerns(MIRROR, shut, {7: "openstack/nova"}) == ""
    assert refspecs(MIRROR) == ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    assert refspecs(with_changes) == [*refspecs(MIRROR), "+refs/changes/*:refs/changes/*"]


def test_of_the_patch_sets_a_copy_has_only_those_that_are_named() -> None:
    here = {"refs/heads/main": "a", "refs/tags/1": "b", "refs/meta/config": "c", "refs/changes/07/107/1": "d"}
    assert shown(here, [PatchSetOf(7, 2, "e")]) == {
        "refs/heads/main": "a", "refs/tags/1": "b", "refs/changes/07/7/2": "e",
    }  # fmt: skip


def test_an_address_names_the_project() -> None:
    assert address(MIRROR, "openstack/nova") == "ssh://git@mirror.example.org/openstack/nova.git"
    assert address(replace(MIRROR, url="https://x/${name}"), "a b/c?d") == "https://x/a%20b/c%3Fd"
    assert address(replace(MIRROR, url="git@mirror:${name}.git"), "a/b") == "git@mirror:a/b.git"


def test_what_fails_is_tried_less_and_less_often_and_never_given_up() -> None:
    waiting, waits = Waiting(AT, AT), []
    for _ in range(12):
        waiting = later(waiting, "no route", AT)
        waits.append((waiting.due - AT) // timedelta(seconds=1))
    assert waits[:4] == [15, 30, 60, 120]
    assert waits[-1] == 3600
    assert (waiting.since, waiting.problem) == (AT, "no route")


def test_what_moves_while_it_waits_keeps_its_turn_and_its_age() -> None:
    later_on = AT + timedelta(minutes=5)
    assert again(None, AT) == Waiting(AT, AT)
    assert again(Waiting(AT, AT), later_on) == Waiting(AT, AT, count=2)


def test_the_health_page_tells_the_lag() -> None:
    assert sign_of(()).text == "no copies are kept elsewhere"
    well = Standing("mirror", last=AT)
    behind = Standing("backup", 2, AT, "fatal: unable to access 'https://backup.internal/'")
    told = sign_of((well, behind))
    assert (told.ok, told.vital) == (False, False)
    assert told.text == (
        "mirror: up to date, last pushed 2026-11-29 11:00 UTC; "
        "backup: 2 projects behind since 2026-11-29 11:00 UTC, the last push failed"
    )
    assert told.inside == "backup said: fatal: unable to access 'https://backup.internal/'"
