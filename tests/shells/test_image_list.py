# SPDX-License-Identifier: Apache-2.0
"""`gatebot image list`: what is there with its users, what was begun, and how to build what a label lacks."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatebot.architectures import canonical
from gatebot.cli import main
from gatebot.executor import images
from gatebot.executor.machines import images as machine_images
from gatebot.executor.machines import planning
from gatebot.executor.model import Label


def listed(site: Path, *words: str) -> str:
    done = CliRunner().invoke(main, [*words, "image", "list", "--site", str(site)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def _nothing(arch: str) -> None:
    """That lacks here."""


def test_images_are_listed_with_their_users_and_with_how_to_build_those_that_lack(tmp_path: Path) -> None:
    (tmp_path / "gatebot.toml").write_text(
        '[executor]\nimages = "images"\n[labels.mainframe]\narch = "s390x"\n[labels.own]\nimage = "bookworm-mine"\n'
    )
    place, own = tmp_path / "images", images.definition_for_host().name
    (place / own / "etc").mkdir(parents=True)
    (place / own / "etc/passwd").write_text("root\n" * 200_000)
    (place / "bookworm-mine.new").mkdir()
    there, making, *lacking = listed(tmp_path).splitlines()
    assert there.split("\t")[:2] == [own, "1 MB"]
    assert there.endswith("\tsmall, debian, offline")
    assert making == "bookworm-mine\tbegun, not finished\t\t"
    assert sorted(lacking) == [
        f"bookworm-mine\tnot built\tput a root file system into {place}/bookworm-mine\town",
        f"default\tnot built\tgatebot image build mainframe --site {tmp_path}\tmainframe",
    ]
    told = json.loads(listed(tmp_path, "--json"))
    assert [one["state"] for one in told] == ["built", "begun, not finished", "not built", "not built"]


def test_images_of_virtual_machines_are_listed_with_the_labels_that_begin_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "lacks", _nothing)  # qemu need not be installed
    (tmp_path / "gatebot.toml").write_text(
        '[executor]\nimages = "images"\n[providers.vm]\nkind = "qemu"\n'
        '[labels.machine]\nprovider = "vm"\narch = "arm64"\n[labels.other]\nprovider = "vm"\narch = "s390x"\n'
    )
    place, own = tmp_path / "images", machine_images.name(machine_images.definition("arm64"))
    (place / own).mkdir(parents=True)
    (place / own / "disk.img").write_bytes(b"x" * 2_000_000)
    lines = [line.split("\t") for line in listed(tmp_path).splitlines()]
    assert [own, "2 MB", "machine"] in [[line[0], line[1], line[3]] for line in lines]
    assert ["machine", "not built", f"gatebot image build other --site {tmp_path}", "other"] in lines
    assert {line[3] for line in lines} == {"machine", "other"}
    making = machine_images.name_of("s390x")
    (place / f"{making}.root.new").mkdir()
    with images.alone(making, place) as held:
        os.utime(held, (0, 9 * 3600 + 10 * 60))
        assert f"{making}\tbeing built since 09:10 UTC\t\tother" in listed(tmp_path).splitlines()


def test_what_a_server_builds_is_not_offered_again_nor_what_this_machine_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = "arm64" if canonical(platform.machine()) != "arm64" else "s390x"
    (tmp_path / "gatebot.toml").write_text(
        '[executor]\nimages = "images"\n[labels.more]\npackages = ["iproute2"]\n'
        f'[labels.board]\narch = "{foreign}"\nexecution = "native"\n'
    )
    more = images.definition_of(Label("more", packages=("iproute2",))).name
    (tmp_path / "images" / f"{more}.new").mkdir(parents=True)
    assert listed(tmp_path) == f"{more}\tbegun, not finished\t\tmore\n"
    with images.alone(more, tmp_path / "images") as held:
        os.utime(held, (0, 9 * 3600 + 10 * 60))
        assert listed(tmp_path) == f"{more}\tbeing built since 09:10 UTC\t\tmore\n"
        monkeypatch.chdir(tmp_path)
        here = CliRunner().invoke(main, ["image", "list"], catch_exceptions=False)
        assert here.stdout == listed(tmp_path), "the site is that of the directory"
