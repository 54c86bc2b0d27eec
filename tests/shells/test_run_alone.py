# SPDX-License-Identifier: Apache-2.0
"""`gatebot run`: jobs of work trees as they are, on this machine, by the real command in the real sandbox."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from shutil import rmtree

import pytest

from gatebot.app.users import server_user
from gatebot.repo import Repositories
from gatebot.repo.worktrees import borrow, branch_of, take_files, take_tree
from tests.fakes.git import WorkTree
from tests.fakes.site import open_place

CONFIG = """\
- job: {name: unit, run: ci/unit}
- job: {name: book, run: ci/book.yaml, vars: {who: you}}
- project:
    check: {jobs: [unit, book]}
    gate: {jobs: [unit]}
"""
UNIT = """\
#!/bin/sh
cat greeting
ls -d ../lib 2>/dev/null
cp greeting $GATEBOT_ARTIFACTS/greeting.txt
grep -q hello greeting
"""
BOOK = (
    "- hosts: all\n  tasks:\n    - debug: {msg: 'in {{ zuul.pipeline }} for {{ who }} at {{ zuul.project.src_dir }}'}\n"
)


def gatebot(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command, as people run it."""
    command = [sys.executable, "-P", "-m", "gatebot", "run", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    """A checkout of the project `hello`, as people have it."""
    made = WorkTree.new(tmp_path / "hello")
    made.write(**{".zuul.yaml": CONFIG, "ci/unit": UNIT, "ci/book.yaml": BOOK, "greeting": "hello\n"})
    (made.path / "ci/unit").chmod(0o755)
    made.commit("Begin")
    return made


@pytest.fixture(autouse=True)
def left() -> Generator[list[Path]]:
    """What a test kept is taken away again."""
    kept: list[Path] = []
    yield kept
    for path in kept:
        rmtree(path.parent, ignore_errors=True)


def test_the_files_count_as_they_are_though_nobody_committed_them(tree: WorkTree, left: list[Path]) -> None:
    head = tree.git("rev-parse", "HEAD")
    (tree.path / "greeting").write_text("hello from here\n")
    done = gatebot("unit", "--keep", "--json", cwd=tree.path)
    answer = json.loads(done.stdout)
    left.append(kept := Path(answer["kept"]))
    assert (done.returncode, answer["result"]) == (0, "SUCCESS")
    assert "hello from here" in done.stderr
    assert (kept / "artifacts/greeting.txt").read_text() == "hello from here\n"
    assert (kept / "home/src/localhost/hello/greeting").read_text() == "hello from here\n"
    assert (tree.git("rev-parse", "HEAD"), tree.git("status", "--short")) == (head, "M greeting")


def test_a_job_that_fails_says_where_and_the_command_fails(tree: WorkTree, left: list[Path]) -> None:
    (tree.path / "greeting").write_text("good bye\n")
    done = gatebot("unit", cwd=tree.path)
    left.extend(Path(line.partition(": ")[2]) for line in done.stdout.splitlines() if line.startswith("Log and"))
    assert done.returncode == 1
    shown = done.stdout.splitlines()
    assert shown[-3:-1] == ["result: FAILURE. The step run ci/unit failed with exit code 1.", "unit: FAILURE"]
    assert shown[-1].startswith("Log and artifacts: /var/tmp/gatebot-run-")


def test_what_a_job_left_running_is_used_until_its_person_leaves(tree: WorkTree, left: list[Path]) -> None:
    wish = json.dumps({"enter": ["env", "WHO=you"], "says": ["Ask it: {enter} cat said"]})
    tree.write(**{"ci/unit": f"#!/bin/sh\ncd; echo 'I am here' > said; cat > .stay.json <<'END'\n{wish}\nEND\n"})
    command = [sys.executable, "-P", "-m", "gatebot", "run", "unit", "--keep"]
    with subprocess.Popen(command, cwd=tree.path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said = list(takewhile(lambda line: not line.startswith("Ask it: "), running.stdout))
        assert "The node stays until Ctrl-C here" in said[-1]
        program = said[-1].split()[-2]
        asked = subprocess.run([program, "sh", "-c", 'cat said; echo "$WHO $0"', "a b"], capture_output=True, text=True)
        assert (asked.stdout, asked.stderr, asked.returncode) == ("I am here\nyou a b\n", "", 0)
        assert subprocess.run([program, "false"], check=False).returncode == 1
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
    left.extend(Path(line.partition(": ")[2]) for line in rest.splitlines() if line.startswith("Log and"))
    assert (running.returncode, "unit: SUCCESS\n" in rest) == (0, True)
    assert [one.name for one in Path(program).parent.iterdir()] == ["kept"]


def test_labels_of_a_site_are_there_with_its_settings(tree: WorkTree, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/gatebot.toml").write_text(
        "[web]\nurl = 'https://review.example.org'\n[labels.tiny]\nmemory = '256M'\n"
    )
    refused = gatebot("book", "--node", "tiny", cwd=tree.path)
    assert "This machine has no nodes of label tiny, but of: small, debian, offline." in refused.stderr
    done = gatebot("book", "--node", "tiny", "--site", tmp_path / "site", cwd=tree.path)
    assert "in check for you at src/review.example.org/hello" in done.stdout
    assert done.stdout.endswith("book: SUCCESS\n")


def test_a_playbook_runs_with_the_variables_that_it_has_on_a_site(tree: WorkTree) -> None:
    tree.git("remote", "add", "origin", "ssh://you@review.example.org:29418/hello")
    done = gatebot("book", cwd=tree.path)
    assert "in check for you at src/review.example.org/hello" in done.stdout
    assert done.stdout.endswith("book: SUCCESS\n")
    assert done.stderr == "book of hello on main, as in check\n"


def test_a_repository_that_the_job_needs_is_taken_from_where_one_says(tree: WorkTree, left: list[Path]) -> None:
    job = "- job: {name: with-lib, parent: unit, required-projects: [lib]}\n"
    (tree.path / ".zuul.yaml").write_text(job + CONFIG.replace("book]", "book, with-lib]"))
    missing = gatebot("with-lib", cwd=tree.path)
    assert missing.returncode == 1
    assert ".zuul.yaml:1: The job requires project lib, which is not in this tenant." in missing.stderr
    assert "--repos DIR says where other projects are" in missing.stderr
    other = gatebot("book", cwd=tree.path)
    assert other.returncode == 0
    assert "A change with this configuration would not pass (errors: 1)" in other.stderr
    lib = tree.path.parent / "repos" / "lib"
    WorkTree.new(lib).commit("Begin", **{"lib.py": "x = 1\n"})
    done = gatebot("with-lib", "--repos", lib.parent, cwd=tree.path)
    left.extend(Path(line.partition(": ")[2]) for line in done.stdout.splitlines() if line.startswith("Log and"))
    assert (done.returncode, "../lib" in done.stdout) == (0, True)


def test_a_repository_is_taken_at_the_tag_that_the_job_names(tree: WorkTree) -> None:
    job = "- job: {name: with-lib, run: ci/old, required-projects: [{name: lib, override-checkout: v1}]}\n"
    (tree.path / ".zuul.yaml").write_text(job + CONFIG.replace("book]", "book, with-lib]"))
    (tree.path / "ci/old").write_text("#!/bin/sh\ncat ../lib/lib.py\n")
    (tree.path / "ci/old").chmod(0o755)
    lib = WorkTree.new(tree.path.parent / "repos" / "lib")
    lib.commit("Begin", **{"lib.py": "first = 1\n"})
    lib.git("tag", "-a", "-m", "One", "v1")
    lib.commit("Go on", **{"lib.py": "second = 2\n"})
    done = gatebot("with-lib", "--repos", lib.path.parent, cwd=tree.path)
    assert (done.returncode, "first = 1" in done.stdout) == (0, True), done.stdout + done.stderr


def test_without_a_name_the_jobs_are_listed_and_a_wrong_one_is_told_them(tree: WorkTree) -> None:
    listed = gatebot("--json", cwd=tree.path)
    assert {one["name"]: one["pipelines"] for one in json.loads(listed.stdout)}["unit"] == ["check", "gate"]
    wrong = gatebot("units", cwd=tree.path)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "Changes to hello on main run no job units. They run: book, noop, unit" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_broken_configuration_is_shown_with_its_line(tree: WorkTree) -> None:
    (tree.path / ".zuul.yaml").write_text(CONFIG.replace("run: ci/unit", "runs: ci/unit"))
    done = gatebot("unit", cwd=tree.path)
    assert done.returncode == 1
    assert ".zuul.yaml:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interruption_ends_the_build_and_leaves_nothing(tree: WorkTree) -> None:
    (tree.path / "ci/unit").write_text("#!/bin/sh\necho runs\nsleep 600\n")
    command = [sys.executable, "-P", "-m", "gatebot", "run", "unit"]
    with subprocess.Popen(command, cwd=tree.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line == "runs\n" for line in process.stdout)
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert out.endswith("result: CANCELED. It was interrupted.\nunit: CANCELED\n")
    assert process.returncode == 1


def test_a_plain_user_without_the_image_of_jobs_is_told_what_that_means(left: list[Path]) -> None:
    with open_place() as place:
        made = WorkTree.new(place / "hello")
        made.write(**{".zuul.yaml": CONFIG, "ci/unit": UNIT, "greeting": "hello\n"})
        (made.path / "ci/unit").chmod(0o755)
        who = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        if who:
            subprocess.run(["chown", "-R", "65534:65534", place], check=True)
        command = [sys.executable, "-P", "-m", "gatebot", "run", "unit"]
        home = {"PATH": os.environ["PATH"], "HOME": str(place), "XDG_DATA_HOME": str(place)}
        done = subprocess.run(
            command, cwd=made.path, env=home, capture_output=True, text=True, check=False, timeout=120, **who
        )  # type: ignore[call-overload]
    left.extend(Path(line.partition(": ")[2]) for line in done.stdout.splitlines() if line.startswith("Log and"))
    assert "unit: SUCCESS" in done.stdout, done.stdout + done.stderr
    assert "The image of jobs is not built here: the job sees this machine's own programs" in done.stdout
    assert "Build it once: gatebot image build\n" in done.stdout


def test_a_plain_directory_is_a_project_of_one_branch(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    (plain / "ci").mkdir(parents=True)
    (plain / ".zuul.yaml").write_text(CONFIG)
    repositories = Repositories(tmp_path / "git")
    borrow(repositories, "plain", plain, "main")
    commit = take_files(repositories, "plain", plain, "main")
    assert repositories.branches("plain") == {"main": commit}
    assert repositories.read_file("plain", commit, ".zuul.yaml") == CONFIG.encode()


def test_what_git_ignores_stays_out_and_the_index_of_its_owner_untouched(tree: WorkTree, tmp_path: Path) -> None:
    (tree.path / ".gitignore").write_text("*.log\n")
    (tree.path / "trace.log").write_text("secret\n")
    (tree.path / "new.py").write_text("new\n")
    repositories = Repositories(tmp_path / "git")
    borrow(repositories, "hello", tree.path)
    commit = take_files(repositories, "hello", tree.path, "main")
    names = {path for path, _ in repositories.list_files("hello", commit)}
    assert names >= {"new.py", ".gitignore"}
    assert "trace.log" not in names
    assert tree.git("status", "--short").splitlines() == ["?? .gitignore", "?? new.py"]


def test_files_that_were_never_checked_out_are_not_taken_as_deleted(tree: WorkTree, tmp_path: Path) -> None:
    repositories, head = Repositories(tmp_path / "git"), tree.git("rev-parse", "HEAD")
    borrow(repositories, "hello", tree.path)
    (tree.path / "greeting").unlink()
    (tree.path / "ci/unit").write_text("#!/bin/sh\nexit 1\n")
    partly = take_tree(repositories, "hello", tree.path, head, partly=True)
    whole = take_tree(repositories, "hello", tree.path, head)
    assert [repositories.read_file("hello", commit, "greeting") for commit in (partly, whole)] == [b"hello\n", None]
    assert repositories.read_file("hello", partly, "ci/unit") == b"#!/bin/sh\nexit 1\n"
    assert repositories.commit("hello", partly).parents == (head,)


@pytest.mark.parametrize(
    ("prepare", "branch"),
    [
        (("checkout", "--quiet", "-b", "topic"), "topic"),
        (("checkout", "--quiet", "-b", "topic", "--track", "main"), "main"),
    ],
)
def test_work_is_meant_for_the_branch_that_its_own_follows(
    tree: WorkTree, prepare: tuple[str, ...], branch: str
) -> None:
    tree.git(*prepare)
    assert branch_of(tree.path) == branch


def test_colours_of_a_job_pass_on_a_terminal_and_nothing_else_does(tree: WorkTree, left: list[Path]) -> None:
    (tree.path / "greeting").write_text("\x1b[31mhello\x1b[0m\x1b]0;title\x07\n")
    own, its = pty.openpty()
    command = [sys.executable, "-P", "-m", "gatebot", "run", "unit", "--sandbox", "none"]
    done = subprocess.run(command, cwd=tree.path, stdout=its, stderr=subprocess.DEVNULL, timeout=120)
    os.close(its)
    shown = b""
    with suppress(OSError):  # the other end is closed, and all of it was read
        while piece := os.read(own, 65536):
            shown += piece
    os.close(own)
    left.extend(Path(line.partition(": ")[2]) for line in shown.decode().splitlines() if line.startswith("Log and"))
    assert done.returncode == 0
    assert b"\x1b[31mhello\x1b[0m" in shown
    assert b"title" not in shown


def test_what_runs_left_long_ago_is_removed_but_for_homes_that_were_kept(tree: WorkTree, left: list[Path]) -> None:
    user, aged = server_user("gatebot"), time.time() - 8 * 86_400
    uid = user.uid if user is not None else os.getuid()
    for name in ("logs", "home", "lately"):
        place = Path(tempfile.mkdtemp(prefix="gatebot-run-", dir="/var/tmp"))
        left.append(kept := place / "kept")
        (kept / "home" if name == "home" else kept / "artifacts").mkdir(parents=True)
        os.chown(place, uid, uid)
        if name != "lately":
            os.utime(kept, (aged, aged))
    assert gatebot("book", cwd=tree.path).returncode == 0
    assert [kept.exists() for kept in left] == [False, True, True]
