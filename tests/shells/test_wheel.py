# SPDX-License-Identifier: Apache-2.0
"""The wheel carries all that the server needs beside its code, and runs where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.irc import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
INSIDE = {"gatebot": "gatebot", "web": "gatebot/_data/web", "jobs": "gatebot/_data/jobs", "demo": "gatebot/_data/demo"}
TWO_NODES = """\
- job:
    name: talk
    run: talk.yaml
    nodeset: {nodes: [{name: one, label: small}, {name: two, label: small}]}
- project:
    check: {jobs: [talk]}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the working tree without the network."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(place.glob("gatebot-*.whl"))


@pytest.fixture(scope="module")
def open_place() -> Iterator[Path]:
    """A directory that every user may enter: a server that root starts becomes somebody else."""
    with tempfile.TemporaryDirectory(prefix="gatebot-wheel-", dir="/var/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def installed(wheel: Path, open_place: Path) -> Path:
    """The wheel, unpacked where an installation would put it."""
    place = open_place / "installed"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)
        for one in packed.infolist():
            if executable(one):  # as pip does
                (place / one.filename).chmod(0o755)
    return place


def executable(file: zipfile.ZipInfo) -> bool:
    """Whether a wheel says that a file is a program."""
    return bool((file.external_attr >> 16) & 0o111)


def in_wheel(installed: Path, empty: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a Python that finds gatebot in the unpacked wheel and not in the checkout."""
    program = f"import sys; sys.path[:] = [{str(installed)!r}, *[p for p in sys.path if p != {str(ROOT)!r}]]; "
    command = [sys.executable, "-P", "-c", program + words[0], *words[1:]]
    return subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)


def tracked(folder: str) -> list[str]:
    """What git tracks below a folder and is there."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", folder]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return [name for name in asked.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("folder", INSIDE)
def test_every_file_of_code_and_data_is_in_the_wheel(wheel: Path, folder: str) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {INSIDE[folder] + name.removeprefix(folder) for name in tracked(folder)}
    assert wanted
    assert sorted(wanted - names) == []


def test_programs_are_programs_in_the_wheel(wheel: Path) -> None:
    listed = zipfile.ZipFile(wheel).infolist()
    programs = {one.filename for one in listed if executable(one)}
    wanted = {
        f"{INSIDE[folder]}{name.removeprefix(folder)}"
        for folder in INSIDE
        for name in tracked(folder)
        if os.access(ROOT / name, os.X_OK)
    }
    assert "gatebot/_data/jobs/ansible/bin/ssh" in wanted
    assert programs == wanted


def test_a_playbook_over_two_nodes_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / ".zuul.yaml").write_text(TWO_NODES)
    (tmp_path / "talk.yaml").write_text("- hosts: all\n  tasks: [{debug: {msg: 'at {{ inventory_hostname }}'}}]\n")
    said = in_wheel(
        installed,
        tmp_path,
        "from gatebot.cli import main; main(prog_name='gatebot')",
        "run",
        "talk",
        "--project",
        "hello",
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "at one" in said.stdout
    assert "at two" in said.stdout


def test_the_source_that_the_tour_gates_is_in_the_wheel(installed: Path) -> None:
    with tarfile.open(installed / "gatebot" / "_data" / "source.tar.gz") as archive:
        names = set(archive.getnames())
    assert {"pyproject.toml", "gatebot/__init__.py", "tests/test_house.py"} <= names
    assert not [name for name in names if name.endswith(".whl")]


def test_assets_are_found_in_the_installed_wheel(installed: Path, tmp_path: Path) -> None:
    said = in_wheel(installed, tmp_path, "from gatebot import assets; print(assets.path('web'), assets.checkout())")
    assert said.stdout == f"{installed}/gatebot/_data/web None\n", said.stderr


def test_the_command_runs_from_the_wheel_in_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    said = in_wheel(installed, tmp_path, "from gatebot.cli import main; main(prog_name='gatebot')", "--help")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("Usage: gatebot ")


def test_a_new_site_is_served_from_the_wheel(installed: Path, open_place: Path) -> None:
    empty = open_place / "empty"
    empty.mkdir()
    listen = f"127.0.0.1:{free_port()}"
    gatebot = [sys.executable, "-P", "-m", "gatebot"]
    surroundings = {**os.environ, "PYTHONPATH": str(installed)}
    init = [*gatebot, "init", "site", "--listen", listen, "--ssh-listen", ""]
    subprocess.run(init, cwd=empty, env=surroundings, check=True, capture_output=True)
    with subprocess.Popen([*gatebot, "serve", "site"], cwd=empty, env=surroundings, stderr=subprocess.PIPE) as server:
        assert server.stderr is not None
        said = b""
        while b"serving" not in said:
            said = server.stderr.readline()
            assert said, "the server ended"
        page, hook, style, projects = (
            urllib.request.urlopen(f"http://{listen}{path}", timeout=60).read().decode()
            for path in ("/status", "/tools/hooks/commit-msg", "/static/gatebot.css", "/projects/")
        )
        server.terminate()
        server.stderr.read()
    assert "<h1>" in page
    assert hook.startswith("#!/bin/sh\n")
    assert "color-scheme" in style
    assert '"gatebot-config"' in projects
    assert server.returncode == 0
    assert [path.name for path in empty.iterdir()] == ["site"]


def test_the_build_leaves_only_the_wheel_behind(wheel: Path) -> None:
    assert [path.name for path in wheel.parent.iterdir()] == [wheel.name]
