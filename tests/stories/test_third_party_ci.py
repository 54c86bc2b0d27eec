# SPDX-License-Identifier: Apache-2.0
"""A CI elsewhere with an account here: it votes, people ask it again, and everybody sees how well it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gatebot.app.places import SETTINGS
from gatebot.cli import main
from gatebot.identity import THIRD_PARTY_CI
from tests.fakes.doors import Visitor
from tests.fakes.git import WorkTree
from tests.fakes.irc import free_port
from tests.fakes.outside_ci import OutsideCi
from tests.fakes.site import Builds, RunningSite, Template, eventually

CIS = """
[third_party_ci.acme]
projects = ["api"]
url = "https://ci.example.org/"
contact = "ci@example.org"
[third_party_ci.ghost]
"""


@pytest.fixture
def site(template: Template, tmp_path: Path, builds: Builds) -> Iterator[RunningSite]:
    """A site that knows two CIs elsewhere; one of them has an account."""
    directory = template.copy(tmp_path / "site", free_port())
    with (directory / SETTINGS).open("a") as file:
        file.write(CIS)
    with RunningSite(directory, dict(template.tokens), tmp_path / "homes", builds) as running:
        identity = running.app.identity
        account = running.do(identity.create("acme", name="Acme CI", email="ci@example.org", groups=(THIRD_PARTY_CI,)))
        running.tokens["acme"] = running.do(identity.create_token(account.id, "story"))
        yield running


def standing(site: RunningSite) -> list[dict[str, Any]]:
    """What programs are told."""
    return Visitor(site).get("/api/third-party-ci").json["third_party_ci"]


def test_a_ci_elsewhere_votes_is_asked_again_and_is_listed(site: RunningSite) -> None:
    ann, acme, anybody = site.person("ann"), site.person("acme"), Visitor(site)
    change = ann.propose("api", "Offer discounts", {"discount": "10\n"})
    ann.propose("client", "Show discounts", {"show": "yes\n"})
    assert "no vote yet" in anybody.get("/third-party-ci").text
    acme.review(change, "It does not start.", Verified=-1)
    ann.review(change, "recheck-acme")
    assert "asked again, no answer yet" in anybody.get("/third-party-ci").text
    assert [one["change"] for one in standing(site)[0]["waiting"]] == [change]
    acme.review(change, "It starts.", Verified=1)
    ours, ghost = standing(site)
    assert (ours["name"], ours["patch_sets"], ours["voted"], ours["success_rate"]) == ("acme", 1, 1, 1.0)
    assert (ours["last_vote"]["change"], ours["last_vote"]["value"], ours["waiting"]) == (change, 1, [])
    assert 0 <= ours["response_median"] <= ours["response_p90"] < 60
    assert (ghost["account_exists"], ghost["last_vote"]) == (False, None)
    page = anybody.get("/third-party-ci").text
    assert "100 %" in page
    assert f'<a href="/{change}">change {change}</a>' in page
    assert "gatebot user add --third-party-ci ghost" in page
    shown = CliRunner().invoke(main, ["--url", site.url, "ci", "list"], prog_name="gatebot", catch_exceptions=False)
    assert shown.output.splitlines()[0].split("\t")[:4:2] == ["acme", "1 of 1"]


def test_asking_a_ci_elsewhere_starts_none_of_our_own_jobs(site: RunningSite, builds: Builds) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Offer discounts", {"discount": "10\n"})
    ann.hears(change, "Build succeeded.")
    before = len(builds.given)
    ann.review(change, "recheck-acme")
    ann.review(change, "recheck")
    eventually(lambda: len(builds.given) > before, "our own check ran again")
    assert len(builds.given) == before + 1


def test_a_private_change_counts_for_nobody_who_may_not_see_it(site: RunningSite) -> None:
    ann = site.person("ann")
    work = ann.clone("api", "private")
    work.commit("Keep this quiet", secret="x\n")
    assert work.run("push", "origin", "HEAD:refs/for/main%private").returncode == 0
    hers = Visitor(site, "ann", site.tokens["ann"]).get("/api/third-party-ci").json["third_party_ci"][0]
    assert (standing(site)[0]["patch_sets"], hers["patch_sets"]) == (0, 1)


class Lab:
    """What acme tests with: a rack that may be out of order."""

    def __init__(self) -> None:
        self.works = True

    def test(self, work: WorkTree) -> tuple[int, str]:
        """Small discounts pass, where the rack works."""
        if not self.works:
            return -1, "No machine of the rack answers."
        offered = int((work.path / "discount").read_text())
        return (1, "It sells.") if offered < 50 else (-1, f"{offered} % is too much.")


def acme(site: RunningSite, lab: Lab) -> OutsideCi:
    """The CI elsewhere, at its post."""
    asked = re.compile(r"(?im)^(recheck-acme|acme recheck|recheck)\s*$")
    bot = OutsideCi(site, site.person("acme"), "api", asked, lab.test)
    bot.starts()
    return bot


def test_a_ci_elsewhere_hears_of_a_patch_set_and_of_a_recheck_while_it_was_away(site: RunningSite) -> None:
    ann, lab, anybody = site.person("ann"), Lab(), Visitor(site)
    bot = acme(site, lab)
    lab.works = False
    change = ann.propose("api", "Offer discounts", {"discount": "10\n"})
    bot.answers()
    assert ann.hears(change, "rack") == "Patch Set 1: Verified-1\n\nNo machine of the rack answers."
    ann.review(change, "The rack is repaired.\n\nrecheck-acme")
    assert "asked again, no answer yet" in anybody.get("/third-party-ci").text
    lab.works = True
    bot.answers()
    assert ann.votes(change, "Verified") == {"gatebot": 1, "acme": 1}
    last, waiting = standing(site)[0]["last_vote"], standing(site)[0]["waiting"]
    assert (last["change"], last["value"], waiting) == (change, 1, [])
    assert "asked again, no answer yet" not in anybody.get("/third-party-ci").text


def test_recheck_is_for_everybody_who_tests(site: RunningSite, builds: Builds) -> None:
    ann = site.person("ann")
    bot = acme(site, Lab())
    change = ann.propose("api", "Offer discounts", {"discount": "10\n"})
    bot.answers()
    ann.hears(change, "Build succeeded.")
    ann.review(change, "recheck")
    bot.answers()
    assert ann.said(change).count("Patch Set 1: Verified+1\n\nIt sells.") == 2
    eventually(lambda: builds.assigned == [("check", change, "unit")] * 2, "our own check ran again")


def test_what_a_ci_elsewhere_dislikes_is_seen_but_neither_blocks_nor_repeats_our_own_check(
    site: RunningSite, builds: Builds
) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    bot = acme(site, Lab())
    change = ann.propose("api", "Give all away", {"discount": "100\n"})
    bot.answers()
    ann.hears(change, "Build succeeded.")
    assert ann.votes(change, "Verified") == {"gatebot": 1, "acme": -1}
    page = Visitor(site).get(f"/c/api/+/{change}").text
    assert "100 % is too much." in page
    assert '<a href="/third-party-ci#acme">acme</a>' in page
    bob.approve(change)
    builds.finish("gate", change)
    ann.sees_merged(change)
    assert [pipeline for pipeline, *_ in builds.assigned] == ["check", "gate"]
    assert standing(site)[0]["success_rate"] == 0.0


def test_the_page_of_a_change_says_who_was_asked_and_what_is_nobodys_name(site: RunningSite) -> None:
    ann, anybody = site.person("ann"), Visitor(site)
    change = ann.propose("api", "Offer discounts", {"discount": "10\n"})
    assert "no vote yet" in anybody.get(f"/c/api/+/{change}").text
    ann.review(change, "recheck-acme\nrecheck-acmee")
    page = anybody.get(f"/c/api/+/{change}").text
    assert "asked again, no answer yet" in page
    assert "<code>recheck-acmee</code>" in page
    assert "no CI of this name" in page
    told = anybody.get(f"/api/third-party-ci/change/{change}").json
    assert [one["name"] for one in told["third_party_ci"] if one["waiting"]] == ["acme"]
    assert (told["patch_set"], told["elsewhere"], told["nobody"]) == (1, [], ["acmee"])
