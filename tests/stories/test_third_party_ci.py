# SPDX-License-Identifier: Apache-2.0
"""A CI elsewhere with an account here: it votes, people ask it again, and everybody sees how well it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gatebot.app.places import SETTINGS
from gatebot.cli import main
from tests.fakes.doors import Visitor
from tests.fakes.irc import free_port
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
        account = running.do(identity.create("acme", name="Acme CI", email="ci@example.org", groups=("Service Users",)))
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
    assert "gatebot user add --service ghost" in page
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
