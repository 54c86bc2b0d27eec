# SPDX-License-Identifier: Apache-2.0
"""A site that wants a contributor agreement on file: who has none is told so, accepts one, and pushes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.fakes.doors import Answer, Visitor
from tests.fakes.irc import free_port
from tests.fakes.site import Builds, RunningSite, Template

CONFIG = """
[contributor-agreement "Individual"]
	description = If you contribute on your own
	agreementUrl = https://example.org/cla
	autoVerify = group CLA
	accepted = group CLA
[contributor-agreement "Corporate"]
	description = For companies
	agreementUrl = static/ccla.html
	accepted = group Companies
[receive]
	requireContributorAgreement = true
"""


def rest(site: RunningSite, who: str, method: str, path: str, body: object = None) -> Answer:
    """A call of REST."""
    visitor = Visitor(site, who, site.tokens[who], {"Accept": "application/json"})
    return visitor.send(method, f"/a/{path}", body) if body is not None else visitor.ask(method, f"/a/{path}")


@pytest.fixture(scope="module")
def site(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Cho is of a company."""
    root = tmp_path_factory.mktemp("agreements")
    directory = template.copy(root / "site", free_port())
    with RunningSite(directory, dict(template.tokens), root / "homes", Builds()) as site:
        for group, members in (("CLA", []), ("Companies", ["cho"])):
            assert rest(site, "admin", "PUT", f"groups/{group}", {"members": members}).status == 201
        tree = site.person("admin").clone("All-Projects", "rights")
        tree.git("fetch", "-q", "origin", "refs/meta/config")
        tree.git("checkout", "-q", "FETCH_HEAD")
        uuids = {name: rest(site, "admin", "GET", f"groups/{name}").json["id"] for name in ("CLA", "Companies")}
        groups = (tree.path / "groups").read_text() + "".join(f"{uuid}\t{name}\n" for name, uuid in uuids.items())
        tree.put("groups", groups)
        tree.put("project.config", (tree.path / "project.config").read_text() + CONFIG)
        tree.commit("Ask for an agreement")
        done = tree.run("push", "origin", "HEAD:refs/meta/config")
        assert done.returncode == 0, done.stderr
        yield site


def test_who_has_none_on_file_is_told_and_accepts_one(site: RunningSite) -> None:
    ann = site.person("ann")
    tree = ann.clone("api", "first")
    tree.commit("Add a door", door="open\n")
    refused = tree.run("push", "origin", "HEAD:refs/for/main")
    id = rest(site, "ann", "GET", "accounts/self").json["_account_id"]
    missing = f"No Contributor Agreement on file for user Ann <ann@example.org> (id={id})"
    assert refused.returncode == 1
    assert f"! [remote rejected] HEAD -> refs/for/main ({missing})" in refused.stderr
    assert f"Read the agreements and accept one at {site.url}/settings/agreements, then push again." in refused.stderr
    assert rest(site, "ann", "GET", "accounts/self/agreements").json == []
    entered = rest(site, "ann", "PUT", "accounts/self/agreements", {"name": "Individual"})
    assert (entered.status, entered.json) == (200, "Individual")
    (told,) = rest(site, "ann", "GET", "accounts/self/agreements").json
    assert (told["name"], told["url"], told["auto_verify_group"]["name"]) == (
        "Individual", "https://example.org/cla", "CLA"
    )  # fmt: skip
    assert ann.push(tree) > 0


def test_a_change_made_over_rest_needs_one_too(site: RunningSite) -> None:
    body = {"project": "api", "branch": "main", "subject": "By REST"}
    refused = rest(site, "bob", "POST", "changes/", body)
    assert refused.status == 403
    assert refused.text.startswith("No Contributor Agreement on file for user Bob <bob@example.org> (id=")
    assert "Read the agreements and accept one at" in refused.text
    assert rest(site, "cho", "POST", "changes/", body).status == 201


@pytest.mark.parametrize(
    ("who", "whose", "name", "status", "told"),
    [
        ("bob", "self", "Nothing", 422, "contributor agreement not found"),
        ("bob", "self", "Corporate", 400, "cannot enter a non-autoVerify agreement"),
        ("admin", "bob", "Individual", 403, "not allowed to enter contributor agreement"),
    ],
)
def test_what_nobody_enters(site: RunningSite, who: str, whose: str, name: str, status: int, told: str) -> None:
    answer = rest(site, who, "PUT", f"accounts/{whose}/agreements", {"name": name})
    assert (answer.status, answer.text) == (status, f"{told}\n")


def test_the_site_lists_them(site: RunningSite) -> None:
    told = rest(site, "bob", "GET", "config/server/info").json["auth"]
    assert told["use_contributor_agreements"] is True
    assert [one["name"] for one in told["contributor_agreements"]] == ["Individual", "Corporate"]
    assert rest(site, "bob", "GET", f"accounts/{quote('cho')}/agreements").status == 403
    assert [one["name"] for one in rest(site, "admin", "GET", "accounts/cho/agreements").json] == ["Corporate"]
    page = Visitor(site, "cho", site.tokens["cho"]).get("/settings/agreements").text
    assert "I have read it and agree" in page
    assert 'href="https://example.org/cla"' in page
    assert "on file" in page
