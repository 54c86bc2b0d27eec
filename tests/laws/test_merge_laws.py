# SPDX-License-Identifier: Apache-2.0
"""Law: a merge by the server is the merge that `git merge` makes in a work tree, on random small histories."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatebot.repo import MergeConflict, MergedTree, Repositories
from tests.fakes.git import WorkTree

PATHS = ("a.txt", "lib/b.txt", "lib/c.txt", "docs/d.txt")
edits = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(PATHS), st.integers(0, 5)),
        st.tuples(st.just("delete"), st.sampled_from(PATHS), st.just(0)),
        st.tuples(st.just("move"), st.sampled_from(PATHS), st.integers(0, 3)),
        st.tuples(st.just("rename-directory"), st.just("lib"), st.just(0)),
    ),
    min_size=1,
    max_size=4,
)


def lines(path: str) -> list[str]:
    return [f"{path} line {number}" for number in range(12)]


def apply(work: WorkTree, edit: tuple[str, str, int]) -> None:
    kind, path, number = edit
    target = work.path / path
    match kind:
        case "write":
            text = lines(path)
            text[number * 2] = f"changed {number} on {work.git('branch', '--show-current')}"
            work.put(path, "\n".join(text) + "\n")
        case "delete" if target.is_file():
            target.unlink()
        case "move" if target.is_file():
            target.rename(target.with_name(f"moved{number}.txt"))
        case "rename-directory" if target.is_dir() and not (work.path / "library").exists():
            target.rename(work.path / "library")
        case _:
            pass


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(ours=edits, theirs=edits)
def test_a_merge_is_the_merge_of_git(ours: list[tuple[str, str, int]], theirs: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        work = WorkTree.new(Path(directory) / "work")
        for path in PATHS:
            work.put(path, "\n".join(lines(path)) + "\n")
        work.commit("base")
        for branch, changes in (("ours", ours), ("theirs", theirs)):
            work.git("checkout", "-q", "-b", branch, "main")
            for edit in changes:
                apply(work, edit)
            work.commit(f"Work of {branch}")
        repos = Repositories(Path(directory) / "git")
        repos.import_from("p", str(work.path))
        tips = repos.branches("p")
        merged = repos.merge("p", tips["ours"], tips["theirs"])

        work.git("checkout", "-q", "ours")
        done = work.run("merge", "-q", "--no-ff", "-m", "merge", "theirs")
        if done.returncode == 0:
            assert merged == MergedTree(work.git("rev-parse", "HEAD^{tree}"))
        else:
            conflicts = work.git("diff", "--name-only", "--diff-filter=U").splitlines()
            assert isinstance(merged, MergeConflict)
            assert sorted(merged.paths) == sorted(conflicts)
