# SPDX-License-Identifier: Apache-2.0
"""What jobs are told, and which tree a playbook is taken from."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from gatebot.assignment import Checkout, NodeGroup, NodeSpec, RequiredProject, Role, SecretRef
from gatebot.executor.commands import Surroundings, command_for
from gatebot.executor.model import DEFAULT_LABELS, Phase, Places, Step
from gatebot.executor.variables import environment, inventory, path_of, role_paths, variables, zuul
from gatebot.executor.workspace_order import Order, order
from tests.fakes.executor import PROJECT, assignment, job, script

PLACES = Places("/home/job", "/opt/gatebot", "git.example.org")
COMMIT = "a" * 40
CONFIG = Checkout("config", "main", "c" * 40, "config", required=False)


def test_a_change_is_described_in_zuuls_words() -> None:
    found = zuul(assignment(COMMIT, job(required_projects=(RequiredProject(PROJECT),))), PLACES)
    assert found["change"] == "7"
    assert found["patchset"] == "2"
    assert found["ref"] == "refs/changes/07/7/2"
    assert found["project"] == {
        "name": "demo/api",
        "short_name": "api",
        "canonical_hostname": "git.example.org",
        "canonical_name": "git.example.org/demo/api",
        "src_dir": "src/git.example.org/demo/api",
    }
    projects = found["projects"]
    assert isinstance(projects, dict)
    assert projects["git.example.org/demo/api"]["commit"] == COMMIT  # type: ignore[index]
    assert projects["git.example.org/demo/api"]["required"] is True  # type: ignore[index]
    items = found["items"]
    assert isinstance(items, list)
    assert len(items) == 1


def test_the_message_is_in_base64_as_zuul_has_it() -> None:
    given = assignment(COMMIT, job())
    assert zuul(given, PLACES)["message"] == base64.b64encode(given.changes[0].message.encode()).decode()


def test_a_branch_that_is_no_change_has_its_revisions() -> None:
    found = zuul(assignment(COMMIT, job(), changes=(), old_commit="b" * 40), PLACES)
    assert found["ref"] == "refs/heads/main"
    assert (found["oldrev"], found["newrev"]) == ("b" * 40, COMMIT)
    assert "change" not in found


def test_a_job_cannot_forge_what_it_is_told_about_itself() -> None:
    found = variables(
        assignment(COMMIT, job(vars={"zuul": "mine", "own": 1}), inherited={"own": 0, "up": 2}), PLACES, "x"
    )
    assert found["own"] == 1
    assert found["up"] == 2
    assert isinstance(found["zuul"], dict)


def test_plain_job_variables_are_in_the_environment_of_scripts() -> None:
    found = environment(assignment(COMMIT, job(vars={"level": 3, "list": [1]})), PLACES)
    assert found["GATEBOT_VAR_LEVEL"] == "3"
    assert "GATEBOT_VAR_LIST" not in found
    assert found["ZUUL_CHANGE"] == "7"


def test_the_inventory_has_the_nodeset_under_its_names_and_groups() -> None:
    frozen = replace(job(), nodes=(NodeSpec(("one", "two"), "small"),), groups=(NodeGroup("db", ("one",)),))
    given = assignment(COMMIT, frozen)
    found = inventory(given, {"a": 1}, "/usr/bin/python3")["all"]
    assert isinstance(found, dict)
    assert sorted(found["hosts"]) == ["one", "two"]  # type: ignore[arg-type]
    assert found["children"] == {"db": {"hosts": {"one": {}}}}
    assert found["vars"] == {"a": 1}


def test_an_untrusted_script_runs_in_the_work_tree() -> None:
    assert path_of(assignment(COMMIT, job()), script(), PLACES) == "/home/job/src/git.example.org/demo/api/run.sh"


def test_a_trusted_playbook_never_comes_from_a_tree_that_the_job_can_write() -> None:
    book = script("post.yaml", trusted=True)
    given = assignment(COMMIT, job(book))
    assert path_of(given, book, PLACES) == "/opt/gatebot/main/git.example.org/demo/api/post.yaml"
    made = order(given, PLACES, PLACES, "/layer", lambda store: f"/git/{store}")
    assert [tree.target for tree in made.trees] == [
        "home/job/src/git.example.org/demo/api",
        "opt/gatebot/main/git.example.org/demo/api",
    ]


def test_a_playbook_whose_repository_is_not_there_has_no_path() -> None:
    assert path_of(assignment(COMMIT, job()), script(project="other"), PLACES) is None


def test_roles_are_found_in_the_repositories_that_the_job_names() -> None:
    given = assignment(COMMIT, job(roles=(Role("config"),)), checkouts=(*assignment(COMMIT, job()).checkouts, CONFIG))
    assert role_paths(given, script("run.yaml"), PLACES) == (
        "/home/job/src/git.example.org/demo/api/roles",
        "/opt/gatebot/main/git.example.org/config/roles",
    )


def test_an_order_survives_its_way_to_the_child() -> None:
    made = order(assignment(COMMIT, job()), PLACES, PLACES, "/layer", lambda store: f"/git/{store}")
    assert Order.from_bytes(made.to_bytes()) == made


def test_a_script_runs_as_itself_in_the_projects_work_tree() -> None:
    given = assignment(COMMIT, job())
    step = Step(Phase.RUN, 0, script())
    command = command_for(given, step, "/p/run.sh", PLACES, DEFAULT_LABELS["small"], Surroundings("x"), success=True)
    assert command.argv == ("/p/run.sh",)
    assert command.cwd == "/home/job/src/git.example.org/demo/api"
    assert command.env["HTTPS_PROXY"] == "http://127.0.0.1:3128"
    assert "GATEBOT_SECRETS" not in command.env


def test_secrets_reach_only_the_playbooks_that_list_them_and_never_a_command_line() -> None:
    given = assignment(COMMIT, job(), secrets={"upload": {"token": "s3cret"}, "other": {"token": "hidden"}})
    book = replace(script("post.yaml"), secrets=(SecretRef("login", "upload", PROJECT), SecretRef("gone", "gone")))
    step = Step(Phase.POST, 0, book)
    label = DEFAULT_LABELS["offline"]
    command = command_for(given, step, "/p/post.yaml", PLACES, label, Surroundings("x", ("ap",)), success=False)
    assert json.loads(command.env["GATEBOT_SECRETS"]) == {"login": {"token": "s3cret"}}
    assert "s3cret" not in " ".join(command.argv)
    assert "GATEBOT_SECRETS" in command.argv[-1]
    assert json.loads(command.argv[-1])["zuul_success"] is False
    assert command.env["PIP_NO_INDEX"] == "1"
    assert "HTTPS_PROXY" not in command.env
