# SPDX-License-Identifier: Apache-2.0
"""Changes that need each other, across projects and upon one another."""

from __future__ import annotations

import pytest

from gatebot.assignment import Assignment
from tests.fakes.site import Builds, RunningSite


def needs(site: RunningSite, change: int, project: str = "api") -> str:
    """The footer that names a change."""
    return f"Depends-On: {site.url}/c/{project}/+/{change}"


def commit_of(build: Assignment, project: str) -> str:
    """What a build finds of a project."""
    return next(checkout.commit for checkout in build.checkouts if checkout.project == project)


def test_a_change_with_depends_on_waits_and_merges_after_what_it_needs(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    api = ann.propose("api", "Offer discounts", {"discount": "10\n"})
    client = ann.propose("client", "Show discounts", {"show": "yes\n"}, body=needs(site, api))
    bob.approve(client)
    assert ann.hears(client, "Not enqueued") == (
        "Patch Set 1:\n\n"
        f"Not enqueued in gate. It needs change {api}, which cannot enter yet; as soon as that one enters, this one "
        f"follows by itself. What keeps change {api} out: It needs Code-Review +2."
    )
    bob.approve(api)
    both = builds.runs("gate", client)
    builds.finish("gate", client)
    assert ann.status(client) == "NEW"
    builds.finish("gate", api)
    ann.sees_merged(client)
    assert [change.number for change in both.changes] == [api, client]
    assert commit_of(both, "api") == site.branch("api")
    assert commit_of(both, "client") == site.branch("client")


def test_what_a_change_needs_is_tested_with_it_in_check(site: RunningSite, builds: Builds) -> None:
    ann = site.person("ann")
    builds.rule = lambda build: None
    api = ann.propose("api", "Offer discounts", {"discount": "10\n"})
    client = ann.propose("client", "Show discounts", {"show": "yes\n"}, body=needs(site, api))
    build = builds.finish("check", client)
    assert [change.number for change in build.changes] == [api, client]
    assert site.app.repositories.read_file("api", commit_of(build, "api"), "discount") == b"10\n"
    ann.hears(client, "Build succeeded.")
    assert ann.votes(api, "Verified") == {}


def test_a_change_leaves_when_what_it_needs_fails(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    api = ann.propose("api", "Offer discounts", {"discount": "10\n"})
    client = ann.propose("client", "Show discounts", {"show": "yes\n"}, body=needs(site, api))
    bob.approve(api, client)
    builds.runs("gate", client)
    builds.finish("gate", api, "FAILURE")
    assert ann.hears(client, "Build failed.") == (
        "Patch Set 1: Verified-2\n\n"
        "Build failed.\n\n"
        f"It needs change {api}, which left without merging. Once that one is in again, approve this one again."
    )
    assert ann.status(client) == "NEW"


def test_changes_pushed_upon_each_other_merge_in_their_order(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    work = ann.clone("api")
    work.commit("Add a", a="a\n")
    first = ann.push(work)
    work.commit("Add b", b="b\n")
    second = ann.push(work)
    bob.approve(second)
    ann.hears(second, f"Not enqueued in gate. It needs change {first}, which cannot enter yet;")
    bob.approve(first)
    builds.finish("gate", second)
    builds.finish("gate", first)
    ann.sees_merged(second)
    assert work.git("rev-parse", "HEAD") == site.branch("api")


def test_a_depends_on_that_names_no_change_is_told(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("client", "Show discounts", {"show": "yes\n"}, body="Depends-On: https://example.org/99")
    bob.approve(change)
    assert ann.hears(change, "Not enqueued") == (
        "Patch Set 1:\n\nNot enqueued in gate. Depends-On: https://example.org/99 is not the address of a change here."
    )


@pytest.mark.zuul(41, 55)
def test_changes_that_need_each_other_are_told_so_in_every_pipeline(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    builds.rule = lambda build: None
    api = ann.propose("api", "Offer discounts", {"discount": "10\n"}, body=needs(site, 2, "client"))
    client = ann.propose("client", "Show discounts", {"show": "yes\n"}, body=needs(site, api))
    why = (
        f"Changes {api}, {client} need each other, and the queue of api does not allow that on main. "
        "Remove one of the dependencies, or set `allow-circular-dependencies: true` on the queue."
    )
    for change in (client, api):  # the first one was in check when the second closed the circle
        assert ann.hears(change, "Not enqueued") == f"Patch Set 1: Verified-1\n\nNot enqueued in check. {why}"
    bob.approve(api)
    assert ann.hears(api, "Not enqueued in gate") == f"Patch Set 1: Verified-2\n\nNot enqueued in gate. {why}"
