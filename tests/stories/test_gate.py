# SPDX-License-Identifier: Apache-2.0
"""From push to merge: what people do, and what they read."""

from __future__ import annotations

from tests.fakes.site import Builds, RunningSite, eventually


def test_a_pushed_change_is_checked_and_gets_verified(site: RunningSite) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    ann.hears(change, "Build succeeded")
    assert ann.votes(change, "Verified") == {"gatebot": 1}
    print(ann.said(change))


def test_an_approved_change_merges_as_the_very_commit_that_was_tested(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    ann.sees_merged(change)
    print(ann.said(change))
    assert site.file("api", "a.txt") == "a\n"
