# SPDX-License-Identifier: Apache-2.0
"""What the guest of a cloud is made of on each architecture, and the labels that clouds have nodes of."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from gatebot import settings
from gatebot.executor import images
from gatebot.executor.labels import label_errors, site_labels
from gatebot.executor.machines import images as machine_images

Module = Callable[[str], ModuleType]
IMAGE = Path(__file__).parents[3] / "jobs/cloud/image"


def test_a_guest_whose_disk_does_not_boot_is_started_with_kernel_and_ramdisk(module: Module, tmp_path: Path) -> None:
    guest = module("guest")
    assert guest.properties("x86_64", dict.fromkeys(guest.parts(tmp_path), "")) == {}
    for part in guest.PARTS:
        (tmp_path / f"guest.{part}").touch()
    told = guest.properties("aarch64", {part: f"id of {part}" for part in guest.parts(tmp_path)})
    assert told == {
        "kernel_id": "id of kernel",
        "ramdisk_id": "id of ramdisk",
        "os_command_line": "console=ttyAMA0 mitigations=off panic=-1",
    }


def test_a_guest_that_firmware_starts_has_memory_for_it(module: Module) -> None:
    memory = module("guest").memory
    assert (memory("x86_64", 128), memory("aarch64", 128)) == (128, 256)


def test_the_labels_of_clouds_are_those_of_a_site_and_share_their_script() -> None:
    """The one of arm64 is appended to the other: the list of versions is there once."""
    text = (IMAGE / "gatebot.toml").read_text() + (IMAGE / "arm64.toml").read_text()
    found = settings.load(text, "gatebot.toml", label_errors)
    labels = site_labels(found.labels, {"vm": "qemu"})
    own, arm = labels["cloud"], labels["cloud-arm64"]
    assert (arm.nested, arm.memory, arm.script) == (True, own.memory, own.script)
    assert not any("x86" in one or "amd64" in one or "syslinux" in one for one in arm.packages)
    image = machine_images.definition("arm64", arm.packages, arm.script)
    assert image.script == own.script
    assert "mariadb-server" in image.packages.split(",")
    assert machine_images.name(image) != machine_images.name_of("arm64")
    alone = tomllib.loads((IMAGE / "gatebot.toml").read_text())["labels"]["cloud"]
    assert images.definition_of(own).script == alone["script"]


def test_whom_libvirt_looks_up_is_known_where_no_package_made_it_and_stays_as_it_is_elsewhere(
    module: Module, tmp_path: Path
) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (tmp_path / "group").write_text("root:x:0:\nlibvirt-qemu:x:112:\n")
    for _ in range(2):
        module("shims").accounts(tmp_path)
    assert (tmp_path / "passwd").read_text().count("libvirt-qemu:x:64055:64055:") == 1
    assert (tmp_path / "group").read_text() == "root:x:0:\nlibvirt-qemu:x:112:\n"


NOVA_SAYS = (
    '<os firmware="efi"><firmware><feature name="secure-boot" enabled="no"/></firmware><loader secure="no"/></os>'
)


@pytest.mark.parametrize(
    ("version", "told"), [(9_000_000, NOVA_SAYS.replace('<loader secure="no"/>', "")), (10_000_000, NOVA_SAYS)]
)
def test_libvirt_of_debian_12_is_not_told_twice_that_a_guest_boots_without_secure_boot(
    module: Module, tmp_path: Path, version: int, told: str
) -> None:
    (tmp_path / "libvirt.py").write_text(
        f"def getVersion(): return {version}\nclass virConnect:\n    def defineXML(self, xml): return xml\n"
    )
    (tmp_path / "sitecustomize.py").write_text(module("shims")._SITECUSTOMIZE)
    line = [sys.executable, "-c", f"import libvirt; print(libvirt.virConnect().defineXML({NOVA_SAYS!r}))"]
    said = subprocess.run(line, env={"PYTHONPATH": str(tmp_path)}, check=True, capture_output=True, text=True).stdout
    assert said.strip() == told


def test_only_guests_that_start_by_firmware_are_described_otherwise(module: Module) -> None:
    options = module("options").Options
    assert module("shims").for_firmware(options()) == {}
    assert module("shims").for_firmware(options(machine="aarch64")) == {
        "PYTHONPATH": "/srv/shims/python:/work/projects"
    }
