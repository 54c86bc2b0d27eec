# SPDX-License-Identifier: Apache-2.0
"""Everything that Zuul documents of what a job is told, name by name: it is there, or docs/jobs.md says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatebot.assignment import Assignment, Checkout, NodeSpec, ProvidedArtifact, RequiredProject
from gatebot.executor.commands import Surroundings, command_for
from gatebot.executor.inventory import Way, inventory, told
from gatebot.executor.model import DEFAULT_LABELS, Phase, Places, Step
from tests.fakes.executor import PROJECT, assignment, job, script

PLACES = Places("/home/job", "/opt/gatebot", "git.example.org")
COMMIT = "a" * 40
_PROJECT = "project.name project.short_name project.canonical_hostname project.canonical_name project.src_dir"
_CHANGE = f"branch change change_message change_url patchset {_PROJECT} commit_id topic"
_BRANCH = f"branch change_url {_PROJECT} oldrev newrev commit_id"
_TAG = f"tag change_url {_PROJECT} newrev commit_id"
_CHECKOUT = "name short_name canonical_hostname canonical_name src_dir required checkout checkout_description commit"
_JOB = (
    "artifacts build buildset child_jobs override_checkout pipeline post_review job event_id voting attempts "
    "max_attempts ansible_version tenant pre_timeout timeout post_timeout jobtags workspace_checkout deduplicate "
    "image_build_name resources playbook_context.playbook_projects playbook_context.pre_playbooks "
    "playbook_context.playbooks playbook_context.post_playbooks executor.hostname executor.src_root "
    "executor.log_root executor.work_root executor.inventory_file ref"
)
_NODE = (
    "label az cloud provider region host_id external_id slot interface_ip public_ipv4 private_ipv4 public_ipv6 "
    "private_ipv6 node_properties"
)
NODES = (NodeSpec(("one",), "small"), NodeSpec(("two",), "small"))
ARTIFACT = ProvidedArtifact("image", "http://x/", PROJECT, "build", 5, 1, "main", {"type": "container_image"})
CYCLE: dict[str, Any] = {"members": (7, 8), "subject": 7}


def about(**more: Any) -> Assignment:
    frozen = job(override_checkout="stable", required_projects=(RequiredProject(PROJECT),), nodes=NODES)
    checkouts = (Checkout(PROJECT, "stable", COMMIT, PROJECT),)
    return assignment(COMMIT, frozen, provided=(ARTIFACT,), checkouts=checkouts, **more)


def of_a_cycle() -> Assignment:
    given = about(**CYCLE, landed=True)
    return replace(given, changes=(*given.changes, replace(given.changes[0], number=8)))


def without(table: Any, names: str) -> list[str]:
    """The names that a table does not have; a list is looked at in all its entries."""
    missing: list[str] = []
    for name in names.split():
        found = table
        for part in name.split("."):
            if not isinstance(found, Mapping) or part not in found:
                missing.append(name)
                break
            found = found[part]
    return missing


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (about(), f"{_CHANGE} message"),
        (about(changes=(), old_commit="b" * 40), _BRANCH),
        (about(changes=(), branch="refs/tags/1.0"), _TAG),
    ],
    ids=("change", "branch", "tag"),
)
def test_all_that_zuul_documents_of_an_item_is_told_at_each_of_its_places(given: Assignment, names: str) -> None:
    found: Any = told(given, PLACES, "small")["zuul"]
    assert without(found, f"{names} {_JOB}") == []
    for place in ("items", "build_refs", "buildset_refs"):
        assert found[place]
        assert [without(one, names.replace(" message", "")) for one in found[place]] == [[]] * len(found[place])


def test_projects_artifacts_and_playbooks_have_all_that_zuul_documents() -> None:
    found: Any = told(about(), PLACES, "small")["zuul"]
    assert [without(one, _CHECKOUT) for one in found["projects"].values()] == [[]]
    assert found["projects"]["git.example.org/demo/api"]["checkout_description"] == "job override ref"
    assert without(found["artifacts"][0], "project change patchset job name url metadata") == []
    assert found["override_checkout"] == "stable"
    assert "override_checkout" not in told(assignment(COMMIT, job()), PLACES, "small")["zuul"]  # type: ignore[operator]


def test_changes_of_a_cycle_say_so_and_after_their_merge_what_they_became() -> None:
    given = of_a_cycle()
    found: Any = told(given, PLACES, "small")["zuul"]
    assert [one["bundle_id"] for one in found["items"]] == [given.item, given.item]
    assert [one["merge_commit_id"] for one in found["buildset_refs"]] == [COMMIT, COMMIT]
    assert "merge_commit_id" not in told(about(), PLACES, "small")["zuul"]["buildset_refs"][0]  # type: ignore[index,call-overload,operator]


@pytest.mark.parametrize("ways", [(), (Way("", "boards", "n"), Way("", "boards", "n-1"))], ids=("inside", "outside"))
def test_all_that_zuul_documents_of_nodes_is_told(ways: tuple[Way, ...]) -> None:
    hosts: Any = inventory(about(), {}, "python3", ways=ways)["all"]
    assert sorted(hosts["hosts"]) == ["one", "two"]
    for host in hosts["hosts"].values():
        assert without(host, "ansible_host ansible_user ansible_connection ansible_python_interpreter") == []
        assert without(host["nodepool"], _NODE) == without(host["zuul_node"], f"{_NODE} uuid reuse") == []


def test_a_playbook_is_told_how_the_build_goes() -> None:
    step = Step(Phase.POST, 0, script("post.yaml"))
    around = Surroundings("x", ("ap",))
    command = command_for(about(), step, "/p/post.yaml", PLACES, DEFAULT_LABELS["small"], around, success=True)
    assert all(f'"{name}":' in " ".join(command.argv) for name in ("zuul_success", "zuul_will_retry"))
    assert told(about(), PLACES, "small")["zuul_user_dir"] == PLACES.home


def test_what_is_told_without_a_meaning_here_is_named_in_the_guide() -> None:
    text = Path("docs/jobs.md").read_text("utf-8")
    assert [name for name in ("zuul.resources", "change_url", "playbook_context") if f"`{name}`" not in text] == []
