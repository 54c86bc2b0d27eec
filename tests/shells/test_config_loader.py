# SPDX-License-Identifier: Apache-2.0
"""Loading from real repositories: which files count, what a change proposes, what is read again."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.loader import Loader, Proposed
from gatebot.pipeline.config.tenant import simple
from gatebot.repo import Repositories
from gatebot.words import say
from tests.fakes.configuration import PIPELINES

PROJECT = "- project: {check: {jobs: [unit]}}\n"
UNIT = "- job: {name: unit, run: ci/unit, timeout: %d}\n"


class Site:
    """Two projects with one commit each; commits are made in a clone and fetched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repositories = Repositories(root / "git")
        for project, files in (("config", {"zuul.yaml": PIPELINES}), ("a", {".zuul.yaml": UNIT % 1 + PROJECT})):
            work = root / "work" / project
            work.mkdir(parents=True)
            self.git(project, "init", "--quiet", "--initial-branch=main")
            self.commit(project, files)
            self.repositories.import_from(project, str(work))

    def git(self, project: str, *words: str) -> str:
        person = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        command = ["git", *person, *words]
        done = subprocess.run(command, cwd=self.root / "work" / project, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, project: str, files: Mapping[str, str | None]) -> str:
        for path, text in files.items():
            target = self.root / "work" / project / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            if text is not None:
                target.write_text(text)
        self.git(project, "add", "--all")
        self.git(project, "commit", "--quiet", "--message=x")
        return self.git(project, "rev-parse", "HEAD")

    def fetched(self, project: str, files: Mapping[str, str | None]) -> str:
        """A commit that is in the store but on no branch, as a proposed change is."""
        commit = self.commit(project, files)
        subprocess.run(
            ["git", "fetch", "--quiet", str(self.root / "work" / project), f"{commit}:refs/changes/01/1/1"],
            cwd=self.repositories.path(project),
            check=True,
        )
        return commit


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


TENANT = simple("main", ("config",), ("a", "not-yet"))


def test_what_is_merged_is_loaded_and_frozen(site: Site) -> None:
    layout = Loader(site.repositories).load(TENANT)
    assert layout.errors == ()
    assert [job.timeout for job in freeze(layout, "check", "a", "main").jobs] == [1]


def test_a_proposed_change_is_used_before_it_is_merged_and_only_changed_files_are_parsed_again(site: Site) -> None:
    loader = Loader(site.repositories)
    base = loader.load(TENANT)
    commit = site.fetched("a", {".zuul.yaml": UNIT % 2 + PROJECT})
    proposal = loader.propose(base, [Proposed("a", "main", "a", commit)])
    assert [job.timeout for job in freeze(proposal.layout, "check", "a", "main").jobs] == [2]
    assert proposal.layout.sources.files["config", "main"][0] is base.sources.files["config", "main"][0]
    other = site.fetched("a", {"README": "x"})
    assert loader.propose(proposal.layout, [Proposed("a", "main", "a", other)]).layout is proposal.layout


def test_a_change_of_a_config_project_is_checked_and_not_used(site: Site) -> None:
    loader = Loader(site.repositories)
    base = loader.load(TENANT)
    commit = site.fetched("config", {"zuul.yaml": PIPELINES + "- job: {name: x, timeuot: 1}\n"})
    proposal = loader.propose(base, [Proposed("config", "main", "config", commit)])
    assert proposal.layout is base
    assert [say(error.reason) for error in proposal.errors] == [
        "`timeuot` is not an attribute of `job`. Did you mean `timeout`?"
    ]


def test_the_first_root_is_read_and_hidden_directories_are_not(site: Site) -> None:
    files = {
        ".zuul.yaml": UNIT % 3,
        "zuul.d/b.yaml": PROJECT,
        "zuul.d/a.yaml": UNIT % 4,
        "zuul.d/hidden/.zuul.ignore": "",
        "zuul.d/hidden/c.yaml": "not: a list\n",
        "zuul.d/d.yml": "not: a list\n",
    }
    loader = Loader(site.repositories)
    proposal = loader.propose(loader.load(TENANT), [Proposed("a", "main", "a", site.fetched("a", files))])
    assert [job.timeout for job in freeze(proposal.layout, "check", "a", "main").jobs] == [4]
    assert [say(error.reason) for error in proposal.errors] == [
        "`.zuul.yaml` is not read, because `zuul.d` is there. Move everything to one of them."
    ]


def test_what_moved_is_read_again(site: Site) -> None:
    loader = Loader(site.repositories)
    before = loader.load(TENANT)
    commit = site.fetched("a", {".zuul.yaml": UNIT % 5 + PROJECT})
    tip = site.repositories.branches("a")["main"]
    assert site.repositories.update_ref("a", "refs/heads/main", tip, commit)
    after = loader.load(TENANT)
    assert [job.timeout for job in freeze(after, "check", "a", "main").jobs] == [5]
    assert after.sources.files["config", "main"] is before.sources.files["config", "main"]
