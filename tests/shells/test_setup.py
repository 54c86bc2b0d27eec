# SPDX-License-Identifier: Apache-2.0
"""Set-up tells before it does, chooses what other users can read, and repeats nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts of tools/ import each other as they do when run."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    for name in ("setup", "places", "debian"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def places(tools: None) -> ModuleType:
    """tools/places.py."""
    import places

    return places


@pytest.fixture
def setup(tools: None) -> ModuleType:
    """tools/setup.py."""
    import setup

    return setup


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small repository of one commit, in a directory that others cannot enter."""
    root = tmp_path / "closed" / "checkout"
    (root / "gatebot").mkdir(parents=True)
    (root / "gatebot" / "__init__.py").write_text("one = 1\n")
    (root / "gatebot" / "old.py").write_text("")
    identity = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
    identity |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in identity.items()}
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *words], cwd=root, env={**os.environ, **identity}, check=True)
    root.parent.chmod(0o700)
    return root


def test_a_directory_that_others_cannot_enter_is_not_open_to_all(places: ModuleType, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").touch()
    assert not places.open_to_all(closed / "file")
    assert not places.open_to_all(tmp_path / "nowhere")
    assert places.open_to_all(Path("/usr/bin"))


def test_the_interpreter_is_new_enough_and_no_virtual_environment(places: ModuleType) -> None:
    python = places.interpreter()
    asked = "import sys; print(sys.version_info >= (3, 11), sys.prefix == sys.base_prefix)"
    said = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout == "True True\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only a root set-up gives up rights later")
def test_a_root_checkout_that_others_cannot_read_is_copied(places: ModuleType, checkout: Path) -> None:
    assert places.home(checkout).parent == Path("/var/lib/gatebot/checkouts")
    assert places.home(checkout).name.startswith("checkout-")


def test_the_copy_follows_the_checkout(places: ModuleType, checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "checkout"
    places.copy_checkout(checkout, copy)
    (checkout / "gatebot" / "__init__.py").write_text("one = 11\n")
    (checkout / "gatebot" / "new.py").write_text("")
    (checkout / "gatebot" / "old.py").unlink()
    places.copy_checkout(checkout, copy)
    assert (copy / "gatebot" / "__init__.py").read_text() == "one = 11\n"
    assert sorted(path.name for path in (copy / "gatebot").iterdir()) == ["__init__.py", "new.py"]
    heads = [
        subprocess.run(["git", "rev-parse", "HEAD"], cwd=where, capture_output=True, check=True).stdout
        for where in (checkout, copy)
    ]
    assert heads[0] == heads[1]


def test_a_link_takes_the_place_of_a_folder(places: ModuleType, tmp_path: Path) -> None:
    target, at = tmp_path / "target", tmp_path / "at"
    target.mkdir()
    (at / "inside").mkdir(parents=True)
    places.link(at, target)
    places.link(at, target)
    assert at.resolve() == target


def test_a_dry_run_needs_no_pip_and_changes_nothing(tmp_path: Path) -> None:
    for folder in ("tools", "gatebot"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for lock in ("requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / lock, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    python = ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", sys.executable, "-E", "-s", "-B"]
    command = [*python, str(tmp_path / "tools" / "setup.py"), "demo", "--dry-run"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("Set-up for `make demo`.\n")
    assert "Python packages, exact versions checked by hash: about 50 MB to fetch, 230 MB on disk, into " in said.stdout
    assert sorted(tmp_path.rglob("*")) == before


def test_without_root_the_missing_programs_are_told_with_what_they_cost(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup.debian, "can_install", lambda: False)
    need = setup.debian.Need("bubblewrap", ("no-such-program",), "the sandbox of jobs", "jobs run without a sandbox")
    setup.tell([need], False, setup.Image("/images", "mmdebstrap not installed"), "demo", setup.ROOT)
    assert capsys.readouterr().out == (
        "Set-up for `make demo`.\n"
        "  Missing on this system:\n"
        "    bubblewrap      the sandbox of jobs; without it jobs run without a sandbox\n"
        "  Only root can install these; this goes on without. To have them, run as root:\n"
        "    apt-get install --no-install-recommends --yes bubblewrap\n"
        "  The Debian that jobs run in is not made: mmdebstrap not installed; jobs run on this system's own files.\n"
    )
    assert setup.install_programs([need])


def test_only_a_program_that_nothing_works_without_stops_set_up(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup.debian, "can_install", lambda: False)
    git = setup.debian.Need("git", ("no-such-program",), "stores every change", "nothing works", required=True)
    assert not setup.install_programs([git])
    assert capsys.readouterr().out == (
        "git is missing: nothing works. As root: apt-get install --no-install-recommends --yes git\n"
    )


def test_the_image_is_told_with_its_size_before_it_is_made(
    setup: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.tell([], False, setup.Image("/images", ""), "demo", setup.ROOT)
    assert capsys.readouterr().out == (
        "Set-up for `make demo`.\n"
        "  The Debian that jobs run in (about 120 MB to fetch, 420 MB on disk, a minute or two), into /images.\n"
    )
    setup.tell([], False, None, "demo", setup.ROOT)
    assert capsys.readouterr().out == ""


def test_an_image_that_cannot_be_made_stops_nothing(
    setup: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program = tmp_path / ".venv" / "bin" / "gatebot"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho no archive answers; exit 3\n")
    program.chmod(0o755)
    setup.build_image(tmp_path)
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("  The Debian that jobs run in: FAILED in ")
    assert said[2:] == [
        "    no archive answers",
        "  Jobs run on this system's own files instead. To try again: .venv/bin/gatebot image build",
    ]


def test_a_failing_command_shows_its_last_words(setup: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert not setup.run("A step", ["sh", "-c", "echo no such index; exit 3"], dict(os.environ))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "  A step ..."
    assert said[1].startswith("  A step: FAILED in ")
    assert said[2:] == ["    no such index"]


def test_nothing_is_done_again_until_the_lock_changes(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / lock).write_text("a==1\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "gatebot").touch()
    assert not setup.is_current(tmp_path, "demo", "python")
    stamp = {"python": os.path.realpath("python"), "home": str(tmp_path), "demo": setup.locks()["demo"]}
    (tmp_path / ".venv" / setup.STAMP).write_text(json.dumps(stamp))
    assert setup.is_current(tmp_path, "demo", "python")
    assert not setup.is_current(tmp_path, "test", "python")
    assert not setup.is_current(tmp_path, "demo", "another python")
    (tmp_path / "requirements.lock").write_text("a==2\n")
    assert not setup.is_current(tmp_path, "demo", "python")


def test_the_lock_of_the_tests_holds_that_of_the_tour() -> None:
    def versions(lock: str) -> set[str]:
        lines = (ROOT / lock).read_text().splitlines()
        return {line.split(" ;")[0].rstrip(" \\") for line in lines if line[:1].isalpha()}

    assert sorted(versions("requirements.lock") - versions("requirements-dev.lock")) == []
