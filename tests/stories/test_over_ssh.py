# SPDX-License-Identifier: Apache-2.0
"""People and programs who come over SSH, as they come to Gerrit: keys, queries, reviews, the stream of events."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from gatebot.assignment import Assignment
from gatebot.cli import main
from gatebot.errors import GatebotError
from tests.fakes.doors import Visitor
from tests.fakes.irc import free_port
from tests.fakes.site import Builds, RunningSite, Template, begin, eventually
from tests.fakes.ssh_desk import SshDesk

REAL = Path(__file__).parents[1] / "data" / "gerrit" / "stream-of-every-kind.jsonl"


@pytest.fixture
def site(template: Template, tmp_path: Path, builds: Builds) -> Iterator[RunningSite]:
    """A site that is reached over SSH too."""
    with begin(template, tmp_path, builds, {"ssh.listen": f"127.0.0.1:{free_port()}"}) as running:
        yield running


def desk(site: RunningSite, name: str) -> SshDesk:
    """Somebody's desk, whose key the site knows."""
    port = int(site.settings.ssh.listen.rpartition(":")[2])
    made = SshDesk.new(name, site.homes / "desks" / name, port)
    site.person(name).rest.call("POST", "/accounts/self/sshkeys", {"ssh_key": made.public})
    return made


def rows(text: str) -> list[dict[str, Any]]:
    """JSON objects, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def from_now(site: RunningSite) -> tuple[str, str]:
    """What is said from now on, however long the client takes to connect."""
    return "--since-id", str(site.do(site.app.journal.last()))


@contextmanager
def streaming(at: SshDesk, *words: str) -> Generator[subprocess.Popen[str]]:
    """A stream of events."""
    line = [*at.line, "gerrit", "stream-events", *words]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def hears(process: subprocess.Popen[str], last: str) -> list[dict[str, Any]]:
    """The events up to the first of a type."""
    assert process.stdout is not None
    found: list[dict[str, Any]] = []
    for line in process.stdout:
        found.append(json.loads(line))
        if found[-1]["type"] == last:
            return found
    raise AssertionError(f"the stream ended without {last}: {found}")


def shape(value: Any) -> Any:
    """What programs rely on: the names of fields, and what kind of value each has."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list):
        return [shape(one) for one in cast(list[Any], value)[:1]]
    return type(value).__name__


def test_keys_are_added_shown_and_deleted_by_their_owner_alone(site: RunningSite, tmp_path: Path) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    at = SshDesk.new("ann", tmp_path / "desk", int(site.settings.ssh.listen.rpartition(":")[2]))
    asks = {"GATEBOT_URL": site.url, "GATEBOT_USER": "ann", "GATEBOT_TOKEN": ann.token}

    def gatebot(*words: str) -> str:
        done = CliRunner().invoke(main, ["ssh-key", *words], env=asks)
        assert done.exit_code == 0, done.output
        return done.output

    assert gatebot("list") == "No keys. Add one with: gatebot ssh-key add ~/.ssh/id_ed25519.pub\n"
    assert gatebot("add", str(at.key.with_suffix(".pub"))) == "Key 1 added: ssh-ed25519\n"
    assert gatebot("add", str(at.key.with_suffix(".pub"))) == "This key is there already, as key 1: ssh-ed25519\n"
    assert at.said("gatebot", "version") == "gerrit version 3.13.0\n"
    settings = Visitor(site, "ann", ann.token).get("/settings").text
    place = f"ssh://ann@127.0.0.1:{at.port}"
    assert f"ssh -p {at.port} ann@127.0.0.1\ngit clone {place}/PROJECT" in settings
    assert "SSH is closed here" not in settings
    project = Visitor(site, "ann", ann.token).get("/project/api").text
    assert f"git clone {place}/api" in project
    assert f"[gerrit]\nhost=127.0.0.1\nport={at.port}\nproject=api\ndefaultbranch=main" in project
    ann.propose("api", "Add a", {"a.txt": "a\n"})
    fetch = f"git fetch {place}/api refs/changes/01/1/1"
    assert fetch in Visitor(site, "ann", ann.token).get("/c/api/+/1").text
    assert fetch.replace("//ann@", "//USERNAME@") in Visitor(site).get("/c/api/+/1").text
    private = CliRunner().invoke(main, ["ssh-key", "add", str(at.key)], env=asks)
    assert "is a private key, which nobody else should see. Name its .pub file." in private.output
    answer = Visitor(site, "bob", bob.token).get("/a/accounts/ann/sshkeys")
    assert answer.status == 403
    nonsense = Visitor(site, "ann", ann.token).send("POST", "/a/accounts/self/sshkeys", {"ssh_key": "ssh-rsa nonsense"})
    assert (nonsense.status, nonsense.text) == (
        400,
        "This key cannot be used: it is not a public key of OpenSSH; send the content of the .pub file, "
        "not the private key.\n",
    )
    kept = {"ssh_key": at.key.read_text()}
    taken = Visitor(site, "ann", ann.token).send("POST", "/a/accounts/self/sshkeys", kept)
    assert (taken.status, taken.text) == (
        400,
        "This is your PRIVATE key. It was not kept, but it has left your machine, so use it no more: make a new pair "
        "(ssh-keygen -t ed25519), and add the content of its .pub file.\n",
    )
    assert gatebot("delete", "1") == "Key 1 deleted.\n"
    assert at.run("gerrit", "version").returncode == 255
    # python-gerrit-api says plain/text.
    other = SshDesk.new("ann", tmp_path / "other", at.port).public.encode()
    ann_at = Visitor(site, "ann", ann.token)
    assert ann_at.ask("POST", "/a/accounts/self/sshkeys", other, Content_Type="plain/text").status == 201
    assert Visitor(site).get("/ssh_info").text == f"127.0.0.1 {at.port}"


def test_changes_are_queried_as_in_gerrit(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    first = ann.propose("api", "Add discounts", {"discount": "10\n"}, body="For all.")
    bob.review(first, "Nice.", Code_Review=2)
    at = desk(site, "ann")
    every = "--all-approvals --comments --commit-message --current-patch-set --dependencies --files --patch-sets"
    told, stats = rows(at.said(f"gerrit query --format json {every} --submit-records --all-reviewers change:{first}"))
    commit = told["currentPatchSet"]["revision"]
    person = {"name": "Ann", "email": "ann@example.org", "username": "ann"}
    named = ("project", "branch", "number", "subject", "owner", "url", "open", "status")
    assert {name: told[name] for name in named} == {
        "project": "api", "branch": "main", "number": first, "subject": "Add discounts", "owner": person,
        "url": f"{site.url}/c/api/+/{first}", "open": True, "status": "NEW",
    }  # fmt: skip
    assert told["commitMessage"].startswith("Add discounts\n\nFor all.\n\nChange-Id: I")
    assert "Patch Set 1: Code-Review+2\n\nNice." in [one["message"] for one in told["comments"]]
    patch_set = told["patchSets"][0]
    assert patch_set == told["currentPatchSet"]
    assert (patch_set["ref"], patch_set["kind"]) == (f"refs/changes/{first:02d}/{first}/1", "REWORK")
    (vote,) = [one for one in patch_set["approvals"] if one["type"] == "Code-Review"]
    assert (vote["value"], vote["by"]["username"]) == ("2", "bob")
    assert [one["file"] for one in patch_set["files"]] == ["/COMMIT_MSG", "discount"]
    assert patch_set["files"][1] == {"file": "discount", "type": "ADDED", "insertions": 1, "deletions": 0}
    labels = {one["label"]: one["status"] for one in told["submitRecords"][0]["labels"]}
    assert (told["submitRecords"][0]["status"], labels["Code-Review"], labels["Workflow"]) == (
        "NOT_READY",
        "OK",
        "NEED",
    )
    assert "bob" in [one["username"] for one in told["allReviewers"]]
    assert (stats["type"], stats["rowCount"], stats["moreChanges"]) == ("stats", 1, False)
    assert rows(at.said(f'gerrit query --format=JSON commit:{commit}"'))[0]["number"] == first
    assert rows(at.said("gerrit query --format json status:merged -age:1d"))[0]["rowCount"] == 0
    assert rows(at.said("gerrit query --format=JSON nonsense:x"))[0]["type"] == "error"
    text = at.said(f"gerrit query {first}")
    assert text.startswith(f"change {told['id']}\n  project: api\n  branch: main\n  id: {told['id']}\n")
    assert "  owner:\n    name: Ann\n    email: ann@example.org\n    username: ann\n" in text
    assert re.search(r"\n\ntype: stats\nrowCount: 1\nrunTimeMilliseconds: \d+\nmoreChanges: false\n\n\Z", text)
    assert at.run("gerrit query").stderr == 'fatal: Argument "QUERY" is required\n'


def test_reviews_are_given_over_ssh(site: RunningSite) -> None:
    ann, cho = site.person("ann"), site.person("cho")
    change = ann.propose("api", "Add discounts", {"discount": "10\n"})
    at, anns = desk(site, "cho"), desk(site, "ann")
    assert at.said(f"gerrit review  --project api --notify NONE -m 'it'\"'\"'s fine' --code-review +2 {change},1") == ""
    assert cho.votes(change, "Code-Review") == {"cho": 2}
    # The check pipeline may report at any moment.
    assert "Patch Set 1: Code-Review+2\n\nit's fine" in cho.said(change)
    # What Ann may not vote is passed over, unless she says that it must not be.
    anns.said(f"gerrit review --label Code-Review=2 --label Nonsense=1 --message 'I think so' {change},1")
    assert cho.votes(change, "Code-Review").get("ann", 0) == 0
    strict = anns.run(f"gerrit review --strict-labels --label Code-Review=2 {change},1")
    assert (strict.returncode, strict.stderr.splitlines()[-1]) == (
        1, "fatal: one or more reviews failed; review output above",
    )  # fmt: skip
    for line, said in (
        ("gerrit review", 'fatal: Argument "{COMMIT | CHANGE,PATCHSET}" is required\n'),
        ("gerrit review 999999,1", 'fatal: "999999" no such change\n'),
        (f"gerrit review {change},7", f'fatal: "{change},7" no such patch set\n'),
        ("gerrit review deadbeef", 'fatal: "deadbeef" no such patch set\n'),
        (f"gerrit review --nonsense 1 {change},1", 'fatal: "--nonsense" is not a valid option\n'),
        (f"gerrit review -p client {change},1", f"fatal: change {change} not in project client\n"),
        (f"gerrit review --abandon --submit {change},1", "fatal: abandon and submit actions are mutually exclusive\n"),
    ):
        done = at.run(line)
        assert (done.returncode, done.stderr) == (1, said)
    # A review as JSON, as REST takes it.
    at.said(f"gerrit review --json {change},1", stdin='{"message": "One thing.", "labels": {"Workflow": 0}}')
    assert any(said.endswith("One thing.") for said in cho.said(change))
    commit = cho.detail(change)["current_revision"]
    at.said(f"gerrit review --abandon --message 'Not now' {commit[:10]}")
    assert cho.status(change) == "ABANDONED"
    at.said(f"gerrit review --restore {change},1")
    assert cho.status(change) == "NEW"


def test_submit_puts_a_gated_change_into_its_queue_and_says_that_it_is_not_merged(site: RunningSite) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Add discounts", {"discount": "10\n"})
    at = desk(site, "cho")
    done = at.run(f"gerrit review --label Code-Review=2 --label Workflow=1 --submit {change},1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: enqueued")
    assert done.stderr.endswith("fatal: one or more reviews failed; review output above\n")
    assert site.builds is not None
    site.builds.finish("gate", change)
    ann.sees_merged(change)


def test_changes_are_rebased_and_moved(site: RunningSite, tmp_path: Path) -> None:
    ann, at = site.person("ann"), desk(site, "admin")
    at.said("gerrit create-project lib --empty-commit --branch main --branch stable")
    change = ann.propose("lib", "Add a thing", {"thing": "1\n"})
    work = at.clone("lib", tmp_path / "lib")
    work.commit("Meanwhile", other="2\n")
    assert work.run("push", "origin", "HEAD:refs/heads/main").returncode == 0
    at.said(f"gerrit review --rebase {change},1")
    told = rows(at.said(f"gerrit query --format=JSON --current-patch-set {change}"))[0]["currentPatchSet"]
    assert (told["number"], told["parents"]) == (2, [site.branch("lib")])
    both = at.run(f"gerrit review --rebase --move stable {change},2")
    assert both.stderr == "fatal: rebase and move actions are mutually exclusive\n"
    at.said(f"gerrit review --move stable {change},2")
    assert rows(at.said(f"gerrit query --format=JSON {change}"))[0]["branch"] == "stable"


def test_reviewers_topics_and_hashtags_are_set(site: RunningSite) -> None:
    change = site.person("ann").propose("api", "Add discounts", {"discount": "10\n"})
    at = desk(site, "ann")
    at.said(f"gerrit set-reviewers -a bob@example.org -a cho {change}")
    at.said(f"gerrit set-topic {change} --topic discounts")
    at.said(f"gerrit set-hashtags --add '#sale' {change}")
    told = rows(at.said(f"gerrit query --format=JSON --all-reviewers {change}"))[0]
    assert {one["username"] for one in told["allReviewers"]} - {"gatebot"} == {"bob", "cho"}
    assert (told["topic"], told["hashtags"]) == ("discounts", ["sale"])
    at.said(f"gerrit set-reviewers -r cho {change}")
    nobody = at.run(f"gerrit set-reviewers -a nobody {change}")
    assert (nobody.returncode, nobody.stderr) == (
        1,
        "error: Account 'nobody' not found\nnobody does not identify a registered user or group\n"
        "fatal: one or more updates failed; review output above\n",
    )
    assert at.run("gerrit set-topic 999999 --topic x").stderr.startswith('error: "999999" no such change\n')


def test_the_stream_tells_what_gerrits_tells_and_can_be_taken_up_again(site: RunningSite) -> None:
    ann, bob, admin = site.person("ann"), site.person("bob"), site.person("admin")
    at = desk(site, "cho")
    with streaming(at, *from_now(site)) as live:
        admin.rest.call("PUT", "/projects/lib", {"create_empty_commit": True})
        change = ann.propose("lib", "Add a thing", {"thing": "1\n"})
        bob.review(change, "Hm.", Code_Review=-1)
        bob.review(change, "", Code_Review=2)
        ann.rest.call("PUT", f"/changes/{change}/topic", {"topic": "things"})
        ann.rest.call("POST", f"/changes/{change}/hashtags", {"add": ["h"]})
        ann.rest.call("POST", f"/changes/{change}/custom_keyed_values", {"add": {"ticket": "T-1"}, "remove": ["none"]})
        ann.rest.call("POST", f"/changes/{change}/wip", {})
        ann.rest.call("POST", f"/changes/{change}/ready", {})
        admin.rest.call("DELETE", f"/changes/{change}/reviewers/bob/votes/Code-Review")
        ann.rest.call("POST", f"/changes/{change}/reviewers", {"reviewer": "cho"})
        ann.rest.call("DELETE", f"/changes/{change}/reviewers/cho")
        ann.rest.call("POST", f"/changes/{change}/abandon", {"message": "bye"})
        ann.rest.call("POST", f"/changes/{change}/restore", {})
        events = hears(live, "change-restored")
    # What check says of the change comes at any moment, and its vote has none before it.
    by_type = {event["type"]: event for event in events if event.get("author", {}).get("username") != "gatebot"}
    real = {event["type"]: event for event in rows(REAL.read_text())}
    for kind in by_type.keys() & real.keys():
        ours, theirs = shape(by_type[kind]), shape(real[kind])
        assert ours.pop("eventId") == "int"
        for one in (ours, theirs):  # a change is told as it is by then
            for state in ("topic", "private", "hashtags", "wip"):
                one.get("change", {}).pop(state, None)
            one.get("patchSet", {}).get("author", {}).pop("username", None)
        theirs.pop("reason", None) if kind == "change-restored" else None
        assert ours == theirs, kind
    said = [e for e in events if e["type"] == "comment-added" and e["author"]["username"] == "bob"]
    assert said[0]["comment"] == "Patch Set 1: Code-Review-1\n\nHm."
    votes = {one["type"]: one for one in said[1]["approvals"]}
    assert votes["Code-Review"] == {
        "type": "Code-Review", "description": "Code-Review", "value": "2", "oldValue": "-1",
    }  # fmt: skip
    assert votes["Verified"]["value"] == "0"
    gone = by_type["vote-deleted"]
    assert (gone["reviewer"]["username"], gone["remover"]["username"]) == ("bob", "admin")
    assert by_type["reviewer-deleted"]["reviewer"]["username"] == "cho"
    kept = by_type["custom-keyed-values-changed"]
    assert (kept["editor"]["username"], kept["added"], kept["customKeyedValues"]) == (
        "ann", {"ticket": "T-1"}, {"ticket": "T-1"},
    )  # fmt: skip
    assert "removed" not in kept
    assert by_type["project-created"]["headName"] == "refs/heads/main"
    # From an id on, the same again, and a type may be chosen.
    middle = said[0]["eventId"]
    with streaming(at, "--since-id", str(middle)) as again:
        later = hears(again, "change-restored")
        assert [event["eventId"] for event in later] == [e["eventId"] for e in events if e["eventId"] > middle]
    with streaming(at, "-s", "change-abandoned", "-s", "change-restored", "--since-id", "0") as chosen:
        assert [event["type"] for event in hears(chosen, "change-restored")] == ["change-abandoned", "change-restored"]
        assert chosen.stdin is not None
        chosen.stdin.write("\x03")
        chosen.stdin.flush()
        assert chosen.wait(20) == 130


def test_a_deleted_change_leaves_the_pipelines_and_is_told_once_more(site: RunningSite, builds: Builds) -> None:
    """What was known of it elsewhere stays: its build and its log, and the events that were."""
    ann, bob, admin = site.person("ann"), site.person("bob"), site.person("admin")
    builds.rule = unanswered
    at = desk(site, "cho")
    change = ann.propose("api", "Add discounts", {"discount": "10\n"})
    hidden = ann.propose("api", "Add a secret", {"secret": "1\n"})
    ann.rest.call("POST", f"/changes/{hidden}/private", {})
    builds.runs("check", hidden)
    builds.finish("check", change)
    ann.hears(change, "Build succeeded.")
    bob.approve(change)
    builds.runs("gate", change)
    with pytest.raises(GatebotError, match="The change is in the gate"):
        admin.rest.call("DELETE", f"/changes/{change}")
    bob.rest.call("POST", f"/api/change/{change}/dequeue", {"pipeline": "gate"})
    eventually(lambda: not inside(site, change, "gate"))
    with streaming(at, "-s", "change-deleted", *from_now(site)) as live:
        admin.rest.call("DELETE", f"/changes/{hidden}")
        admin.rest.call("DELETE", f"/changes/{change}")
        (event,) = hears(live, "change-deleted")
    eventually(lambda: not inside(site, change, "check") and not inside(site, hidden, "check"))
    assert (event["change"]["number"], event["deleter"]["username"]) == (change, "admin")
    assert (event["change"]["subject"], event["refName"]) == ("Add discounts", "refs/heads/main")
    assert ann.rest.call("GET", f"/changes/?q=change:{change}%20OR%20change:{hidden}") == []
    assert ann.propose("api", "Add discounts again", {"discount": "20\n"}) > hidden


def unanswered(_build: Assignment) -> str | None:
    """Builds run until they are finished."""
    return None


def inside(site: RunningSite, change: int, pipeline: str) -> bool:
    """Whether a change is in a pipeline."""
    queues = [queue for queue in site.app.gate.driver.queues.values() if queue.pipeline == pipeline]
    return any(change in item.numbers for queue in queues for item in queue.items.values())


def test_merging_is_told_in_one_burst_with_the_branch(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    at = desk(site, "ann")
    change = ann.propose("api", "Add discounts", {"discount": "10\n"})
    with streaming(at, "-s", "ref-updated", "-s", "change-merged", *from_now(site)) as live:
        bob.approve(change)
        assert site.builds is not None
        site.builds.finish("gate", change)
        ann.sees_merged(change)
        events = hears(live, "change-merged")
        if not any(event["type"] == "ref-updated" for event in events):
            events += hears(live, "ref-updated")
    merged = next(event for event in events if event["type"] == "change-merged")
    moved = next(event for event in events if event["type"] == "ref-updated")
    assert merged["newRev"] == moved["refUpdate"]["newRev"] == site.branch("api")
    assert moved["refUpdate"]["refName"] == "refs/heads/main"
    assert merged["change"]["status"] == "MERGED"


def test_who_may_not_see_a_change_hears_nothing_of_it(site: RunningSite) -> None:
    ann = site.person("ann")
    secret = ann.propose("api", "A secret", {"secret": "1\n"})
    ann.rest.call("POST", f"/changes/{secret}/private", {})
    ann.review(secret, "Not for all.")
    plain = ann.propose("client", "Plain", {"plain": "1\n"})
    mine, others = desk(site, "ann"), desk(site, "cho")
    with streaming(others, "--since-id", "0", "-s", "patchset-created") as heard:
        numbers = [event["change"]["number"] for event in hears(heard, "patchset-created")]
    assert numbers == [plain]
    with streaming(mine, "--since-id", "0", "-s", "patchset-created") as heard:
        assert [event["change"]["number"] for event in hears(heard, "patchset-created")] == [secret]
    log = Visitor(site, "cho", site.person("cho").token)
    told = log.get("/a/plugins/events-log/events/?t1=2020-01-01%2000:00:00")
    assert told.status == 200
    assert {row["change"]["number"] for row in rows(told.text) if "change" in row} == {plain}
    assert log.get("/a/plugins/events-log/events/?t1=2099-01-01%2000:00:00").text == ""
    assert log.get("/a/plugins/events-log/events/?t2=2020-01-01%2000:00:00").text == ""
    assert log.get("/a/plugins/events-log/").status == 200
    bad = log.get("/a/plugins/events-log/events/?t1=yesterday")
    assert (bad.status, bad.text) == (
        400, "t1 cannot be yesterday: write a moment as 2026-01-31 12:00:00, in UTC.\n",
    )  # fmt: skip


def test_git_review_s_way_over_ssh_leads_to_a_change(site: RunningSite, tmp_path: Path) -> None:
    at = desk(site, "ann")
    work = at.clone("api", tmp_path / "clone")
    work.commit("Over SSH", over="ssh\n")
    done = work.run("push", "origin", "HEAD:refs/for/main%topic=ssh")
    assert done.returncode == 0, done.stderr
    number = rows(at.said("gerrit query --format=JSON project:api status:open branch:main"))[0]["number"]
    ref = rows(at.said(f"gerrit query --format=JSON --current-patch-set change:{number}"))[0]["currentPatchSet"]["ref"]
    assert work.run("fetch", "origin", ref).returncode == 0
    eventually(lambda: site.person("ann").detail(number)["topic"] == "ssh", "the topic")
