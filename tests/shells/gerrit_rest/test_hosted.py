# SPDX-License-Identifier: Apache-2.0
"""Projects kept over REST: branches, tags, HEAD, settings, labels, rights; by those who may, nothing hidden shown."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gatebot.events import BranchMoved, TagMoved
from gatebot.review.config.book import Book
from gatebot.review.config.founding import found_root
from gatebot.review.model import Change, HeadMoved
from tests.fakes.rest_client import RestClient, served
from tests.fakes.review_house import ROOT, ReviewHouse

P = "/projects/demo%2Fapi"


@pytest.fixture
async def rest(house: ReviewHouse) -> AsyncIterator[RestClient]:
    await found_root(house.db, house.repositories, house.clock)
    book = Book(house.db, house.repositories, lambda: 0.0)
    await book.refresh()
    async with served(house, rules=book, configs=book) as client:
        yield client


async def test_branches_are_made_and_deleted_by_those_who_may(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    tip = house.tip("demo/api")
    assert await rest("root", "PUT", f"{P}/branches/stable%2F1.0", {"revision": "main"}, 201) == {
        "ref": "refs/heads/stable/1.0", "revision": tip
    }  # fmt: skip
    assert await rest("ann", "PUT", f"{P}/branches/mine", {}, 403) == (
        "This needs the permission create on refs/heads/mine of demo/api. Ask an owner of the project or an "
        "administrator for it."
    )
    assert "exists" in await rest("root", "PUT", f"{P}/branches/stable%2F1.0", {}, 409)
    unseen = house.commit_of(change)
    await rest("root", "PUT", f"{P}/branches/x", {"revision": unseen}, 404)
    assert [one["ref"] for one in await rest.get(f"{P}/branches/?m=stable")] == ["refs/heads/stable/1.0"]
    assert [one["ref"] for one in await rest.get(f"{P}/branches/?n=1&s=1")] == ["refs/heads/main"]
    await rest("ann", "DELETE", f"{P}/branches/stable%2F1.0", status=403)
    await rest("root", "DELETE", f"{P}/branches/stable%2F1.0", status=204)
    assert "default branch" in await rest("root", "DELETE", f"{P}/branches/main", status=409)
    await rest("root", "DELETE", f"{P}/branches/none", status=404)
    moved = [one for one in house.facts(BranchMoved) if isinstance(one, BranchMoved) and one.branch == "stable/1.0"]
    assert [(one.old, one.new) for one in moved] == [("0" * 40, tip), (tip, "0" * 40)]


async def test_a_branch_that_changes_are_for_stays(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    await rest("root", "PUT", f"{P}/branches/next", {}, 201)
    assert await rest("root", "PUT", f"{P}/HEAD", {"ref": "refs/heads/next"}) == "refs/heads/next"
    assert await rest.get(f"{P}/HEAD") == "refs/heads/next"
    assert house.facts(HeadMoved) == [HeadMoved("demo/api", "main", "next", ROOT)]
    assert house.repositories.default_branch("demo/api") == "next"
    assert await rest("root", "DELETE", f"{P}/branches/main", status=409) == "branch refs/heads/main has open changes"
    await rest("ann", "POST", "/changes/1/abandon", {})
    await rest("root", "POST", f"{P}/branches:delete", {"branches": ["main"]}, 204)
    await rest("ann", "PUT", f"{P}/HEAD", {"ref": "refs/heads/next"}, 403)
    await rest("root", "PUT", f"{P}/HEAD", {"ref": "refs/heads/none"}, 422)


async def test_tags_have_what_is_said_of_them(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    tip = house.tip("demo/api")
    assert await rest("root", "PUT", f"{P}/tags/v1", {}, 201) == {"ref": "refs/tags/v1", "revision": tip}
    made = await rest("root", "PUT", f"{P}/tags/v2", {"message": "Second\n"}, 201)
    assert (made["object"], made["message"], made["tagger"]["email"]) == (tip, "Second", "root@example.org")
    assert made["revision"] != tip
    assert [one["ref"] for one in await rest.get(f"{P}/tags/")] == ["refs/tags/v1", "refs/tags/v2"]
    assert await rest.get(f"{P}/tags/v2") == made
    await rest("ann", "PUT", f"{P}/tags/v3", {"message": "x"}, 403)
    await rest("root", "POST", f"{P}/tags:delete", {"tags": ["v1"]}, 204)
    await rest("root", "DELETE", f"{P}/tags/v2", status=204)
    await rest.get(f"{P}/tags/v2", status=404)
    assert len(house.facts(TagMoved)) == 4


async def test_a_branch_that_somebody_does_not_read_is_not_there(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    secret = house.commit("demo/api", {"s": "s\n"}, "Secret\n", house.tip("demo/api"))
    assert house.repositories.update_ref("demo/api", "refs/heads/secret", "0" * 40, secret)
    hide = {"refs/heads/secret": {"permissions": {"read": {"exclusive": True, "rules": {"Administrators": {}}}}}}
    await rest("root", "POST", f"{P}/access", {"add": hide})
    assert [one["ref"] for one in await rest.get(f"{P}/branches/")] == ["HEAD", "refs/heads/main"]
    await rest.get(f"{P}/branches/secret", status=404)
    for path in (f"commits/{secret}", f"commits/{secret}/in", "branches/secret/files/s/content"):
        await rest.get(f"{P}/{path}", status=404)
    assert (await rest.get(f"{P}/commits/{secret}", "root"))["subject"] == "Secret"
    assert await rest.get(f"{P}/commits/{secret}/in", "root") == {"branches": ["secret"], "tags": []}
    files = await rest.get(f"{P}/commits/{secret}/files", "root")
    assert [*files] == ["/COMMIT_MSG", "s"]
    assert (files["/COMMIT_MSG"]["status"], files["s"]["status"], files["s"]["lines_inserted"]) == ("A", "A", 1)
    await rest.get(f"{P}/commits/{secret}/files", status=404)
    main = house.tip("demo/api")
    asked = f"{P}/commits:in?commit={main}&commit={secret}&ref=refs/heads/main&ref=refs/heads/secret"
    assert await rest.get(asked) == {main: ["refs/heads/main"]}
    assert await rest.get(asked, "root") == {
        main: ["refs/heads/main", "refs/heads/secret"], secret: ["refs/heads/secret"]
    }  # fmt: skip
    await rest.get(f"{P}/commits:in?commit={main}", status=400)


async def test_settings_are_lines_of_project_config(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    before = await rest.get(f"{P}/config")
    assert before["require_change_id"] == {"configured_value": "INHERIT", "inherited_value": False}
    asked = {
        "require_change_id": "TRUE",
        "state": "READ_ONLY",
        "description": "The API",
        "submit_type": "REBASE_ALWAYS",
    }
    after = await rest("root", "PUT", f"{P}/config", asked)
    assert after["require_change_id"] == {"value": True, "configured_value": "TRUE", "inherited_value": False}
    assert (after["state"], after["description"], after["submit_type"]) == ("READ_ONLY", "The API", "REBASE_ALWAYS")
    tip = house.tip("demo/api", "refs/meta/config")
    assert house.repositories.read_file("demo/api", tip, "project.config") == (
        b"[receive]\n\trequireChangeId = true\n[project]\n\tstate = read only\n"
    )
    assert (await rest.get(P))["state"] == "READ_ONLY"
    await rest("ann", "PUT", f"{P}/config", {"state": "ACTIVE"}, 403)
    assert await rest("root", "PUT", f"{P}/config", {"state": "GONE"}, 400) == (
        "The field state cannot be used: it is one of ACTIVE, READ_ONLY, HIDDEN."
    )
    await rest("root", "DELETE", f"{P}/description", status=204)
    assert await rest.get(f"{P}/description") == ""


async def test_a_parent_is_chosen_by_administrators(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    house.project("demo/rules")
    assert await rest.get(f"{P}/parent") == "All-Projects"
    assert await rest("root", "PUT", f"{P}/parent", {"parent": "demo/rules"}) == "demo/rules"
    assert await rest.get(f"{P}/parent") == "demo/rules"
    assert [one["name"] for one in await rest.get("/projects/demo%2Frules/children/")] == ["demo/api"]
    assert len(await rest.get("/projects/All-Projects/children/?recursive", "root")) == 2
    told = await rest("root", "PUT", "/projects/demo%2Frules/parent", {"parent": "demo/api"}, 409)
    assert "project.config" in told
    await rest("ann", "PUT", f"{P}/parent", {"parent": "All-Projects"}, 403)


async def test_labels_are_defined_and_deleted(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    asked = {
        "values": {"-1": "No", " 0": "None", "+1": "Yes"},
        "copy_condition": "is:MIN",
        "branches": ["refs/heads/main"],
    }
    made = await rest("root", "PUT", f"{P}/labels/Docs", asked, 201)
    assert made == {
        "name": "Docs", "project_name": "demo/api", "function": "NoBlock", "can_override": True,
        "values": {"-1": "No", " 0": "None", "+1": "Yes"}, "default_value": 0, "branches": ["refs/heads/main"],
        "copy_condition": "is:MIN", "allow_post_submit": True,
    }  # fmt: skip
    assert "Docs" in (await rest.get("/changes/1?o=LABELS"))["labels"]
    changed = await rest("root", "PUT", f"{P}/labels/Docs", {"description": "Text"})
    assert (changed["description"], changed["copy_condition"]) == ("Text", "is:MIN")
    assert [one["name"] for one in await rest.get(f"{P}/labels/")] == ["Docs"]
    inherited = {one["name"] for one in await rest.get(f"{P}/labels/?inherited")}
    assert inherited == {"Code-Review", "Docs", "Verified", "Workflow"}
    for value in ("x", "+-1", "--", "1\n2"):
        told = await rest("root", "PUT", f"{P}/labels/Bad", {"values": {value: "y"}}, 400)
        assert told.endswith("cannot be used: it must be a whole number.")
    await rest("root", "PUT", f"{P}/labels/a%0Ab", asked, 400)
    await rest("root", "PUT", f"{P}/labels/Bad", {**asked, "copy_condition": "is:WAT"}, 409)
    await rest("root", "DELETE", f"{P}/labels/Docs", status=204)
    assert await rest.get(f"{P}/labels/Docs", status=404) == "The project demo/api defines no label Docs itself."


async def test_rights_are_added_and_taken_away(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    add = {
        "refs/heads/*": {
            "permissions": {
                "label-Code-Review": {
                    "label": "Code-Review",
                    "rules": {"Core": {"action": "ALLOW", "min": -2, "max": 2}},
                },
                "push": {"rules": {"Core": {"action": "BLOCK", "force": True}}},
            }
        }
    }
    info = await rest("root", "POST", f"{P}/access", {"add": add, "message": "Let Core decide"})
    permissions = info["local"]["refs/heads/*"]["permissions"]
    (uuid,) = permissions["push"]["rules"]
    assert permissions["push"]["rules"][uuid] == {"action": "BLOCK", "force": True}
    assert permissions["label-Code-Review"]["rules"][uuid] == {"action": "ALLOW", "min": -2, "max": 2}
    assert info["groups"][uuid]["name"] == "Core"
    tip = house.tip("demo/api", "refs/meta/config")
    assert house.repositories.commit("demo/api", tip).message == "Let Core decide\n"
    remove = {"refs/heads/*": {"permissions": {"push": {"rules": {uuid: {}}}}}}
    info = await rest("root", "POST", f"{P}/access", {"remove": remove})
    assert set(info["local"]["refs/heads/*"]["permissions"]) == {"label-Code-Review"}
    info = await rest("root", "POST", f"{P}/access", {"remove": {"refs/heads/*": {}}})
    assert info["local"] == {}
    await rest("ann", "POST", f"{P}/access", {"add": add}, 403)
    await rest("root", "POST", f"{P}/access", {"add": {"refs/heads/*": {"permissions": {"a\nb": {"rules": {}}}}}}, 400)
    nobody = {"refs/heads/*": {"permissions": {"read": {"rules": {"nobody": {}}}}}}
    await rest("root", "POST", f"{P}/access", {"add": nobody}, 422)
    unknown = {"refs/heads/*": {"permissions": {"fly": {"rules": {"Core": {}}}}}}
    assert "fly" in await rest("root", "POST", f"{P}/access", {"add": unknown}, 409)


async def test_a_project_begins_with_its_branches(rest: RestClient) -> None:
    await rest("root", "PUT", "/projects/new", {"create_empty_commit": "true", "branches": ["main", "stable"]}, 201)
    assert [one["ref"] for one in await rest.get("/projects/new/branches/")] == [
        "HEAD", "refs/heads/main", "refs/heads/stable"
    ]  # fmt: skip


async def test_whether_a_branch_takes_another(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    tip = house.tip("demo/api")
    for name, text in (("one", "1\n"), ("two", "2\n")):
        made = house.commit("demo/api", {"x.txt": text}, f"{name}\n", tip)
        assert house.repositories.update_ref("demo/api", f"refs/heads/{name}", "0" * 40, made)
    assert await rest.get(f"{P}/branches/one/mergeable?source=two") == {
        "submit_type": "MERGE_IF_NECESSARY", "mergeable": False, "conflicts": ["x.txt"]
    }  # fmt: skip
    assert (await rest.get(f"{P}/branches/one/mergeable?source=main"))["commit_merged"] is True
    await rest.get(f"{P}/branches/one/mergeable?source={house.commit_of(change)}", status=404)


async def test_rights_are_proposed_as_a_change_that_others_review(rest: RestClient, house: ReviewHouse) -> None:
    house.project("demo/api")
    core = {"add": {"refs/heads/*": {"permissions": {"submit": {"rules": {"Core": {"action": "ALLOW"}}}}}}}
    assert await rest("ann", "PUT", f"{P}/access:review", core, 403)
    made = await rest("root", "PUT", f"{P}/access:review", core | {"message": "Let Core submit"}, 201)
    assert (made["branch"], made["subject"], made["status"]) == ("refs/meta/config", "Let Core submit", "NEW")
    again = await rest("root", "POST", f"{P}/access:review", core, 201)
    assert again["_number"] != made["_number"]
    commit = (await rest("root", "GET", f"/changes/{made['_number']}?o=CURRENT_REVISION"))["current_revision"]
    text = house.repositories.read_file("demo/api", commit, "project.config") or b""
    assert b"submit = group Core" in text
    assert (await rest("root", "GET", f"{P}/access"))["local"] == {}
    same = {"remove": {"refs/heads/x": {}}}
    assert await rest("root", "PUT", f"{P}/access:review", same, 409) == "Nothing of the configuration would change."


async def test_submit_requirements_are_sections_of_project_config(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    ours = f"{P}/submit_requirements"
    assert await rest.get(f"{ours}/", "root") == []
    above = await rest.get(f"{ours}/?inherited", "root")
    assert {one["name"]: one["project_name"] for one in above} == dict.fromkeys(
        ("Code-Review", "Verified", "Workflow"), "All-Projects"
    )
    asked = {"submittability_expression": "label:Docs=MAX", "description": "Has docs", "override_expression": "is:wip"}
    told = {"name": "Docs", "project_name": "demo/api", **asked, "allow_override_in_child_projects": False}
    assert await rest("root", "PUT", f"{ours}/Docs", asked, 201) == told
    assert await rest.get(f"{ours}/Docs", "root") == told
    assert await rest.get(f"{ours}/?inherited", "root") == [*above, told]
    states = (await rest.get("/changes/1?o=SUBMIT_REQUIREMENTS"))["submit_requirements"]
    assert [one["name"] for one in states if one["name"] == "Docs"] == ["Docs"]
    less = {"submittability_expression": "label:Docs=MAX", "allow_override_in_child_projects": True}
    await rest("root", "PUT", f"{ours}/Docs", less, 201)
    tip = house.tip("demo/api", "refs/meta/config")
    assert house.repositories.read_file("demo/api", tip, "project.config") == (
        b'[submit-requirement "Docs"]\n\tsubmittableIf = label:Docs=MAX\n\tcanOverrideInChildProjects = true\n'
    )
    several = {"create": [{"name": "Two", "submittability_expression": "is:open"}], "delete": ["Docs"]}
    made = await rest("root", "POST", f"{ours}:review", several, 201)
    assert (made["branch"], made["subject"]) == ("refs/meta/config", "Change submit requirements")
    assert await rest("root", "POST", f"{ours}/", several) == ""
    assert [one["name"] for one in await rest.get(ours, "root")] == ["Two"]
    await rest("root", "DELETE", f"{ours}/Two", status=204)
    assert await rest("root", "DELETE", f"{ours}/Two", status=404) == (
        "The project demo/api defines no submit requirement Two itself."
    )


async def test_who_may_not_is_told_of_submit_requirements_what_is_wrong(rest: RestClient, change: Change) -> None:
    ours, good = f"{P}/submit_requirements", {"submittability_expression": "is:open"}
    assert "read on refs/meta/config" in await rest.get(ours, "ann", status=403)
    await rest.get(ours, "", status=401)
    await rest("ann", "PUT", f"{ours}/Docs", good, 403)
    await rest("", "PUT", f"{ours}/Docs", good, 401)
    assert await rest("root", "PUT", f"{ours}/Docs", {}, 400) == "submittability_expression is required"
    assert await rest("root", "PUT", f"{ours}/Docs", {"submittability_expression": "nonsense:x"}, 400) == (
        "The submittableIf of Docs cannot be read: Unsupported operator nonsense:x."
    )
    await rest("root", "PUT", f"{ours}/bad%20name", good, 400)
    await rest("root", "PUT", f"{ours}/Docs", {**good, "name": "Other"}, 400)


BOARD = """\
[dashboard]
\ttitle = The ${project} board
\tdescription = Of all
\tforeach = project:${project}
[section "Open"]
\tquery = status:open
[section "Mine"]
\tquery = owner:self limit:3
"""


async def test_dashboards_are_files_in_git(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    ours = f"{P}/dashboards"
    files = {"main": BOARD, "sub/other": '[section "All"]\n\tquery = is:open\n', "broken": "[dashboard\n"}
    for project, ref in (("demo/api", "team"), ("All-Projects", "site")):
        kept = house.commit(project, files, "Dashboards\n")
        assert house.repositories.update_ref(project, f"refs/meta/dashboards/{ref}", "0" * 40, kept)
    main = {
        "id": "team:main", "project": "demo/api", "defining_project": "demo/api", "ref": "team", "path": "main",
        "description": "Of all", "foreach": "project:${project}", "title": "The demo/api board",
        "url": "/dashboard/?title=The+demo%2Fapi+board&foreach=project:demo%2Fapi"
        "&Open=status:open&Mine=owner:self+limit:3",
        "sections": [{"name": "Open", "query": "status:open"}, {"name": "Mine", "query": "owner:self limit:3"}],
    }  # fmt: skip
    assert [one["id"] for one in await rest.get(f"{ours}/", "")] == ["team:main", "team:sub%2Fother"]
    nested = await rest.get(f"{ours}/?inherited")
    assert [[one["defining_project"] for one in several] for several in nested] == [
        ["demo/api"] * 2, ["All-Projects"] * 2
    ]  # fmt: skip
    assert await rest.get(f"{ours}/team:main") == main
    assert (await rest.get(f"{ours}/team:sub%2Fother"))["title"] == "sub/other"
    assert (await rest.get(f"{ours}/site:main"))["defining_project"] == "All-Projects"
    for gone in ("team:broken", "team:none", "none:main", "team", "..:..", "default"):
        assert "has no dashboard" in await rest.get(f"{ours}/{gone}", status=404)
    await rest("ann", "PUT", f"{ours}/default", {"id": "team:main"}, 403)
    await rest("", "DELETE", f"{ours}/default", status=401)
    await rest("root", "PUT", f"{ours}/default", {"id": "team:none"}, 400)
    await rest("root", "PUT", f"{ours}/team:main", {"id": "team:main"}, 405)
    assert await rest("root", "PUT", f"{ours}/default", {"id": "team:main"}) == {**main, "is_default": True}
    assert await rest.get(f"{ours}/default") == {**main, "is_default": True}
    await rest("root", "DELETE", f"{ours}/default", status=204)
    await rest.get(f"{ours}/default?inherited", status=404)
    hide = {"refs/meta/dashboards/team": {"permissions": {"read": {"exclusive": True, "rules": {"Core": {}}}}}}
    await rest("root", "POST", f"{P}/access", {"add": hide})
    assert await rest.get(f"{ours}/", "ann") == []
    await rest.get(f"{ours}/team:main", "ann", status=404)
