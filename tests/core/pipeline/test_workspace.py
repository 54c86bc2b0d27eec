# SPDX-License-Identifier: Apache-2.0
"""Which repositories a job is given, on which branches, at which commits."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gatebot.assignment import Checkout, FrozenJob, IncludeVars, Playbook, ProjectChoice, RequiredProject, Role
from gatebot.pipeline.workspace import Wanted, checkouts, includes, wanted

BRANCHES = {"api": ("main", "stable"), "client": ("main",), "config": ("main",), "roles": ("main", "stable")}


def choose(project: str, names: Iterable[str]) -> str | None:
    if project not in BRANCHES:
        return None
    return next((name for name in names if name in BRANCHES[project]), BRANCHES[project][0])


def job(**more: object) -> FrozenJob:
    return FrozenJob("unit", "hash", **more)  # type: ignore[arg-type]


def names(found: Iterable[Wanted]) -> list[tuple[str, str]]:
    return [(one.project, one.branch) for one in found]


def test_a_branch_that_a_required_project_has_not_is_its_default_and_an_override_comes_first() -> None:
    frozen = job(required_projects=(RequiredProject("client"), RequiredProject("roles", "stable")))
    assert names(wanted(frozen, "api", "stable", choose)) == [
        ("api", "stable"),
        ("client", "main"),
        ("roles", "stable"),
    ]
    assert names(wanted(frozen, "api", "main", choose)) == [("api", "main"), ("client", "main"), ("roles", "stable")]


def test_an_override_of_the_items_own_project_is_checked_out_and_the_change_is_there_too() -> None:
    frozen = job(required_projects=(RequiredProject("api", "stable"),))
    assert names(wanted(frozen, "api", "main", choose)) == [("api", "stable"), ("api", "main")]
    assert names(wanted(job(override_checkout="stable"), "api", "main", choose)) == [("api", "stable"), ("api", "main")]


def test_an_override_may_name_a_tag_and_a_branch_of_that_name_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tagged = ("refs/tags/v1", "refs/tags/stable")
    monkeypatch.setitem(BRANCHES, "roles", (*BRANCHES["roles"], *tagged))
    monkeypatch.setitem(BRANCHES, "api", (*BRANCHES["api"], *tagged))
    assert names(wanted(job(required_projects=(RequiredProject("roles", "v1"),)), "api", "main", choose)) == [
        ("api", "main"),
        ("roles", "refs/tags/v1"),
    ]
    assert names(wanted(job(override_checkout="v1"), "api", "main", choose)) == [
        ("api", "refs/tags/v1"),
        ("api", "main"),
    ]
    for spelled in ("stable", "nosuch"):
        frozen = job(required_projects=(RequiredProject("roles", spelled),))
        assert names(wanted(frozen, "api", "main", choose))[1] == ("roles", "stable" if spelled == "stable" else "main")
    full = job(required_projects=(RequiredProject("roles", "refs/tags/v1"),))
    assert names(wanted(full, "api", "main", choose))[1] == ("roles", "refs/tags/v1")


@pytest.mark.zuul(94)
def test_every_commit_that_a_job_reads_is_one_that_was_fixed_for_its_buildset() -> None:
    frozen = job(
        required_projects=(RequiredProject("client"),),
        run=(Playbook("config", "main", "run.yaml", trusted=True),),
        include_vars=(IncludeVars("vars.yaml", "roles"),),
    )
    pinned = {"client:main": "c1", "config:main": "g1", "roles:main": "r1"}
    found = checkouts(wanted(frozen, "api", "main", choose), {"api:main": "a2"}, pinned, (), "speculation/q")
    assert found == (
        Checkout("api", "main", "a2", "speculation/q"),
        Checkout("client", "main", "c1", "client"),
        Checkout("config", "main", "g1", "config", required=False),
        Checkout("roles", "main", "r1", "roles", required=False),
    )


def test_roles_that_a_playbook_of_a_config_project_uses_are_there_as_they_are_merged() -> None:
    base = Playbook("config", "main", "post.yaml", trusted=True)
    frozen = job(post_run=(base,), roles=(Role("roles"), Role("client", nesting=1)))
    state, pinned = (
        {"api:main": "a2", "roles:main": "r2", "client:main": "c2"},
        {"config:main": "g1", "roles:main": "r1"},
    )
    ahead = [("roles", "main")]
    found = checkouts(wanted(frozen, "api", "main", choose), state, pinned, ahead, "speculation/q")
    assert [(one.project, one.commit, one.required) for one in found] == [
        ("api", "a2", True),
        ("config", "g1", False),
        ("roles", "r1", False),
        ("client", "c2", False),
        ("roles", "r2", True),
    ]


def test_projects_are_included_and_excluded_by_name_by_change_and_by_item() -> None:
    members = {"api", "client"}
    assert includes(job(), "other", "api", members)
    only = job(include_projects=(ProjectChoice("change"), ProjectChoice("name", "other")))
    assert [includes(only, name, "api", members) for name in ("api", "client", "other")] == [True, False, True]
    without = job(exclude_projects=(ProjectChoice("item"),))
    assert [includes(without, name, "api", members) for name in ("api", "client", "other")] == [False, False, True]


def test_a_project_that_is_excluded_is_still_there_when_the_job_requires_it() -> None:
    without = (ProjectChoice("change"),)
    assert names(wanted(job(exclude_projects=without), "api", "main", choose)) == []
    required = job(exclude_projects=without, required_projects=(RequiredProject("api"),))
    assert names(wanted(required, "api", "main", choose)) == [("api", "main")]


def test_a_file_of_variables_of_a_tag_is_read_there_or_on_the_default_branch() -> None:
    there, elsewhere = job(include_vars=(IncludeVars("v"),)), job(include_vars=(IncludeVars("v", use_ref=False),))
    BRANCHES["api"] += ("refs/tags/1",)
    assert names(wanted(there, "api", "refs/tags/1", choose))[-1] == ("api", "refs/tags/1")
    assert names(wanted(elsewhere, "api", "refs/tags/1", choose))[-1] == ("api", "main")
