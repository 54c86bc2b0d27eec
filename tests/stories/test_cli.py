# SPDX-License-Identifier: Apache-2.0
"""The command line against a running site: what each command prints."""

from __future__ import annotations

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatebot.cli import main
from gatebot.cli.output import Client
from gatebot.keys import boxes
from tests.fakes.doors import Visitor
from tests.fakes.git import WorkTree
from tests.fakes.irc import free_port
from tests.fakes.site import Builds, RunningSite, Template, begin, eventually


def run(site: RunningSite, who: str, *words: str) -> Result:
    """`gatebot WORDS` as a person types it; how it ended.

    Conversations with nodes have an event loop: they are held where no browser of other tests keeps one running.
    """
    env = {"GATEBOT_URL": site.url, "GATEBOT_USER": who, "GATEBOT_TOKEN": site.tokens[who]}
    invoke = partial(CliRunner().invoke, main, list(words), env=env, prog_name="gatebot", catch_exceptions=False)
    if words[:2] != ("node", "ssh"):
        return invoke()
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(invoke).result()


def told(site: RunningSite, who: str, *words: str) -> str:
    """What a command that works prints."""
    done = run(site, who, *words)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_changes_are_listed_shown_and_voted_on(site: RunningSite) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    ann.hears(change, "Build succeeded.")
    assert told(site, "ann", "change", "list") == f"{change}\tNEW\tapi\tmain\tAdd a\n"
    assert told(site, "ann", "change", "list", "status:merged") == (
        "No changes. Push one with: git push origin HEAD:refs/for/main\n"
    )
    assert told(site, "bob", "change", "vote", str(change), "Code-Review=+2", "-m", "Good.") == (
        f"Said on change {change}: Code-Review +2\n"
    )
    assert told(site, "ann", "change", "show", f"{site.url}/c/api/+/{change}") == (
        f"{change}  Add a\n"
        "  api main  NEW  by ann\n"
        f"  {site.url}/c/api/+/{change}\n"
        "  Code-Review: bob +2\n"
        "  Verified: gatebot +1\n"
        "  State: The change is open.\n"
        "  Code-Review: Code-Review +2 by bob.\n"
        "  Workflow: It needs Workflow +1. Any member of Core can vote Workflow +1.\n"
        "  Verified: It needs Verified +2. The gate can vote Verified after testing it; "
        "it starts by itself when all other requirements are met.\n"
    )


def test_recheck_and_submit_say_what_comes_of_them(site: RunningSite, builds: Builds) -> None:
    ann = site.person("ann")
    change = str(ann.propose("api", "Add a", {"a.txt": "a\n"}))
    ann.hears(int(change), "Build succeeded.")
    assert told(site, "ann", "change", "recheck", change) == f"Said on change {change}: recheck\n"
    eventually(lambda: builds.assigned.count(("check", int(change), "unit")) == 2, "checked twice")
    refused = run(site, "bob", "change", "submit", change)
    assert (refused.exit_code, refused.stderr) == (
        1,
        "gatebot: The change cannot be submitted. Not ready to be merged. "
        "It needs Code-Review +2. It needs Workflow +1.\n",
    )
    site.person("bob").approve(int(change))
    assert (
        told(site, "bob", "change", "submit", change)
        == "enqueued in the gate at position 1; it merges when its jobs pass\n"
    )


def test_the_queue_and_why_say_what_a_change_waits_for(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    assert told(site, "ann", "queue", "show") == "All queues are empty. Nothing waits.\n"
    base = site.branch("api")
    one = ann.propose("api", "Add a", {"a.txt": "a\n"})
    two = ann.propose("api", "Add b", {"b.txt": "b\n"}, onto=base)
    bob.approve(one, two)
    builds.runs("gate", one)
    builds.finish("gate", two)
    wanted = (
        "gate  integrated\n"
        f"  {one},1 Add a: Its jobs are running.\n"
        "    unit: running\n"
        f"  {two},1 Add b: All jobs passed; it merges when what is ahead is decided.\n"
        "    unit: SUCCESS\n"
    )
    eventually(lambda: told(site, "ann", "queue", "show") == wanted, "shown as wanted")
    assert told(site, "ann", "why", str(two)) == (
        f"{two} Add b: NEW\n"
        "  State: The change is open.\n"
        "  Code-Review: Code-Review +2 by bob.\n"
        "  Workflow: Workflow +1 by bob.\n"
        "  Verified: It needs Verified +2. The gate can vote Verified after testing it; "
        "it starts by itself when all other requirements are met.\n"
        "  in gate: All jobs passed; it merges when what is ahead is decided.\n"
        "    unit: SUCCESS\n"
    )


def test_builds_are_listed_and_their_logs_printed(working_site: RunningSite) -> None:
    site = working_site
    ann = site.person("ann")
    change = ann.propose("api", "Speak", {"ci/unit": "#!/bin/sh\necho one\necho two\n"})
    assert told(site, "ann", "build", "list", "--project", "client") == "No builds yet.\n"
    ann.hears(change, "Build succeeded.")
    listed = told(site, "ann", "build", "list")
    build = listed.split("\t")[0]
    assert listed == f"{build}\tunit\tSUCCESS\tapi\t{change}\n"
    shown = told(site, "ann", "build", "show", build)
    facts = dict(line.split(": ", 1) for line in shown.splitlines())
    assert (facts["job"], facts["result"], facts["page"]) == ("unit", "SUCCESS", f"{site.url}/build/{build}")
    assert facts["of"] == f"change {change},1 of api main, check in tenant main"
    assert "(took " in facts["ended"]
    assert "{" not in shown
    log = told(site, "ann", "build", "log", build)
    assert [line.partition(" | ")[2] for line in log.splitlines()] == [
        "run: api ci/unit",
        "one",
        "two",
        "result: SUCCESS",
    ]
    assert told(site, "ann", "build", "log", "-f", build) == log
    more = "- job: {name: big, run: ci/unit, nodeset: {nodes: [{name: node, label: huge}]}}\n"
    own = (site.file("api", ".zuul.yaml") or "").replace("check: {jobs: [unit]}", "check: {jobs: [big]}")
    ann.hears(ann.propose("api", "Ask for much", {".zuul.yaml": own + more}), "Build failed.")
    never = told(site, "ann", "build", "list").split("\t")[0]
    (site.places.builds / never / "job-output.txt").unlink()  # as where no executor took it
    refused = run(site, "ann", "build", "log", never)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("gatebot: There is no log of this build. No node has the label huge.")


def test_a_build_that_waits_for_its_node_is_nowhere_said_to_run(site: RunningSite, builds: Builds) -> None:
    builds.without_nodes()
    bob = site.person("bob")
    change = bob.propose("api", "Add a", {"a.txt": "a\n"})
    build = builds.runs("check", change).build
    assert told(site, "bob", "build", "list") == f"{build}\tunit\twaiting\tapi\t{change}\n"
    assert {"result: waiting", "why: It waits for its node."} <= set(
        told(site, "bob", "build", "show", build).splitlines()
    )
    assert "    unit: waiting. It waits for its node.\n" in told(site, "bob", "why", str(change))
    untold = run(site, "bob", "build", "log", build)
    assert (untold.exit_code, untold.stderr) == (1, "gatebot: The build has not begun. It waits for its node.\n")
    told(site, "bob", "build", "abort", build)
    followed = run(site, "bob", "build", "log", "-f", build)
    assert followed.stderr.endswith("gatebot: There is no log of this build. bob stopped it.\n")
    (ended,) = (line for line in told(site, "bob", "build", "show", build).splitlines() if line.startswith("ended: "))
    assert "took" not in ended


def test_builds_are_stopped_by_whoever_may_dequeue_their_change_and_say_who_did(
    site: RunningSite, builds: Builds
) -> None:
    builds.rule = lambda _: None
    bob = site.person("bob")
    change = bob.propose("api", "Add a", {"a.txt": "a\n"})
    checked = builds.runs("check", change)
    refused = run(site, "ann", "build", "abort", checked.build)
    assert "This needs the permission dequeue on refs/heads/main of api." in refused.stderr
    assert 'action="/build/' not in Visitor(site, "ann", site.tokens["ann"]).get(f"/build/{checked.build}").text
    assert (
        f'action="/build/{checked.build}/abort"'
        in Visitor(site, "bob", site.tokens["bob"]).get(f"/build/{checked.build}").text
    )
    assert told(site, "bob", "build", "abort", checked.build) == (
        f"The build {checked.build} is being stopped; it counts as canceled.\n"
    )
    builds.called_off(checked)
    shown = told(site, "ann", "build", "show", checked.build).splitlines()
    assert {"result: CANCELED", "why: bob stopped it."} <= set(shown)
    assert "bob stopped it." in Visitor(site).get(f"/build/{checked.build}").text
    assert "unit" in bob.hears(change, "CANCELED")
    assert "does not run: it ended" in run(site, "bob", "build", "abort", checked.build).stderr
    told(site, "bob", "change", "enqueue", str(change), "--pipeline", "check")
    again = builds.runs("check", change)
    told(site, "bob", "change", "dequeue", str(change), "--pipeline", "check")
    builds.called_off(again)
    assert "why: What it tests left the pipeline. bob took it out." in told(site, "ann", "build", "show", again.build)


def test_accounts_are_made_and_the_status_is_told_by_administrators(site: RunningSite) -> None:
    made = told(site, "admin", "user", "add", "eve", "--core", "--name", "Eve Example")
    found = re.fullmatch(r"Account eve made.\nPassword \(shown once\): (\S+)\n", made)
    assert found is not None
    assert told(site, "ann", "user", "list").endswith("\teve\tEve Example\teve@localhost\n")
    env = {"GATEBOT_URL": site.url, "GATEBOT_USER": "eve", "GATEBOT_TOKEN": found[1]}
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    done = CliRunner().invoke(main, ["change", "vote", str(change), "Code-Review=2"], env=env)
    assert done.exit_code == 0, done.stderr
    assert site.person("ann").votes(change, "Code-Review") == {"eve": 2}
    again = run(site, "admin", "user", "add", "eve")
    assert (again.exit_code, again.stderr) == (1, "gatebot: The username eve is taken.\n")
    assert told(site, "admin", "status", "alert", "Gerrit", "is", "down") == "Told: alert: Gerrit is down\n"
    assert told(site, "admin", "status", "ok") == "Told: ok\n"
    refused = run(site, "ann", "status", "log", "x")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "gatebot: This needs the capability tellStatus. An administrator can give it to a group of yours in "
        "All-Projects.\n",
    )
    listed = json.loads(told(site, "ann", "status", "list", "--kind", "alert", "--kind", "ok", "--json"))
    assert [(one["kind"], one["text"]) for one in listed] == [("ok", ""), ("alert", "Gerrit is down")]


def test_a_project_is_imported_with_its_full_history(site: RunningSite, tmp_path: Path) -> None:
    source = WorkTree.new(tmp_path / "source")
    for number in range(3):
        source.commit(f"Commit {number}", **{f"f{number}": "x\n"})
    source.git("tag", "v1")
    source.git("branch", "stable", "HEAD~1")
    url = f"{site.url}/tools"
    assert told(site, "admin", "project", "create", "tools", "--import", str(source.path)) == (
        f"Project tools made.\n  git clone {url}\n  {site.url}/project/tools\n"
    )
    assert site.branch("tools") == source.git("rev-parse", "main")
    assert site.branch("tools", "stable") == source.git("rev-parse", "stable")
    assert "refs/tags/v1" in source.git("ls-remote", url)
    again = run(site, "admin", "project", "create", "tools")
    assert (again.exit_code, again.stderr) == (
        1,
        f"gatebot: There is a project tools already: {site.url}/project/tools\n",
    )
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("tools", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    ann.sees_merged(change)


def test_mistakes_end_with_a_sentence_and_an_exit_code(site: RunningSite) -> None:
    missing = run(site, "ann", "change", "show", "99")
    assert (missing.exit_code, missing.stderr) == (1, "gatebot: There is no change 99, or you may not see it.\n")
    wrong = run(site, "ann", "change", "vote", "1", "nonsense")
    assert wrong.exit_code == 2
    assert wrong.stderr.endswith("Error: 'nonsense' is no vote: write LABEL=VALUE, for example Code-Review=+2.\n")
    nobody = CliRunner().invoke(main, ["--url", "http://127.0.0.1:9", "queue", "show"])
    assert nobody.exit_code == 3
    assert nobody.stderr == (
        "gatebot: http://127.0.0.1:9 does not answer ([Errno 111] Connection refused). "
        "Is it running? Start it with: gatebot serve\n"
    )


def test_json_is_what_the_server_said(site: RunningSite) -> None:
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    (found,) = json.loads(told(site, "ann", "--json", "change", "list"))
    assert (found["_number"], found["subject"], found["status"]) == (change, "Add a", "NEW")


@pytest.mark.parametrize(
    ("text", "code", "out"),
    [
        ("- job: {name: unit, run: ci/unit}\n", 0, "No errors.\n"),
        ("- job: {name: unit, rum: ci/unit}\n", 1,
         ".zuul.yaml:1: `rum` is not an attribute of `job`. Did you mean `run`?\n"
         "  > 1 | - job: {name: unit, rum: ci/unit}\n"),
        ("- job: {name: unit}\n- project: {check: {jobs: [unit]}}\n", 1,
         ".zuul.yaml:2: Job unit has nothing to run. Give it `run`.\n"
         "    1 | - job: {name: unit}\n"
         "  > 2 | - project: {check: {jobs: [unit]}}\n"),
    ],
)  # fmt: skip
def test_configuration_is_checked_without_a_server(tmp_path: Path, text: str, code: int, out: str) -> None:
    (tmp_path / ".zuul.yaml").write_text(text)
    done = CliRunner().invoke(main, ["config", "check", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (code, out)


def test_a_clone_of_the_sites_own_configuration_is_checked_as_a_config_project(tmp_path: Path) -> None:
    for name in ("gatebot-config", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".zuul.yaml").write_text("- pipeline: {name: arm, manager: independent}\n")
    done = CliRunner().invoke(main, ["config", "check", str(tmp_path / "gatebot-config")])
    assert (done.exit_code, done.stdout) == (0, "No errors.\n")
    done = CliRunner().invoke(main, ["config", "check", str(tmp_path / "other")])
    assert done.exit_code == 1
    assert done.stdout.startswith(".zuul.yaml:1: Pipeline arm cannot be defined here: only config projects define")
    assert done.stderr == "\n1 error.\nIf other is a config project: gatebot config check --trusted\n"


def test_a_backup_of_a_running_site_goes_on_where_the_site_was(template: Template, place: Path) -> None:
    builds = Builds()
    with begin(template, place, builds) as site:
        ann, bob = site.person("ann"), site.person("bob")
        merged = ann.propose("api", "Add a", {"a.txt": "a\n"})
        bob.approve(merged)
        builds.finish("gate", merged)
        ann.sees_merged(merged)
        running = ann.propose("api", "Add b", {"b.txt": "b\n"})
        bob.approve(running)
        builds.runs("gate", running)
        box = boxes.encrypt(site.do(site.app.gate.keys.public("api", boxes.KIND)), "api", b"Sesame")
        backed = CliRunner().invoke(main, ["backup", str(place / "backup"), "--site", str(site.directory)])
        assert backed.exit_code == 0, backed.stderr
        assert re.fullmatch(
            rf"Backed up to {place}/backup: \d+\.\d MB\.\nBring it back with: "
            rf"gatebot restore {place}/backup NEW-DIRECTORY\n",
            backed.stdout,
        )
    restored = CliRunner().invoke(main, ["restore", str(place / "backup"), str(place / "again")])
    assert restored.stdout == f"Restored to {place}/again. Start it: gatebot serve {place}/again\n"
    later = Builds()
    with RunningSite(place / "again", template.tokens, place / "later", later) as site:
        ann = site.person("ann")
        assert site.file("api", "a.txt") == "a\n"
        later.finish("gate", running)
        ann.sees_merged(running)
        assert later.assigned == [("gate", running, "unit")]
        opened = site.do(asyncio.to_thread(site.app.gate.keys.decrypt, "api", boxes.KIND, (box,)))
        assert opened == b"Sesame", "the site's key came along"
        assert site.places.key.stat().st_mode & 0o777 == 0o600


def test_a_forgotten_password_is_made_anew_and_json_may_be_asked_for_behind_the_verb(site: RunningSite) -> None:
    made = json.loads(told(site, "admin", "user", "password", "ann", "--json"))
    ann = Client(site.url, "ann", made["password"])
    assert (made["username"], ann.get("/accounts/self")["username"]) == ("ann", "ann")
    refused = run(site, "bob", "user", "password", "ann")
    assert refused.exit_code == 1
    assert "administrateServer" in refused.stderr


def test_errors_of_the_configuration_are_listed_accepted_for_a_time_and_not_any_more(site: RunningSite) -> None:
    admin = site.person("admin")
    work = admin.clone("api")
    lost = (site.file("api", ".zuul.yaml") or "").replace("gate: {jobs: [unit]}", "gate: {jobs: [unit, gone]}")
    work.commit("Lose a job", **{".zuul.yaml": lost})
    work.git("push", "origin", "HEAD:refs/heads/main")
    (error,) = eventually(lambda: json.loads(told(site, "ann", "--json", "config", "errors")))
    assert (error["short_error"], error["accepted"]) == ("There is no job gone. Define it, or correct the name.", None)
    accept = ["config", "accept", error["id"], "--owner", "ann", "--reason", "it comes back", "--until"]
    day = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    assert run(site, "ann", *accept, day).exit_code == 1
    assert run(site, "admin", *accept, "2001-01-01").exit_code == 1
    assert told(site, "admin", *accept, day) == f"Accepted until {day}; ann mends it.\n"
    listed = told(site, "ann", "config", "errors", "--project", "api").rstrip("\n").split("\t")
    assert listed[0] == error["id"]
    assert listed[-1] == f"ann, {day}: it comes back"
    assert told(site, "admin", "config", "unaccept", error["id"]) == f"Error {error['id']} stops changes again.\n"


def test_a_change_of_configuration_is_tried_before_it_is_merged(site: RunningSite) -> None:
    ann = site.person("ann")
    more = "- job: {name: twice, run: ci/unit}\n- project: {check: {jobs: [twice]}}\n"
    change = ann.propose("api", "Test twice", {".zuul.yaml": (site.file("api", ".zuul.yaml") or "") + more})
    assert told(site, "ann", "config", "try", str(change)) == "api, check, main\n  + twice\n"
    plain = ann.propose("api", "Add a", {"a.txt": "a\n"})
    assert told(site, "ann", "config", "try", str(plain)) == "No job of any project changes.\n"


def test_machines_are_enrolled_listed_and_revoked(template: Template, tmp_path: Path) -> None:
    changes: dict[str, object] = {"dispatch.nats": "embedded", "dispatch.listen": f"127.0.0.1:{free_port()}"}
    with begin(template, tmp_path, Builds(), changes) as site:
        assert told(site, "admin", "executor", "list") == "No machine was enrolled.\n"
        said = told(site, "admin", "executor", "enrol", "far")
        assert re.fullmatch(
            r"Run this on the other machine, within a day \(gatebot is installed there\):\n\n"
            rf"GATEBOT_TOKEN=gbx_\S+ gatebot serve far --role executor --connect {site.url}\n",
            said,
        )
        assert told(site, "ann", "executor", "list") == "far\thas not come yet\t0/0\tnever\t\n"
        assert run(site, "ann", "executor", "enrol", "mine").stderr == (
            "gatebot: Only administrators enrol and revoke executors.\n"
        )
        assert told(site, "admin", "executor", "revoke", "far") == "far runs no more builds of this site.\n"
        assert run(site, "admin", "executor", "revoke", "far").stderr == (
            "gatebot: There is no executor far. All there are: gatebot executor list\n"
        )


def test_a_site_alone_says_how_machines_are_let_in(site: RunningSite) -> None:
    assert run(site, "admin", "executor", "enrol", "far").stderr == (
        'gatebot: Executors on other machines are turned off here. Write [dispatch] nats = "embedded" into '
        "gatebot.toml and restart the server.\n"
    )


def test_groups_are_made_filled_renamed_and_ended(site: RunningSite) -> None:
    made = told(site, "admin", "group", "create", "Release Team", "--description", "Tags", "--member", "ann")
    uuid = made.split()[-3]
    assert made == f"Group Release Team made.\nIts line for the file groups: {uuid}\tRelease Team\n"
    assert f"Release Team\t{uuid}\tRelease Team\tTags\n" in told(site, "ann", "group", "list")
    assert "Release Team" not in told(site, "bob", "group", "list")
    assert told(site, "ann", "group", "add", "Release Team", "bob") == "In Release Team now: bob.\n"
    assert told(site, "ann", "group", "add", "--group", "Release Team", "Core") == "In Release Team now: Core.\n"
    assert told(site, "bob", "group", "members", "Release Team") == (
        "user\tann\tAnn\nuser\tbob\tBob\ngroup\tCore\tApprove changes: Code-Review up to +2, Workflow, submit.\n"
    )
    assert told(site, "ann", "group", "rename", "Release Team", "Releasers") == (
        "Release Team is called Releasers now.\n"
    )
    assert told(site, "ann", "group", "remove", "Releasers", "bob") == "Not in Releasers any more: bob.\n"
    assert told(site, "admin", "group", "delete", "Releasers") == "Group Releasers is gone.\n"
    done = run(site, "ann", "group", "add", "Core", "ann")
    assert done.exit_code != 0
    assert done.stderr == "gatebot: Only members of Administrators change the group Core. Ask one of them.\n"
