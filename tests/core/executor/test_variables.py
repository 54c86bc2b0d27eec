# SPDX-License-Identifier: Apache-2.0
"""What jobs are told, and which tree a playbook is taken from."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from gatebot.assignment import Checkout, IncludeVars, ProvidedArtifact, RequiredProject, Role, SecretRef
from gatebot.executor.commands import Surroundings, command_for, without
from gatebot.executor.lineage import fallbacks
from gatebot.executor.model import DEFAULT_LABELS, Phase, Places, Step
from gatebot.executor.paths import named_roles, names_of_role, path_of, role_paths
from gatebot.executor.variables import environment, zuul
from gatebot.executor.workspace_order import Include, Order, files, order
from gatebot.words import say
from tests.fakes.executor import PROJECT, assignment, job, script

PLACES = Places("/home/job", "/opt/gatebot", "git.example.org")
COMMIT = "a" * 40
SMALL = DEFAULT_LABELS["small"]
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


def test_plain_variables_and_what_jobs_before_it_returned_are_in_the_environment_of_scripts() -> None:
    returned = {"level": 1, "address": "10.0.0.1", "odd": "a\0b", "long": "x" * 100_000}
    found = environment(assignment(COMMIT, job(vars={"level": 3, "list": [1]}), inherited=returned), PLACES)
    told = {name: value for name, value in found.items() if name.startswith("GATEBOT_VAR_")}
    assert told == {"GATEBOT_VAR_LEVEL": "3", "GATEBOT_VAR_ADDRESS": "10.0.0.1"}, "its own variables win"
    assert found["ZUUL_CHANGE"] == "7"


def test_an_untrusted_script_runs_in_the_work_tree() -> None:
    assert path_of(assignment(COMMIT, job()), script(), PLACES) == "/home/job/src/git.example.org/demo/api/run.sh"


def test_a_trusted_playbook_never_comes_from_a_tree_that_the_job_can_write() -> None:
    book = script("post.yaml", trusted=True)
    given = assignment(COMMIT, job(book))
    assert path_of(given, book, PLACES) == "/opt/gatebot/main/git.example.org/demo/api/post.yaml"
    made = order(given, PLACES, "/layer", lambda store: f"/git/{store}")
    assert [tree.target for tree in made.trees] == [
        "home/job/src/git.example.org/demo/api",
        "opt/gatebot/main/git.example.org/demo/api",
    ]


def test_a_playbook_whose_repository_is_not_there_has_no_path() -> None:
    assert path_of(assignment(COMMIT, job()), script(project="other"), PLACES) is None


def test_a_repository_without_the_branch_or_tag_that_the_job_asks_for_is_named() -> None:
    def lib(branch: str) -> Checkout:
        return Checkout("demo/lib", branch, "d" * 40, "demo/lib")

    def said(branch: str, asked: str) -> list[str]:
        asks = job(required_projects=(RequiredProject("demo/lib", asked),))
        given = assignment(COMMIT, asks)
        return [say(one) for one in fallbacks(replace(given, checkouts=(*given.checkouts, lib(branch))))]

    assert said("main", "stabel/1") == [
        "demo/lib is at main: it has no branch or tag stabel/1, which override-checkout names."
    ]
    assert said("refs/tags/v1", "v1") == said("stable/1", "stable/1") == said("main", "") == []


def test_roles_are_found_in_the_repositories_that_the_job_names() -> None:
    given = assignment(COMMIT, job(roles=(Role("config"),)), checkouts=(*assignment(COMMIT, job()).checkouts, CONFIG))
    assert role_paths(given, script("run.yaml"), PLACES) == (
        "/home/job/src/git.example.org/demo/api/roles",
        "/opt/gatebot/main/git.example.org/config/roles",
    )


def test_a_playbook_that_can_be_trusted_takes_no_roles_that_who_inherits_its_job_brings() -> None:
    lib = Checkout("lib", "main", "1" * 40, "lib")
    proposed = Checkout("shared", "main", "2" * 40, "speculation/main/check")
    merged = replace(proposed, commit="3" * 40, store="shared", required=False)
    base = script("post.yaml", project="config", trusted=True)
    own = replace(script("run.yaml"), nesting=1)
    roles = (Role("theirs", nesting=1), Role("lib"), Role("shared"))
    theirs = Checkout("theirs", "main", "4" * 40, "theirs", required=False)
    found = (*assignment(COMMIT, job()).checkouts, CONFIG, lib, proposed, merged, theirs)
    given = assignment(COMMIT, replace(job(roles=roles, post_run=(base,)), run=(own,)), checkouts=found)
    play, src = "/opt/gatebot/main/git.example.org", "/home/job/src/git.example.org"
    assert role_paths(given, base, PLACES) == (f"{play}/config/roles", f"{play}/lib/roles", f"{play}/shared/roles")
    assert role_paths(given, own, PLACES) == (
        f"{src}/demo/api/roles",
        f"{play}/theirs/roles",
        f"{play}/lib/roles",
        f"{src}/shared/roles",
    )
    kept = replace(script("deploy.yaml"), secrets=(SecretRef("key", "key", PROJECT),))
    assert f"{play}/theirs/roles" not in role_paths(given, kept, PLACES)
    trees = order(given, PLACES, "/layer", lambda store: f"/git/{store}").trees
    assert [tree.commit for tree in trees if tree.target == f"{play}/shared".removeprefix("/")] == [merged.commit]
    only_proposed = replace(given, checkouts=tuple(one for one in found if one is not merged))
    assert f"{play}/shared/roles" not in role_paths(only_proposed, base, PLACES)


def test_a_repository_that_is_itself_a_role_is_found_by_its_name_with_and_without_what_stands_before_it() -> None:
    greet = Checkout("demo/ansible-role-greet", "main", "d" * 40, "demo/ansible-role-greet", required=False)
    given = assignment(
        COMMIT, job(roles=(Role(greet.project),)), checkouts=(*assignment(COMMIT, job()).checkouts, greet)
    )
    found = named_roles(given, script("run.yaml"), PLACES)
    assert found == ("/opt/gatebot/role/src/demo%2Fapi", "/opt/gatebot/role/main/demo%2Fansible-role-greet")
    trees = order(given, PLACES, "/layer", lambda store: f"/git/{store}").trees
    assert [f"/{tree.role}" for tree in trees] == list(found)
    assert names_of_role(greet.project) == ("ansible-role-greet", "greet")
    assert names_of_role("demo/ansible") == ("ansible",)


def test_an_order_survives_its_way_to_the_child() -> None:
    made = order(assignment(COMMIT, job()), PLACES, "/layer", lambda store: f"/git/{store}")
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
    assert command.apart
    assert {path: json.loads(text) for path, text in command.files.items()} == {
        "/run/gatebot/secrets.json": {"login": {"token": "s3cret"}}
    }
    assert "s3cret" not in f"{command.argv} {command.env}"
    assert command.argv[1:3] == ("-i", "/opt/gatebot/inventory-plain.json")
    told = json.loads(command.argv[command.argv.index("@/run/gatebot/secrets.json") + 2])
    assert (told["zuul_success"], told["zuul_will_retry"], told["zuul_execution_phase"]) == (False, False, "post")
    assert command.env["PIP_NO_INDEX"] == "1"
    assert "HTTPS_PROXY" not in command.env


def test_a_step_without_secrets_runs_with_all_that_others_left_on_the_node() -> None:
    given = assignment(COMMIT, job(), secrets={"upload": {"token": "s3cret"}})
    step = Step(Phase.RUN, 0, script("run.yaml"))
    around = Surroundings("x", ("ap",))
    command = command_for(given, step, "/p/run.yaml", PLACES, DEFAULT_LABELS["small"], around, success=True)
    assert not command.apart
    assert "s3cret" not in f"{command.argv} {command.env} {command.files}"
    assert command.argv[1:3] == ("-i", "/opt/gatebot/inventory.json")


def test_a_playbook_knows_which_nodes_an_earlier_one_did_not_reach_and_a_script_is_as_it_was() -> None:
    around = Surroundings("x", ("ap",), "/ours")
    commands = [
        command_for(assignment(COMMIT, job()), Step(Phase.POST, 0, script()), path, PLACES, SMALL, around, success=True)
        for path in ("/p/post.yaml", "/p/post.sh")
    ]
    assert [without(one, (), around) for one in commands] == commands
    play, program = (without(one, {"two"}, around) for one in commands)
    assert play.argv[-3:] == ("-i", "/ours/bin/unreachable", "/p/post.yaml")
    assert play.env["GATEBOT_UNREACHABLE"] == '["two"]'
    assert program == commands[1]


def test_what_jobs_before_it_returned_as_secret_is_for_every_step() -> None:
    given = assignment(COMMIT, job(), secret_data={"key": "s3cret"})
    step = Step(Phase.RUN, 0, script())
    command = command_for(given, step, "/p/run.sh", PLACES, DEFAULT_LABELS["small"], Surroundings("x"), success=True)
    assert json.loads(command.env["GATEBOT_SECRETS"]) == {"key": "s3cret"}
    assert command.apart


def test_files_of_variables_are_read_from_the_tree_that_the_job_sees_or_apart_from_it() -> None:
    frozen = job(include_vars=(IncludeVars("a.yaml"), IncludeVars("b.json", "config", "main", True, required=False)))
    given = assignment(COMMIT, frozen, checkouts=(*assignment(COMMIT, job()).checkouts, CONFIG))
    made = order(given, PLACES, "/layer", lambda store: f"/git/{store}")
    assert made.includes == (
        Include("home/job/src/git.example.org/demo/api/a.yaml", "demo/api a.yaml"),
        Include("opt/gatebot/main/git.example.org/config/b.json", "config b.json", required=False),
    )
    assert Order.from_bytes(made.to_bytes()) == made


def test_a_job_is_told_by_files_and_only_one_with_secrets_has_the_second_spelling() -> None:
    plain = files(assignment(COMMIT, job()), PLACES, PLACES, ())
    assert set(plain) == {f"opt/gatebot/{name}.json" for name in ("variables", "inventory", "extra-live")}
    book = replace(script("run.yaml"), secrets=(SecretRef("login", "upload", PROJECT),))
    hostile = job(book, vars={"note": "{{ login.token }}"}, extra_vars={"more": "{{ login }}"})
    given = assignment(COMMIT, hostile, secrets={"upload": {"token": "s3cret"}})
    told = files(given, PLACES, PLACES, ())
    assert json.loads(told["opt/gatebot/inventory.json"])["all"]["vars"]["note"] == "{{ login.token }}"
    marked = {"__ansible_unsafe": "{{ login.token }}"}
    assert json.loads(told["opt/gatebot/inventory-plain.json"])["all"]["vars"]["note"] == marked
    assert json.loads(told["opt/gatebot/extra-plain.json"])["more"] == {"__ansible_unsafe": "{{ login }}"}
    assert json.loads(told["opt/gatebot/extra-live.json"])["unsafe_vars"]["note"] == marked
    assert "s3cret" not in "".join(told.values())


def test_schemes_of_workspaces_are_zuuls() -> None:
    places = {scheme: replace(PLACES, scheme=scheme) for scheme in ("golang", "flat", "unique")}
    assert {name: one.source("openstack/nova") for name, one in places.items()} == {
        "golang": "/home/job/src/git.example.org/openstack/nova",
        "flat": "/home/job/src/nova",
        "unique": "/home/job/src/git.example.org/openstack/openstack%2Fnova",
    }
    given = assignment(COMMIT, job())
    assert zuul(given, places["flat"])["project"]["src_dir"] == "src/api"  # type: ignore[index,call-overload]


def test_a_tag_and_the_changes_of_a_cycle_are_described_in_zuuls_words() -> None:
    there = (Checkout("demo/api", "refs/tags/1.0", COMMIT, "demo/api"),)
    tag = zuul(assignment(COMMIT, job(), changes=(), branch="refs/tags/1.0", checkouts=there), PLACES)
    assert (tag["ref"], tag["tag"], tag["newrev"]) == ("refs/tags/1.0", "1.0", COMMIT)
    assert "branch" not in tag
    where = (tag["projects"]["git.example.org/demo/api"][name] for name in ("checkout", "checkout_description"))  # type: ignore[index,call-overload]
    assert tuple(where) == ("1.0", "tag ref")
    moved = assignment(COMMIT, job(), changes=(), branch="refs/tags/1.0", old_commit="0" * 40, new_commit="a" * 40)
    assert {name: zuul(moved, PLACES).get(name) for name in ("oldrev", "newrev", "commit_id")} == {
        "oldrev": None,
        "newrev": "a" * 40,
        "commit_id": "a" * 40,
    }
    gone = zuul(assignment("", job(), changes=(), branch="old", old_commit="b" * 40, new_commit="0" * 40), PLACES)
    assert (gone["oldrev"], gone["commit_id"], "newrev" in gone) == ("b" * 40, "b" * 40, False)
    one = assignment(COMMIT, job()).changes[0]
    other = replace(one, number=8, project="demo/client")
    found = zuul(assignment(COMMIT, job(), changes=(one, other), members=(7, 8), subject=7), PLACES)
    assert found["change"] == "7"
    assert [ref["change"] for ref in found["buildset_refs"]] == ["7", "8"]  # type: ignore[index,call-overload,union-attr]
    assert [ref["change"] for ref in found["build_refs"]] == ["7"]  # type: ignore[index,call-overload,union-attr]


def test_artifacts_of_changes_ahead_and_the_jobs_behind_are_told() -> None:
    image = ProvidedArtifact("image", "http://x/", "demo/client", "build", 5, 1, "main", {"type": "container_image"})
    found = zuul(assignment(COMMIT, job(tags=("b", "a")), provided=(image,), child_jobs=("deploy",)), PLACES)
    assert found["artifacts"] == [
        {
            **{"name": "image", "url": "http://x/", "project": "demo/client", "job": "build", "branch": "main"},
            **{"change": "5", "patchset": "1", "metadata": {"type": "container_image"}},
        }
    ]
    assert (found["child_jobs"], found["jobtags"]) == (["deploy"], ["a", "b"])


def test_a_repository_that_is_needed_on_two_branches_is_one_tree_with_both() -> None:
    both = (Checkout(PROJECT, "stable", "5" * 40, PROJECT), Checkout(PROJECT, "main", COMMIT, "speculation/q"))
    given = assignment(COMMIT, job(), checkouts=both)
    (tree,) = order(given, PLACES, "/layer", lambda store: f"/git/{store}").trees
    assert (tree.branch, tree.commit, tree.others, tree.source) == (
        *("stable", "5" * 40, {"main": COMMIT}),
        "/git/speculation/q",
    )
    projects = zuul(given, PLACES)["projects"]
    assert projects["git.example.org/demo/api"]["checkout"] == "stable"  # type: ignore[index,call-overload]


def test_a_job_is_told_where_its_playbooks_and_their_roles_are() -> None:
    book = script("post.yaml", trusted=True)
    found = zuul(assignment(COMMIT, job(script("run.yaml"), post_run=(book,))), PLACES)["playbook_context"]
    tree = "/opt/gatebot/main/git.example.org/demo/api"
    assert found == {
        "playbook_projects": {
            tree: {"canonical_name": "git.example.org/demo/api", "checkout": "main", "commit": COMMIT}
        },
        "pre_playbooks": [],
        "playbooks": [{"path": f"{tree}/run.yaml", "roles": [{"role_path": f"{tree}/roles"}]}],
        "post_playbooks": [{"path": f"{tree}/post.yaml", "roles": [{"role_path": f"{tree}/roles"}]}],
    }
