# SPDX-License-Identifier: Apache-2.0
"""Rights of projects: `project.config` decides, over every door, from the moment it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatebot.errors import NotFound, NotPermitted
from tests.fakes.doors import Visitor
from tests.fakes.git import WorkTree
from tests.fakes.site import Person, RunningSite

SHUT = """\
[access "refs/heads/secret"]
	exclusiveGroupPermissions = read
	read = group Core
"""


def address(site: RunningSite, who: str, project: str) -> str:
    """Where somebody clones from."""
    return f"{site.url.replace('://', f'://{who}:{site.tokens[who]}@')}/a/{project}" if who else f"{site.url}/{project}"


def configure(site: RunningSite, project: str, text: str) -> None:
    """Put a project.config on the reference, past all doors."""
    there = site.app.repositories
    old = there.resolve(project, "refs/meta/config") or ""
    tree = there.write_tree(project, {"project.config": text.encode(), "groups": core(site).encode()})
    who = there.commit(project, site.branch("api")).author
    commit = there.write_commit(project, tree, (old,) if old else (), who, who, "Change rights\n")
    assert there.update_ref(project, "refs/meta/config", old or "0" * 40, commit)


def core(site: RunningSite) -> str:
    found = site.do(site.app.identity.find_group("Core"))
    assert found is not None
    return f"{found.uuid}\tCore\n"


@pytest.fixture
def secret(site: RunningSite) -> Person:
    """Bob, a core member, with change 1 for a branch that only core members read."""
    bob = site.person("bob")
    there = site.app.repositories
    assert there.update_ref("api", "refs/heads/secret", "0" * 40, site.branch("api"))
    configure(site, "api", SHUT)
    work = bob.clone("api", "secret")
    work.git("fetch", "-q", address(site, "bob", "api"), "secret")
    work.git("checkout", "-q", "-b", "secret", "FETCH_HEAD")
    work.commit("Hidden idea", idea="hidden\n")
    done = work.run("push", "origin", "HEAD:refs/for/secret")
    assert done.returncode == 0, done.stderr
    return bob


def test_every_site_has_all_projects_and_administrators_clone_its_configuration(
    site: RunningSite, tmp_path: Path
) -> None:
    admin = WorkTree.clone(address(site, "admin", "All-Projects"), tmp_path / "all-projects")
    told = (admin.path / "project.config").read_text()
    assert told.startswith(
        "[project]\n\tdescription = Rights that all projects inherit.\n"
        '[access "refs/*"]\n\tread = group Anonymous Users\n\tpush = +force group Administrators\n'
    )
    assert "\tlabel-Code-Review = -2..+2 group Core\n" in told
    assert core(site) in (admin.path / "groups").read_text()
    for who in ("ann", ""):
        refused = WorkTree.new(tmp_path / f"work-{who}").run("ls-remote", address(site, who, "All-Projects"))
        assert refused.returncode == 128


def test_all_projects_is_there_for_who_may_read_it_only(site: RunningSite) -> None:
    assert "All-Projects" in site.person("admin").rest.get("/projects/")
    assert site.person("admin").rest.get("/plugins/") == {}
    assert sorted(site.person("ann").rest.get("/projects/")) == ["api", "client", "gatebot-config"]
    with pytest.raises(NotFound):
        site.person("ann").rest.get("/projects/All-Projects")


def test_the_configuration_of_a_project_is_for_its_owners(site: RunningSite, secret: Person, tmp_path: Path) -> None:
    work = WorkTree.new(tmp_path / "work")
    tip = site.app.repositories.resolve("api", "refs/meta/config")
    for version in ("0", "2"):
        protocol = f"protocol.version={version}"
        assert tip in work.git("-c", protocol, "ls-remote", address(site, "admin", "api"), "refs/meta/config")
        for who in ("ann", "bob", ""):
            assert work.git("-c", protocol, "ls-remote", address(site, who, "api"), "refs/meta/*") == ""
            for wanted in ("refs/meta/config", str(tip)):
                assert work.run("-c", protocol, "fetch", address(site, who, "api"), wanted).returncode == 128
    work.git("fetch", address(site, "admin", "api"), "refs/meta/config")
    assert work.git("show", "FETCH_HEAD:project.config") == SHUT.rstrip("\n")


@pytest.mark.parametrize("who", ["ann", ""])
@pytest.mark.parametrize("version", ["0", "2"])
def test_a_branch_that_somebody_may_not_read_is_not_there_for_git(
    site: RunningSite, secret: Person, tmp_path: Path, who: str, version: str
) -> None:
    protocol = f"protocol.version={version}"
    work = WorkTree.new(tmp_path / "work")
    told = work.git("-c", protocol, "ls-remote", address(site, who, "api"))
    assert "refs/heads/main" in told
    assert "secret" not in told
    assert "refs/changes/01/1" not in told
    hidden = site.app.repositories.resolve("api", "refs/changes/01/1/1")
    assert hidden is not None
    for wanted in ("refs/heads/secret", "refs/changes/01/1/1", hidden):
        assert work.run("-c", protocol, "fetch", address(site, who, "api"), wanted).returncode == 128
    assert work.run("cat-file", "-e", hidden).returncode != 0
    mine = WorkTree.new(tmp_path / "bob")
    mine.git("-c", protocol, "fetch", address(site, "bob", "api"), "refs/heads/secret")
    assert mine.git("rev-parse", "FETCH_HEAD") == site.branch("api", "secret")
    mine.git("fetch", address(site, "bob", "api"), "refs/changes/01/1/1")
    assert mine.git("rev-parse", "FETCH_HEAD") == hidden


def test_the_gate_tests_and_reports_what_it_is_not_told_to_read(site: RunningSite, secret: Person) -> None:
    assert secret.hears(1, "Build").startswith("Patch Set 1: Verified+1\n\nBuild succeeded.")


def test_a_change_of_such_a_branch_is_found_by_nobody_else(site: RunningSite, secret: Person) -> None:
    assert [one["subject"] for one in secret.rest.get("/changes/", q="status:open")] == ["Hidden idea"]
    ann = site.person("ann")
    assert ann.rest.get("/changes/", q="status:open") == []
    assert ann.rest.get("/changes/", q="message:hidden") == []
    with pytest.raises(NotFound):
        ann.rest.get("/changes/1/detail")
    for path in ("/", "/q/status:open", "/c/api/+/1", "/1", "/search?q=hidden", "/status"):
        for visitor in (Visitor(site, "ann", site.tokens["ann"]), Visitor(site)):
            assert "Hidden idea" not in visitor.get(path).text, path


def test_what_a_block_forbids_no_child_allows_and_it_counts_at_once(site: RunningSite) -> None:
    bob, ann = site.person("bob"), site.person("ann")
    assert ann.propose("api", "Add a", {"a.txt": "a\n"}) == 1
    configure(site, "api", '[access "refs/heads/*"]\n\tlabel-Code-Review = block -2..+2 group Registered Users\n')
    review = "/changes/1/revisions/current/review"
    with pytest.raises(NotPermitted) as refused:
        bob.rest.call("POST", review, {"labels": {"Code-Review": 2}})
    assert str(refused.value) == 'Applying label "Code-Review": +2 is restricted. You may vote from -1 to +1.'
    configure(site, "api", "")
    bob.rest.call("POST", review, {"labels": {"Code-Review": 2}})
    assert ann.votes(1, "Code-Review") == {"bob": 2}


def test_a_member_of_a_group_in_the_group_may_what_the_group_may(site: RunningSite) -> None:
    ann, identity = site.person("ann"), site.app.identity
    number = site.person("bob").propose("api", "Add a", {"a.txt": "a\n"})
    account = site.do(identity.by_username("ann"))
    assert account is not None
    site.do(identity.create_group("Newcomers", members=[account.id]))
    review = f"/changes/{number}/revisions/current/review"
    with pytest.raises(NotPermitted):
        ann.rest.call("POST", review, {"labels": {"Code-Review": 2}})
    site.do(identity.change_members("Core", include=["Newcomers"]))
    ann.rest.call("POST", review, {"labels": {"Code-Review": 2}})


def pushed(work: WorkTree, target: str) -> list[str]:
    """Push; what the server said."""
    done = work.run("push", "origin", f"HEAD:{target}")
    lines = [line.removeprefix("remote:").strip() for line in done.stderr.splitlines() if line.startswith("remote:")]
    return [line for line in lines if line and not line.startswith("Processing changes")]


def configuration(site: RunningSite, who: str, project: str, path: Path) -> WorkTree:
    """Somebody's work tree of a project's configuration."""
    work = WorkTree.new(path, name=who.title(), email=f"{who}@example.org" if who != "admin" else "admin@localhost")
    work.git("remote", "add", "origin", address(site, who, project))
    if work.run("fetch", "-q", "origin", "refs/meta/config").returncode == 0:
        work.git("reset", "-q", "--hard", "FETCH_HEAD")
    return work


def test_a_broken_configuration_is_refused_with_everything_that_is_wrong(site: RunningSite, tmp_path: Path) -> None:
    work = configuration(site, "admin", "api", tmp_path / "work")
    text = '[access "refs/heads/*"]\n\traed = group Core\n\tpush = group Kore\n[access]\n\tinheritFrom = nowhere\n'
    commit = work.commit("Break it", **{"project.config": text, "groups": core(site)})
    for target in ("refs/meta/config", "refs/for/refs/meta/config"):
        assert pushed(work, target)[:8] == [
            f"ERROR: commit {commit[:7]}: invalid project configuration",
            "project.config:2: There is no permission raed. Did you mean read?",
            "project.config:3: There is no group Kore. Did you mean Core?",
            "project.config:5: There is no project nowhere to inherit from. `gatebot project list` shows those that "
            "exist.",
            "Nothing was changed. Correct these lines, amend the commit and push again.",
        ]
    assert site.app.repositories.resolve("api", "refs/meta/config") is None


def test_a_configuration_that_is_pushed_counts_at_once(site: RunningSite, tmp_path: Path) -> None:
    work = configuration(site, "admin", "api", tmp_path / "work")
    text = '[access "refs/heads/*"]\n\tpush = group Registered Users\n\tcreate = group Registered Users\n'
    work.commit("Let everybody push", **{"project.config": text})
    assert not any("ERROR" in line for line in pushed(work, "refs/meta/config"))
    ann = site.person("ann").clone("api")
    ann.commit("Past review", b="b\n")
    assert ann.run("push", "origin", "HEAD:refs/heads/other").returncode == 0
    assert site.branch("api", "other") == ann.git("rev-parse", "HEAD")


def test_owners_change_their_configuration_but_not_their_parent(site: RunningSite, tmp_path: Path) -> None:
    configure(site, "api", '[access "refs/*"]\n\towner = group Core\n')
    bob = configuration(site, "bob", "api", tmp_path / "bob")
    owned = '[access "refs/*"]\n\towner = group Core\n'
    bob.commit("Take another parent", **{"project.config": f"[access]\n\tinheritFrom = client\n{owned}"})
    assert pushed(bob, "refs/meta/config")[1] == (
        "project.config: Only administrators give a project another parent. Leave inheritFrom as it is, or ask one of "
        "them to push this."
    )
    bob.commit("Describe", **{"project.config": f"[project]\n\tdescription = Ours\n{owned}"})
    assert not any("ERROR" in line for line in pushed(bob, "refs/meta/config"))
    assert site.app.book.files("api")[0].get("project", "description") == "Ours"
    ann = configuration(site, "ann", "api", tmp_path / "ann")
    ann.commit("Mine", **{"project.config": '[access "refs/*"]\n\towner = group Registered Users\n'})
    done = ann.run("push", "-f", "origin", "HEAD:refs/meta/config")
    assert done.returncode != 0
    assert "prohibited by Gerrit: not permitted" in done.stderr


def test_a_configuration_that_is_reviewed_is_seen_by_those_who_may_read_it(site: RunningSite, tmp_path: Path) -> None:
    work = configuration(site, "admin", "All-Projects", tmp_path / "work")
    old = (work.path / "project.config").read_text()
    work.commit("Let registered users submit", **{
        "project.config": old.replace("\tsubmit = group Core\n", "\tsubmit = group Registered Users\n")
    })  # fmt: skip
    told = pushed(work, "refs/for/refs/meta/config")
    assert not any("ERROR" in line for line in told), told
    ann = site.person("ann")
    number = ann.propose("api", "Add a", {"a.txt": "a\n"})
    with pytest.raises(NotPermitted):
        ann.rest.call("POST", f"/changes/{number}/submit", {})
    admin = site.person("admin")
    config = next(int(one["_number"]) for one in admin.rest.get("/changes/", q="project:All-Projects"))
    assert ann.rest.get("/changes/", q="project:All-Projects") == []
    admin.rest.call(
        "POST", f"/changes/{config}/revisions/current/review", {"labels": {"Code-Review": 2, "Workflow": 1}}
    )
    site.person("bob")
    answer = admin.rest.call("GET", f"/changes/{config}/detail")
    assert answer["branch"] == "refs/meta/config"


def test_a_project_that_is_read_only_takes_no_push(site: RunningSite) -> None:
    configure(site, "api", "[project]\n\tstate = read only\n")
    work = site.person("ann").clone("api")
    work.commit("Late", b="b\n")
    done = work.run("push", "origin", "HEAD:refs/for/main")
    assert "prohibited by Gerrit: project state does not permit write" in done.stderr


def test_access_rights_are_told_in_gerrits_shape(site: RunningSite) -> None:
    configure(site, "api", SHUT + '[access "refs/heads/*"]\n\tpush = block +force group Registered Users\n')
    admin, ann = site.person("admin").rest, site.person("ann").rest
    uuid = core(site).split("\t")[0]
    told = admin.get("/projects/api/access")
    assert told["local"] == {
        "refs/heads/secret": {"permissions": {"read": {"rules": {uuid: {"action": "ALLOW"}}, "exclusive": True}}},
        "refs/heads/*": {
            "permissions": {"push": {"rules": {"global:Registered-Users": {"action": "BLOCK", "force": True}}}}
        },
    }
    assert told["revision"] == site.app.repositories.resolve("api", "refs/meta/config")
    assert told["inherits_from"] == {"id": "All-Projects", "name": "All-Projects"}
    assert told["groups"][uuid]["name"] == "Core"
    assert (told["is_owner"], told["config_visible"], told["can_add"]) == (True, True, True)
    several = admin.get("/access/?project=api&project=All-Projects")
    assert several["api"] == told
    capabilities = several["All-Projects"]["local"]["GLOBAL_CAPABILITIES"]["permissions"]
    assert list(capabilities) == ["administrateServer", "viewQueue", "streamEvents"]
    votes = several["All-Projects"]["local"]["refs/*"]["permissions"]["label-Code-Review"]
    assert votes["label"] == "Code-Review"
    assert votes["rules"][uuid] == {"action": "ALLOW", "min": -2, "max": 2}
    hers = ann.get("/projects/api/access")
    assert list(hers["local"]) == ["refs/heads/*"], "what shuts a branch is no matter of those before the door"
    assert "revision" not in hers
    assert "is_owner" not in hers


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ("ref=refs/heads/main", 200, "user ann has permission read for refs/heads/main in project api"),
        ("ref=refs/heads/secret", 403, "user ann lacks permission read for refs/heads/secret in project api"),
        ("ref=refs/heads/main&perm=push", 403, "user ann lacks permission push for refs/heads/main in project api"),
        ("ref=refs/heads/main&perm=label-Code-Review", 200,
         "user ann has permission label-Code-Review for refs/heads/main in project api"),
        ("", 200, "user ann can see project api"),
    ],
)  # fmt: skip
def test_administrators_ask_what_somebody_may(site: RunningSite, asked: str, status: int, message: str) -> None:
    configure(site, "api", SHUT)
    path = f"/projects/api/check.access?account=ann&{asked}"
    assert site.person("admin").rest.get(path) == {"message": message, "status": status}
    with pytest.raises(NotPermitted):
        site.person("bob").rest.get(path)
