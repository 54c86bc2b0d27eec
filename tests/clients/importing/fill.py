# SPDX-License-Identifier: Apache-2.0
"""A Gerrit that people work on: accounts, groups, repositories, and changes in all states, by REST and git."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakes.git import WorkTree
from tools.gerrit import SECRET, Gerrit


def change_id(name: str) -> str:
    """A Change-Id that is the same every time."""
    return f"I{name.encode().hex():0<40.40}"


class Filled:
    """The people of a Gerrit and what they do there. `numbers` are their changes by name, `key` is Ann's."""

    def __init__(self, gerrit: Gerrit, root: Path, key: str) -> None:
        self.gerrit = gerrit
        self.key = key
        self.numbers: dict[str, int] = {}
        self.commits: dict[str, str] = {}
        self._root = root
        self._trees: dict[str, WorkTree] = {}

    def call(self, who: str, method: str, path: str, body: object = None) -> Any:
        """A call of REST."""
        return self.gerrit.call(method, path, body, who=who)

    def tree(self, who: str, project: str) -> WorkTree:
        """Somebody's clone."""
        if f"{who}/{project}" not in self._trees:
            host = self.gerrit.url.removeprefix("http://")
            tree = WorkTree.new(self._root / who / project, name=who.title(), email=f"{who}@example.com")
            tree.git("remote", "add", "origin", f"http://{who}:{SECRET}@{host}/a/{project}")
            self._trees[f"{who}/{project}"] = tree
        return self._trees[f"{who}/{project}"]

    def push(
        self, name: str, who: str, project: str, files: Mapping[str, str], *, onto: str = "", ref: str = "main",
        message: str = "",
    ) -> None:  # fmt: skip
        """A change, or a new patch set of it."""
        tree = self.tree(who, project)
        tree.git("fetch", "-q", "origin")
        tree.git("checkout", "-q", "--detach", self.commits[onto] if onto else "origin/main")
        for path, text in files.items():
            tree.put(path, text)
        text = message or f"Change {name}"
        self.commits[name] = tree.commit(f"{text}\n\nChange-Id: {change_id(name)}\n")
        done = tree.run("push", "origin", f"HEAD:refs/for/{ref}")
        assert done.returncode == 0, done.stderr
        if found := re.findall(r"/\+/(\d+)", done.stderr):
            self.numbers[name] = int(found[-1])

    def gerrit_refs(self, project: str) -> dict[str, str]:
        """All references of a repository there."""
        said = self.tree("admin", project).git("ls-remote", "origin")
        return {ref: commit for commit, ref in (line.split() for line in said.splitlines())}

    def review(self, who: str, name: str, revision: str = "current", **body: object) -> None:
        """Somebody says something of a change."""
        self.call(who, "POST", f"changes/{self.numbers[name]}/revisions/{revision}/review", body)

    def act(self, who: str, name: str, method: str, what: str, body: object = None) -> Any:
        """Anything else about a change."""
        return self.call(who, method, f"changes/{self.numbers[name]}/{what}", {} if body is None else body)


def people(filled: Filled) -> None:
    """Accounts with keys and a second address, one that is switched off, and groups that contain each other."""
    gerrit = filled.gerrit
    gerrit.add_person("ann", filled.key)
    for name in ("ben", "cho", "old"):
        gerrit.add_person(name)
    filled.call("admin", "PUT", "accounts/ann/emails/ann%40home.example.net", {"no_confirmation": True})
    filled.call("admin", "DELETE", "accounts/old/active")
    filled.call("admin", "PUT", "groups/api-core", {"description": "Who approves", "visible_to_all": True})
    filled.call("admin", "PUT", "groups/everyone-who-writes", {})
    filled.call("admin", "PUT", "groups/api-core/members/ben")
    filled.call("admin", "PUT", "groups/everyone-who-writes/members/ann")
    filled.call("admin", "PUT", "groups/everyone-who-writes/groups/api-core")


def projects(filled: Filled) -> None:
    """Repositories with a branch, tags, and rights of their own."""
    for name in ("api", "tools/lint"):
        filled.gerrit.add_project(name)
        tree = filled.tree("admin", name)
        tree.env |= {"GIT_AUTHOR_EMAIL": "admin@example.com", "GIT_COMMITTER_EMAIL": "admin@example.com"}
    core = filled.call("admin", "GET", "groups/api-core")["id"]
    rule = {"rules": {core: {"action": "ALLOW"}}}
    add = {"refs/heads/*": {"permissions": {"submit": rule, "create": rule}}}
    filled.call("admin", "POST", "projects/api/access", {"add": add})
    base = filled.call("admin", "GET", "projects/api/branches/main")["revision"]
    filled.call("admin", "PUT", "projects/api/branches/stable", {"revision": base})
    filled.call("admin", "PUT", "projects/api/tags/v1", {"revision": base, "message": "One"})
    filled.call("admin", "PUT", "projects/api/description", {"description": "What all use"})


def changes(filled: Filled) -> None:
    """Changes in every state, with votes, comments, threads, topics, a chain of two, and several patch sets."""
    filled.push("talk", "ann", "api", {"a.py": "a = 1\nb = 2\n"})
    filled.review("ben", "talk", labels={"Code-Review": -1}, message="Not yet", comments={
        "a.py": [{"line": 1, "message": "Why one?", "unresolved": True}],
        "/PATCHSET_LEVEL": [{"message": "See inside", "unresolved": False}],
    })  # fmt: skip
    asked = filled.act("ann", "talk", "GET", "comments", "")["a.py"][0]
    filled.review("ann", "talk", comments={
        "a.py": [{"line": 1, "message": "Because", "in_reply_to": asked["id"], "unresolved": False}]
    })  # fmt: skip
    filled.push("talk", "ann", "api", {"a.py": "a = 2\nb = 2\n"})
    span = {"start_line": 2, "start_character": 0, "end_line": 2, "end_character": 5}
    filled.review("cho", "talk", tag="autogenerated:lint", comments={
        "a.py": [{"line": 2, "range": span, "message": "Unused", "unresolved": True}]
    })  # fmt: skip
    filled.review("cho", "talk", labels={"Code-Review": 1, "Workflow": 1})
    filled.act("ann", "talk", "PUT", "topic", {"topic": "cleanup"})
    filled.act("ann", "talk", "POST", "hashtags", {"add": ["later", "small"]})
    filled.act("ann", "talk", "POST", "reviewers", {"reviewer": "ben@example.com", "state": "CC"})
    filled.push("first", "ann", "api", {"c.py": "c = 1\n"})
    filled.push("second", "ann", "api", {"d.py": "d = 1\n"}, onto="first")
    filled.push("landed", "ann", "api", {"e.py": "e = 1\n"})
    filled.review("ben", "landed", labels={"Code-Review": 2, "Workflow": 1}, message="Good")
    filled.review("gate", "landed", labels={"Verified": 2}, tag="autogenerated:gate")
    filled.act("ben", "landed", "POST", "submit")
    filled.push("dropped", "ann", "tools/lint", {"x": "x\n"}, message="Drop me")
    filled.act("ann", "dropped", "POST", "abandon", {"message": "Not needed"})
    filled.push("draft", "ann", "tools/lint", {"y": "y\n"}, ref="main%wip,topic=slow")
    filled.push("secret", "admin", "tools/lint", {"z": "z\n"}, ref="main%private")


def more(filled: Filled) -> None:
    """What happens there after the first import."""
    filled.push("late", "ben", "api", {"f.py": "f = 1\n"})
    filled.review("ben", "talk", message="Looks better", labels={"Code-Review": 2})
    filled.push("second", "ann", "api", {"d.py": "d = 2\n"}, onto="first")
    filled.review("ben", "first", labels={"Code-Review": 2, "Workflow": 1})
    filled.review("gate", "first", labels={"Verified": 2})
    filled.act("ben", "first", "POST", "submit")
    filled.gerrit.add_person("dan")


def fill(filled: Filled) -> None:
    """Everything that is there before the first import."""
    people(filled)
    projects(filled)
    changes(filled)
