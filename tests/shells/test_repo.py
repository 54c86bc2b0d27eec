# SPDX-License-Identifier: Apache-2.0
"""The server's git, against the real program: stores, reads, compare-and-swap, merges, final commits, copies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gatebot.errors import Conflict, Invalid, NotFound
from gatebot.repo import (
    ZERO,
    FinalCommit,
    GitError,
    MergeConflict,
    MergedTree,
    NotFastForward,
    Person,
    Repositories,
    person,
)
from tests.fakes.git import WorkTree

GATE = Person("gatebot", "gatebot@example.org", 1_790_000_000)


@pytest.fixture
def repos(tmp_path: Path) -> Repositories:
    return Repositories(tmp_path / "git")


@pytest.fixture
def work(tmp_path: Path) -> WorkTree:
    """A history with a common ancestor (tag `base`) and four branches that change it differently."""
    work = WorkTree.new(tmp_path / "work")
    work.commit("base", a_dot_txt="one\ntwo\nthree\n", lib__b_dot_txt="b\n" * 20)
    work.git("tag", "base")
    for branch, files in {
        "side": {"new_dot_txt": "new\n"},
        "clash": {"a_dot_txt": "one\nTWO of clash\nthree\n"},
        "ahead": {"c_dot_txt": "c\n"},
    }.items():
        work.git("checkout", "-q", "-b", branch, "base")
        work.commit(f"Work of {branch}", **files)
    work.git("checkout", "-q", "main")
    work.commit("Main goes on", a_dot_txt="one\nTWO of main\nthree\n")
    return work


@pytest.fixture
def api(repos: Repositories, work: WorkTree) -> str:
    repos.import_from("demo/api", str(work.path))
    return "demo/api"


@pytest.mark.parametrize(
    "name", ["", "../x", "a/../b", "/abs", "a//b", ".hidden", "-x", "a/-x", "a.git", "a.git/b", "a b", "speculation/q"]
)
def test_a_name_that_leaves_the_root_or_hides_is_refused(repos: Repositories, name: str) -> None:
    with pytest.raises(Invalid, match="cannot be a project's name"):
        repos.create(name)
    assert not repos.exists(name)


def test_a_new_repository_is_bare_empty_and_safe(repos: Repositories) -> None:
    repos.create("demo/api", default_branch="trunk")
    assert repos.exists("demo/api")
    assert repos.path("demo/api") == repos.root / "demo/api.git"
    assert repos.default_branch("demo/api") == "trunk"
    assert repos.branches("demo/api") == {}
    assert repos.projects() == ("demo/api",)
    config = (repos.path("demo/api") / "config").read_text()
    assert "hooksPath = /dev/null" in config
    assert "fsckObjects = true" in config
    assert '[protocol "ext"]\n\tallow = never' in config


def test_a_repository_is_made_once(repos: Repositories) -> None:
    repos.create("demo/api")
    with pytest.raises(Conflict, match="exists already"):
        repos.create("demo/api")
    with pytest.raises(NotFound, match="no repository demo/other"):
        repos.path("demo/other")


def test_an_import_brings_branches_tags_and_the_default_branch(repos: Repositories, work: WorkTree) -> None:
    work.git("checkout", "-q", "ahead")
    repos.import_from("demo/api", str(work.path))
    assert sorted(repos.branches("demo/api")) == ["ahead", "clash", "main", "side"]
    assert repos.resolve("demo/api", "refs/tags/base") == work.git("rev-parse", "base")
    assert repos.default_branch("demo/api") == "ahead"


@pytest.mark.parametrize("source", ["ext::sh -c true", "--upload-pack=touch x", "no/such/directory"])
def test_an_import_from_what_is_no_repository_is_refused(repos: Repositories, source: str) -> None:
    with pytest.raises(Invalid, match="neither a directory nor a URL"):
        repos.import_from("demo/api", source)
    assert not repos.exists("demo/api")


def test_commits_files_and_logs_are_read(repos: Repositories, api: str, work: WorkTree) -> None:
    tip = work.git("rev-parse", "side")
    commit = repos.commit(api, tip)
    assert (commit.id, commit.subject, commit.author.name, commit.author.email) == (
        tip,
        "Work of side",
        "Mina",
        "mina@example.org",
    )
    assert commit.parents == (work.git("rev-parse", "base"),)
    assert repos.read_file(api, tip, "new.txt") == b"new\n"
    assert repos.read_file(api, tip, "absent.txt") is None
    assert repos.read_file(api, tip, "lib") is None
    assert [path for path, _ in repos.list_files(api, tip)] == ["a.txt", "lib/b.txt", "new.txt"]
    assert [path for path, _ in repos.list_files(api, tip, "lib")] == ["lib/b.txt"]
    assert [entry.subject for entry in repos.log(api, tip)] == ["Work of side", "base"]
    assert [entry.id for entry in repos.log(api, tip, without=(commit.parents[0],))] == [tip]
    with pytest.raises(NotFound, match="no commit"):
        repos.commit(api, "1" * 40)


def test_ancestry_is_answered(repos: Repositories, api: str, work: WorkTree) -> None:
    base, side, main = (work.git("rev-parse", name) for name in ("base", "side", "main"))
    assert repos.is_ancestor(api, base, side)
    assert repos.is_ancestor(api, side, side)
    assert not repos.is_ancestor(api, side, main)
    assert repos.merge_base(api, side, main) == base


def test_a_difference_tells_files_counts_lines_and_renames(repos: Repositories, work: WorkTree) -> None:
    work.git("mv", "lib/b.txt", "lib/renamed.txt")
    work.put("picture.bin", "\0\1\2")
    work.git("rm", "-q", "a.txt")
    tip = work.commit("Everything at once", lib__c_dot_txt="한국어\n")
    repos.import_from("p", str(work.path))
    files = {file.path: file for file in repos.changed_files("p", tip)}
    assert {path: (file.status, file.added, file.deleted) for path, file in files.items()} == {
        "a.txt": ("D", 0, 3),
        "lib/c.txt": ("A", 1, 0),
        "lib/renamed.txt": ("R", 0, 0),
        "picture.bin": ("A", 0, 0),
    }
    assert files["lib/renamed.txt"].old_path == "lib/b.txt"
    assert files["picture.bin"].binary
    (shown,) = repos.diff("p", work.git("rev-parse", "main~1"), tip, "lib/c.txt")
    assert [(line.sign, line.old, line.new, line.text) for line in shown.hunks[0].lines] == [("+", None, 1, "한국어")]


def test_a_difference_larger_than_the_limit_is_listed_without_lines(repos: Repositories, work: WorkTree) -> None:
    tip = work.commit("Long", long_dot_txt="x\n" * 100)
    repos.import_from("p", str(work.path))
    (shown,) = repos.diff("p", work.git("rev-parse", "main~1"), tip, lines=50)
    assert (shown.truncated, shown.hunks, shown.change.added) == (True, (), 100)


def test_a_reference_moves_only_from_where_it_is_expected(repos: Repositories, api: str, work: WorkTree) -> None:
    base, side = work.git("rev-parse", "base"), work.git("rev-parse", "side")
    ref = "refs/changes/01/1/1"
    assert repos.update_ref(api, ref, ZERO, base)
    assert not repos.update_ref(api, ref, ZERO, side)
    assert not repos.update_ref(api, ref, side, base)
    assert repos.update_ref(api, ref, base, side)
    assert repos.resolve(api, ref) == side
    assert not repos.update_ref(api, ref, base, ZERO)
    assert repos.update_ref(api, ref, side, ZERO)
    assert repos.resolve(api, ref) is None
    with pytest.raises(NotFound, match="has no object"):
        repos.update_ref(api, ref, ZERO, "1" * 40)
    with pytest.raises(Invalid, match="not a full reference name"):
        repos.update_ref(api, "main", ZERO, base)


def test_a_reference_that_git_packed_is_seen_where_it_is(repos: Repositories, api: str, work: WorkTree) -> None:
    main, side = work.git("rev-parse", "main"), work.git("rev-parse", "side")
    subprocess.run(["git", f"--git-dir={repos.path(api)}", "pack-refs", "--all"], check=True)
    assert not repos.update_ref(api, "refs/heads/main", ZERO, side)
    assert repos.update_ref(api, "refs/heads/main", main, side)
    assert repos.update_ref(api, "refs/heads/main", side, ZERO)
    assert "main" not in repos.branches(api)


def test_of_many_writers_at_once_each_move_has_one_winner(repos: Repositories, api: str) -> None:
    """Threads and another process count one chain of commits up; no step is taken twice, none is lost."""
    base = repos.branches(api)["main"]
    tree = repos.commit(api, base).tree
    chain = [base]
    for step in range(60):
        chain.append(repos.write_commit(api, tree, (chain[-1],), GATE, GATE, f"step {step}\n"))
    won: list[int] = []
    start = threading.Barrier(4)

    def climb() -> None:
        start.wait()
        at = 0
        while at < 60:
            if repos.update_ref(api, "refs/heads/main", chain[at], chain[at + 1]):
                won.append(at)
            tip = repos.resolve(api, "refs/heads/main")
            at = chain.index(tip) if tip else at

    other = (
        "import sys; from pathlib import Path; from gatebot.repo import Repositories\n"
        "repos = Repositories(Path(sys.argv[1])); chain = sys.argv[2:]; at = 0\n"
        "while at < 60:\n"
        "    if repos.update_ref('demo/api', 'refs/heads/main', chain[at], chain[at + 1]): print(at)\n"
        "    at = chain.index(repos.resolve('demo/api', 'refs/heads/main') or chain[at])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", other, str(repos.root), *chain], stdout=subprocess.PIPE, text=True
    )
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(climb) for _ in range(4)]:
            future.result()
    said, _ = process.communicate(timeout=30)
    assert sorted([*won, *map(int, said.split())]) == list(range(60))


def test_a_merge_is_clean_or_names_the_paths(repos: Repositories, api: str, work: WorkTree) -> None:
    tips = repos.branches(api)
    merged = repos.merge(api, tips["main"], tips["side"])
    assert isinstance(merged, MergedTree)
    work.git("checkout", "-q", "-b", "expected", "main")
    work.git("merge", "-q", "-m", "x", "side")
    assert merged.tree == work.git("rev-parse", "HEAD^{tree}")
    assert repos.merge(api, tips["main"], tips["clash"]) == MergeConflict(("a.txt",))


def test_a_merge_honours_the_attributes_of_the_tip(repos: Repositories, work: WorkTree) -> None:
    work.commit("union", _dot_gitattributes="a.txt merge=union\n")
    repos.import_from("p", str(work.path))
    tips = repos.branches("p")
    merged = repos.merge("p", tips["main"], tips["clash"])
    assert isinstance(merged, MergedTree)
    final = repos.write_commit("p", merged.tree, (tips["main"],), GATE, GATE, "x\n")
    assert repos.read_file("p", final, "a.txt") == b"one\nTWO of main\nTWO of clash\nthree\n"


def test_a_commit_is_the_same_for_the_same_arguments(repos: Repositories, api: str, work: WorkTree) -> None:
    tree = work.git("rev-parse", "main^{tree}")
    main = work.git("rev-parse", "main")
    one = repos.write_commit(api, tree, (main,), GATE, GATE, "안녕\n")
    assert repos.write_commit(api, tree, (main,), GATE, GATE, "안녕\n") == one
    assert repos.commit(api, one).author == GATE


@pytest.mark.zuul(93)
def test_final_commits_follow_the_submit_type(repos: Repositories, api: str, work: WorkTree) -> None:
    tips, base = repos.branches(api), work.git("rev-parse", "base")

    def final(submit_type: str, branch: str, onto: str) -> FinalCommit | MergeConflict | NotFastForward:
        return repos.final_commit(
            api, submit_type, tips[branch], onto, branch="main", committer=GATE, footers=("Reviewed-on: http://x/1",)
        )

    forward = final("MERGE_IF_NECESSARY", "side", base)
    assert forward == FinalCommit(tips["side"], repos.commit(api, tips["side"]).tree)
    assert final("FAST_FORWARD_ONLY", "side", base) == forward
    assert final("FAST_FORWARD_ONLY", "side", tips["main"]) == NotFastForward()
    assert final("MERGE_IF_NECESSARY", "clash", tips["main"]) == MergeConflict(("a.txt",))
    assert final("CHERRY_PICK", "clash", tips["main"]) == MergeConflict(("a.txt",))

    merged = final("MERGE_IF_NECESSARY", "side", tips["main"])
    assert isinstance(merged, FinalCommit)
    commit = repos.commit(api, merged.commit)
    assert (commit.parents, commit.message, commit.committer) == (
        (tips["main"], tips["side"]),
        'Merge "Work of side"\n',
        GATE,
    )
    always = final("MERGE_ALWAYS", "side", base)
    assert isinstance(always, FinalCommit)
    assert repos.commit(api, always.commit).parents == (base, tips["side"])

    picked = final("CHERRY_PICK", "side", tips["main"])
    assert isinstance(picked, FinalCommit)
    commit = repos.commit(api, picked.commit)
    assert (commit.parents, commit.message, commit.author.name, commit.committer, picked.tree) == (
        (tips["main"],),
        "Work of side\n\nReviewed-on: http://x/1\n",
        "Mina",
        GATE,
        merged.tree,
    )


@pytest.mark.zuul(93)
def test_a_rebase_picks_a_change_onto_the_branch_and_leaves_one_that_stands_on_it(
    repos: Repositories, api: str, work: WorkTree
) -> None:
    tips, base = repos.branches(api), work.git("rev-parse", "base")

    def final(submit_type: str, onto: str) -> FinalCommit:
        found = repos.final_commit(
            api, submit_type, tips["side"], onto, branch="main", committer=GATE, footers=("Reviewed-on: http://x/1",)
        )
        assert isinstance(found, FinalCommit)
        return found

    assert final("REBASE_IF_NECESSARY", base).commit == tips["side"]
    rebased = repos.commit(api, final("REBASE_IF_NECESSARY", tips["main"]).commit)
    assert (rebased.parents, rebased.message, rebased.author.name) == ((tips["main"],), "Work of side\n", "Mina")
    always = repos.commit(api, final("REBASE_ALWAYS", base).commit)
    assert (always.parents, always.message) == ((base,), "Work of side\n\nReviewed-on: http://x/1\n")


@pytest.mark.zuul(93)
@pytest.mark.parametrize("submit_type", ["CHERRY_PICK", "REBASE_IF_NECESSARY", "REBASE_ALWAYS"])
def test_a_pick_that_would_be_empty_is_the_branch_and_a_merge_is_merged_rather_than_picked(
    repos: Repositories, api: str, work: WorkTree, submit_type: str
) -> None:
    tips = repos.branches(api)
    first = repos.final_commit(api, "CHERRY_PICK", tips["side"], tips["main"], branch="main", committer=GATE)
    assert isinstance(first, FinalCommit)
    again = repos.final_commit(api, submit_type, tips["side"], first.commit, branch="main", committer=GATE)
    assert again == first
    merge = repos.final_commit(api, "MERGE_ALWAYS", tips["side"], tips["main"], branch="main", committer=GATE)
    assert isinstance(merge, FinalCommit)
    assert repos.final_commit(api, submit_type, merge.commit, tips["main"], branch="main", committer=GATE) == merge


def test_a_change_that_the_branch_contains_is_the_branch(repos: Repositories, api: str, work: WorkTree) -> None:
    base, main = work.git("rev-parse", "base"), repos.branches(api)["main"]
    final = repos.final_commit(api, "MERGE_IF_NECESSARY", base, main, branch="main", committer=GATE)
    assert final == FinalCommit(main, repos.commit(api, main).tree)


def test_speculation_writes_nothing_into_the_projects_until_it_is_copied(repos: Repositories, api: str) -> None:
    tips = repos.branches(api)
    objects = repos.path(api) / "objects"
    before = sorted(objects.rglob("*"))
    queue = repos.speculation("main/gate/통합 queue", (api,))
    assert queue.store.startswith("speculation/main%2Fgate%2F")
    assert repos.speculation("main/gate/통합 queue", (api,)) == queue
    final = repos.final_commit(
        queue.store, "MERGE_IF_NECESSARY", tips["side"], tips["main"], branch="main", committer=GATE
    )
    assert isinstance(final, FinalCommit)
    assert repos.update_ref(queue.store, "refs/builds/1/main", ZERO, final.commit)
    assert sorted(objects.rglob("*")) == before
    assert repos.resolve(api, final.commit) is None

    assert repos.copy_objects(queue.store, final.commit, api) == 2
    assert repos.copy_objects(queue.store, final.commit, api) == 0
    assert repos.update_ref(api, "refs/heads/main", tips["main"], final.commit)
    subprocess.run(["git", f"--git-dir={repos.path(api)}", "fsck", "--strict"], check=True, capture_output=True)


def test_a_commit_without_files_is_copied_too(repos: Repositories, api: str) -> None:
    queue = repos.speculation("q", (api,))
    tip = repos.branches(api)["main"]
    who = person("A", "a@example.org", 1_700_000_000)
    # git knows the empty tree, and so do commits, also where no repository has it.
    empty = repos.write_commit(
        queue.store, "4b825dc642cb6eb9a060e54bf8d69288fbee4904", (tip,), who, who, "Begin anew\n"
    )
    assert repos.copy_objects(queue.store, empty, api) == 2
    assert repos.update_ref(api, "refs/heads/main", tip, empty)
    subprocess.run(["git", f"--git-dir={repos.path(api)}", "fsck", "--strict"], check=True, capture_output=True)


def test_a_project_that_joins_a_queue_later_is_read_there(repos: Repositories, api: str, work: WorkTree) -> None:
    queue = repos.speculation("q", (api,))
    assert repos.resolve(queue.store, work.git("rev-parse", "main"))
    other = WorkTree.new(work.path.with_name("other"))
    tip = other.commit("first", x="1\n")
    repos.import_from("other", str(other.path))
    assert repos.resolve(queue.store, tip) is None
    os.utime(repos.store_path(queue.store) / "objects/info/alternates", (1, 1))
    repos.speculation("q", (api, "other"))
    assert repos.resolve(queue.store, tip) == tip
    assert repos.projects() == ("demo/api", "other")


@pytest.mark.zuul(96)
def test_what_a_killed_process_left_is_removed_at_start_up(repos: Repositories, api: str) -> None:
    path = repos.path(api)
    main = repos.branches(api)["main"]
    (path / "refs/heads/main.lock").write_text("")
    (path / "packed-refs.lock").write_text("")
    (path / "objects/tmp_objdir-incoming-x").mkdir()
    (path / "config").write_text("[core]\n\tbare = true\n")
    with pytest.raises(GitError, match="cannot be moved"):
        repos.update_ref(api, "refs/heads/main", main, main)
    assert repos.settle_locks() == 3
    assert repos.update_ref(api, "refs/heads/main", main, main)
    assert "hooksPath = /dev/null" in (path / "config").read_text()


def test_a_lock_of_a_living_process_stays(repos: Repositories, api: str) -> None:
    path = repos.path(api)
    (path / "refs/heads/main.lock").write_text("")
    living = subprocess.Popen(["cat"], cwd=path, stdin=subprocess.PIPE)
    try:
        assert repos.settle_locks() == 0
    finally:
        living.communicate(timeout=10)
    assert repos.settle_locks() == 1
