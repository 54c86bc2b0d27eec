# SPDX-License-Identifier: Apache-2.0
"""Administrators who come over SSH: projects, branches, accounts, groups and banned commits, as in Gerrit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.irc import free_port
from tests.fakes.site import Builds, RunningSite, Template, begin
from tests.fakes.ssh_desk import SshDesk
from tests.stories.test_over_ssh import desk


@pytest.fixture
def site(template: Template, tmp_path: Path, builds: Builds) -> Iterator[RunningSite]:
    """A site that is reached over SSH too."""
    with begin(template, tmp_path, builds, {"ssh.listen": f"127.0.0.1:{free_port()}"}) as running:
        yield running


def refused(at: SshDesk, line: str) -> str:
    """What a command that fails says."""
    done = at.run(line)
    assert (done.returncode, done.stdout) == (1, ""), line
    return done.stderr


def test_projects_and_branches_are_made_listed_and_changed(site: RunningSite, tmp_path: Path) -> None:
    root, ann = desk(site, "admin"), desk(site, "ann")
    root.said("gerrit create-project tools/lib.git --empty-commit -b trunk -b stable --description 'Small things'")
    tip = site.branch("tools/lib", "trunk")
    assert site.branch("tools/lib", "stable") == tip
    assert "tools/lib\n" in ann.said("gerrit ls-projects")
    assert ann.said("gerrit ls-projects --description -m LIB") == "tools/lib - Small things\n"
    assert ann.said("gerrit ls-projects -b trunk --prefix tools/") == f"{tip} tools/lib\n"
    assert ann.said("gerrit ls-projects -b none -r '.*lib'") == f"{'-' * 40} tools/lib\n"
    assert ann.said("gerrit ls-projects --format json -p tools") == (
        '{"tools/lib":{"id":"tools/lib","description":"Small things","state":"ACTIVE"}}\n'
    )
    root.said("gerrit set-project tools/lib -d 'Smaller things' --submit-type FAST_FORWARD_ONLY")
    assert ann.said("gerrit ls-projects -d -p tools") == "tools/lib - Smaller things\n"
    root.said(f"gerrit create-branch tools/lib next {tip}")
    root.said("gerrit create-branch tools/lib after next")
    assert site.branch("tools/lib", "after") == tip
    assert (
        refused(root, "gerrit create-branch tools/lib next trunk") == 'fatal: branch "refs/heads/next" already exists\n'
    )
    assert refused(root, "gerrit create-branch tools/lib x nothing") == (
        "fatal: There is no nothing in tools/lib. Name a branch, a tag, or a commit that one of them contains.\n"
    )
    assert refused(root, "gerrit create-branch tools/lib 'a..b' trunk").startswith(
        "fatal: a..b cannot be the name of a"
    )
    assert refused(root, "gerrit create-branch tools/lib") == 'fatal: Argument "NAME" is required\n'
    assert refused(root, "gerrit create-project") == "fatal: Project name is required.\n"
    assert refused(root, "gerrit create-project api").startswith("fatal: ")
    assert refused(root, "gerrit set-project none -d x").startswith("fatal: There is no project none;")
    assert refused(ann, "gerrit create-project mine").startswith("fatal: ")
    assert refused(ann, "gerrit create-branch tools/lib mine trunk").startswith("fatal: ")
    asked = root.run("gerrit set-project tools/lib --content-merge TRUE")
    assert (asked.returncode, asked.stderr) == (
        0, "warning: --content-merge has no effect here; project.config on refs/meta/config and the site's settings "
        "decide it\n",
    )  # fmt: skip
    assert ann.said("gerrit plugin ls --format json") == "{}\n"
    work = ann.clone("client", tmp_path / "client")
    assert work.git("ls-remote", ann.address("tools/lib"), "refs/heads/after") == f"{tip}\trefs/heads/after"


def test_accounts_and_groups_are_made_and_changed(site: RunningSite, tmp_path: Path) -> None:
    root, ann = desk(site, "admin"), desk(site, "ann")
    robot = SshDesk.new("robot", tmp_path / "robot", root.port)
    root.said(
        "gerrit create-account --full-name 'The Robot' --email robot@example.org --group 'Service Users' "
        "--ssh-key - robot",
        stdin=robot.public,
    )
    assert robot.said("gerrit version") == "gerrit version 3.13.0\n"
    assert "robot\tThe Robot\trobot@example.org" in ann.said("gerrit ls-members 'Service Users'")
    assert refused(root, "gerrit create-account robot") == "fatal: username 'robot' already exists\n"
    assert refused(root, "gerrit create-account --ssh-key nonsense other").startswith("fatal: This key cannot be used")
    assert refused(ann, "gerrit create-account other").startswith("fatal: ann lacks the capability to createAccount.")
    root.said("gerrit create-group --description 'Who reviews' --member bob --group Core --visible-to-all reviewers")
    assert "reviewers\n" in ann.said("gerrit ls-groups")
    line = ann.said("gerrit ls-groups -v -q reviewers").rstrip("\n").split("\t")
    assert (line[0], line[2], line[3], line[5]) == ("reviewers", "Who reviews", "reviewers", "true")
    people = ann.said("gerrit ls-members reviewers").splitlines()
    assert people[0] == "id\tusername\tfull name\temail"
    assert [row.split("\t")[1] for row in people[1:]] == ["bob"]
    everybody = ann.said("gerrit ls-members --recursive reviewers").splitlines()
    assert {row.split("\t")[1] for row in everybody[1:]} >= {"bob", "cho"}
    assert root.said("gerrit set-members reviewers -a ann -r bob") == (
        "Members removed from group reviewers: Bob\nMembers added to group reviewers: Ann\n"
    )
    # Ann is in the group now, which owns itself.
    assert ann.said("gerrit set-members reviewers --add cho") == "Members added to group reviewers: Cho\n"
    assert refused(ann, "gerrit set-members Administrators -a ann") == (
        "fatal: Only members of the group that owns Administrators, and administrators, change who is in it.\n"
    )
    assert refused(root, "gerrit set-members nothing -a ann") == 'fatal: Group "nothing" does not exist\n'
    assert refused(root, "gerrit set-members reviewers -a nobody") == 'fatal: user "nobody" not found\n'
    assert refused(root, "gerrit create-group reviewers") == "fatal: group 'reviewers' already exists\n"
    assert refused(ann, "gerrit create-group mine").startswith("fatal: ann lacks the capability to createGroup.")
    assert ann.said("gerrit ls-members nothing") == "Group not found or not visible\n"


def test_a_banned_commit_is_not_pushed_again(site: RunningSite, tmp_path: Path) -> None:
    root, ann = desk(site, "admin"), desk(site, "ann")
    work = ann.clone("api", tmp_path / "clone")
    work.commit("With a password", secret="pw\n")
    assert work.run("push", "origin", "HEAD:refs/for/main").returncode == 0
    bad = work.git("rev-parse", "HEAD")
    assert root.said(f"gerrit ban-commit api {bad} --reason leak") == f"The following commits were banned:\n{bad}\n\n"
    assert root.said(f"gerrit ban-commit api {bad}") == f"The following commits were already banned:\n{bad}\n\n"
    assert refused(root, "gerrit ban-commit api deadbeef") == "fatal: deadbeef: there is no such commit in api\n"
    assert refused(ann, f"gerrit ban-commit api {bad}").startswith("fatal: ")
    theirs = root.clone("api", tmp_path / "theirs")
    assert theirs.run("fetch", "origin", "refs/changes/01/1/1").returncode == 0
    pushed = theirs.run("push", "origin", "FETCH_HEAD:refs/heads/side")
    assert pushed.returncode == 1
    assert f"(commit {bad[:7]}: contains banned commit {bad})" in pushed.stderr


def test_a_site_says_with_which_branch_projects_begin_and_whether_topics_are_submitted_as_one(
    template: Template, tmp_path: Path, builds: Builds
) -> None:
    wanted = {"ssh.listen": f"127.0.0.1:{free_port()}", "git.default_branch": "trunk", "gate.submit_whole_topic": True}
    with begin(template, tmp_path, builds, wanted) as site:
        desk(site, "admin").said("gerrit create-project by-ssh --empty-commit")
        admin = site.person("admin").rest
        admin.call("PUT", "/projects/by-rest", {"create_empty_commit": True})
        assert [admin.get(f"/projects/{name}/HEAD") for name in ("by-ssh", "by-rest")] == ["refs/heads/trunk"] * 2
        assert admin.get("/config/server/info")["change"]["submit_whole_topic"] is True
