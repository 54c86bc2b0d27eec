# SPDX-License-Identifier: Apache-2.0
"""Labels with images of their own: content-addressed, built beside the server, waited for by jobs that need them."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatebot.architectures import canonical
from gatebot.executor import image_script, images, imaging
from gatebot.executor.imaging import Imaging
from gatebot.executor.machines import images as machine_images
from gatebot.executor.machines import planning
from gatebot.executor.machines.building import Machine
from gatebot.executor.machines.images import name_of
from gatebot.executor.machines.shapes import Shape
from gatebot.executor.model import MIB, Label, Network
from gatebot.executor.providers import emulation
from gatebot.reasons import Reason, reason
from gatebot.words import say
from tests.fakes.executor import job
from tests.fakes.qemu import qemu_in_name
from tests.fakes.site import eventually
from tests.fakes.workshop import LABELS, SMALL, workshop
from tests.programs import need

TEN_PAST_NINE = datetime(2026, 1, 5, 9, 10, tzinfo=UTC).timestamp()
CLOUD = Label("cloud", packages=("uidmap", "python3"), script="echo made > /etc/made", network=Network.NONE)


def test_an_image_is_named_after_what_is_in_it() -> None:
    """Those of labels that say nothing keep the name of the default one; what is there anyway adds nothing."""
    plain = images.definition_for_host()
    assert images.definition_of(Label("small")) == plain
    assert images.definition_of(Label("l", packages=("python3",))).name == plain.name
    own = images.definition_of(CLOUD)
    assert own.packages == f"{plain.packages},uidmap"
    names = {own.name, plain.name, images.definition_of(replace(CLOUD, script="true")).name}
    names.add(images.definition_of(replace(CLOUD, packages=("uidmap", "jq"))).name)
    assert len(names) == 4
    assert images.definition_of(replace(CLOUD, name="other")).name == own.name
    assert images.definition_of(replace(CLOUD, arch="s390x")).script == CLOUD.script


def test_a_script_runs_in_packages_that_were_only_unpacked_as_root_of_what_is_in_there(tmp_path: Path) -> None:
    """What is mounted for it, and what the kernel is told, ends with it."""
    root, own = tmp_path / "root", canonical(platform.machine())
    for place in ("bin", "usr/bin", "usr/share/ca-certificates", "etc", "proc", "sys", "dev", "tmp"):
        (root / place).mkdir(parents=True)
    for program in ("sh", "id", "grep"):
        shutil.copy(need("busybox"), root / "bin" / program)
    for program in ("sbin/iptables-nft", "lib/openvswitch-switch/ovs-vswitchd"):
        (root / "usr" / program).parent.mkdir(parents=True)
        (root / "usr" / program).touch()
    script = "id -u > /etc/made; echo there >/dev/null; grep -c . /proc/self/uid_map >> /etc/made"
    prefix = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--map-auto"]
    line = [*prefix, sys.executable, "-P", "-m", "gatebot.executor.unpacked", str(root), own]
    around = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(Path(images.__file__).parents[2]),
        **image_script.environment(script),
    }
    subprocess.run(line, env=around, check=True, cwd="/")
    assert (root / "etc/made").read_text().split()[0] == "0"
    assert (root / "bin").is_symlink(), "bin is merged into /usr, as in every Debian"
    for name in ("iptables", "ovs-vswitchd"):
        assert (root / "usr/sbin" / name).resolve().is_file(), f"{name} is chosen among alternatives"
    assert not [*(root / "proc").iterdir(), *(root / "tmp").iterdir()], "nothing of it stays"


def test_what_is_there_of_an_image_says_what_is_waited_for(tmp_path: Path) -> None:
    name = images.definition_of(CLOUD).name
    told = [_said(tmp_path)]
    with images.alone(name, tmp_path) as held:
        os.utime(held, (TEN_PAST_NINE, TEN_PAST_NINE))
        told.append(_said(tmp_path))
    (tmp_path / f"{name}.new").mkdir()
    assert _said(tmp_path) == told[0], "whoever made it is gone"
    (tmp_path / f"{name}.failed").write_text("E: Unable to locate package\n")
    told.append(_said(tmp_path))
    assert told == [
        "Waits for the image of the label cloud, which is not built yet: the server builds it in the background, "
        "or gatebot image build cloud --site DIRECTORY.",
        "Waits for the image of the label cloud, which is being built (since 09:10 UTC).",
        "Waits for the image of the label cloud, which could not be built and is tried again in five minutes: "
        "E: Unable to locate package",
    ]
    here = Imaging(tmp_path)
    assert here.lacking([CLOUD, replace(CLOUD, name="other"), Label("small")]) == [images.definition_of(CLOUD)]
    (tmp_path / name / "etc").mkdir(parents=True)
    (tmp_path / name / "etc/passwd").touch()
    assert here.unready(CLOUD) is None
    assert here.lacking([CLOUD]) == []
    assert Imaging(tmp_path / "none", sandboxed=False).unready(CLOUD) is None, "its jobs see no image"


def test_labels_of_other_architectures_have_the_default_image_of_theirs_where_it_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rule for all labels: what their nodes cannot be without is built, and nothing else."""
    monkeypatch.setattr(emulation, "installed", lambda: (emulation.Emulator("s390x", "/usr/bin/qemu-s390x-static"),))
    mainframe = Label("mainframe", arch="s390x")
    here = Imaging(tmp_path)
    assert here.wanted(mainframe) == images.definition_for("s390x")
    assert here.wanted(replace(mainframe, packages=("jq",))) == images.definition_of(
        replace(mainframe, packages=("jq",))
    )
    for one in (
        Label("small"),
        Label("arm", arch="arm64"),  # it has no emulator here
        replace(mainframe, execution="native"),
        replace(mainframe, image="own"),
        replace(mainframe, provider="vm"),
    ):
        assert here.wanted(one) is None, one
    assert here.lacking([mainframe, Label("small")]) == [images.definition_for("s390x")]


def test_labels_of_virtual_machines_have_the_machine_of_their_architecture_where_it_can_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words as for sandboxes; where qemu is not installed making the node says it, at once."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(planning, "lacks", _all_but_riscv)
    here = Imaging(tmp_path, {"vm": (), "arms": ("arm64",)}, sandboxed=False)
    vm, arm = Label("vm", provider="vm"), Label("arm", provider="arms")
    assert here.wanted(vm) == Machine("x86_64", Shape.of(vm))
    assert here.wanted(replace(vm, execution="kvm")) == here.wanted(vm)
    assert here.wanted(arm) == Machine("arm64", Shape.of(arm))
    for one in (
        replace(vm, execution="native"),
        replace(vm, arch="arm64", execution="kvm"),
        replace(vm, arch="riscv64"),  # it has no qemu here
        replace(arm, arch="x86_64"),
        replace(vm, provider="pods"),
    ):
        assert here.wanted(one) is None, one
    asked = here.lacking([vm, arm, replace(vm, name="same"), replace(vm, cpus=1)])
    assert imaging.read(json.dumps([asdict(one) for one in asked])) == asked
    assert [one.name for one in asked] == [name_of("x86_64"), name_of("arm64"), name_of("x86_64")]
    with images.alone(name_of("x86_64"), tmp_path) as held:
        os.utime(held, (TEN_PAST_NINE, TEN_PAST_NINE))
        told = here.unready(vm)
        assert told is not None
        assert say(told) == "Waits for the image of the label vm, which is being built (since 09:10 UTC)."
    (tmp_path / name_of("x86_64")).mkdir()
    assert (here.unready(vm), here.unready(arm) is None) == (None, False)


def test_an_image_that_cannot_be_built_says_so_and_is_tried_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What stands in the way is said once, as long as it is the same."""
    wanted, place = Machine("x86_64", Shape(1, 256 * MIB, 0)), tmp_path / "images"
    lacks, told = [("e2fsprogs",), ("e2fsprogs",), ()], list[str]()

    def waited(seconds: float) -> None:
        told.append((place / f"{wanted.name}.failed").read_text())

    def built(*_: object) -> None:
        (place / wanted.name).mkdir()

    qemu_in_name(tmp_path / "bin", monkeypatch)
    monkeypatch.setattr(planning, "lacks", _nothing)
    monkeypatch.setattr(machine_images, "missing", lambda: lacks.pop(0))
    monkeypatch.setattr(machine_images, "build", built)
    monkeypatch.setattr(time, "sleep", waited)
    imaging.main(place, [wanted])
    assert told == ["A machine needs e2fsprogs. Debian: apt-get install e2fsprogs"] * 2
    assert [one.levelname for one in caplog.records].count("WARNING") == 1
    assert wanted.is_built(place)
    assert not (place / f"{wanted.name}.failed").exists()


def _all_but_riscv(arch: str) -> Reason | None:
    return reason("executor.machine-unproven", arch=arch, known="others") if arch == "riscv64" else None


def _nothing(arch: str) -> None:
    """That lacks here."""


def _said(place: Path) -> str:
    why = Imaging(place).unready(CLOUD)
    assert why is not None
    return say(why)


async def test_a_job_waits_for_the_image_of_its_label_says_so_and_lets_others_pass(tmp_path: Path) -> None:
    """The image is there as soon as it has its name; no restart is needed."""
    own = replace(CLOUD, memory=96 * MIB, disk=48 * MIB, processes=64)
    async with workshop(tmp_path, labels={**LABELS, "cloud": own, "small": SMALL}) as shop:
        given = shop.assignment({"run.sh": "#!/bin/sh\ncat /etc/made\n"}, job(label="cloud"))
        waiting = asyncio.create_task(shop.run(given))
        completed, text = await shop.script("echo passed", label="small")
        assert completed.result == "SUCCESS", text
        assert "Waits for the image of the label cloud, which is not built yet" in shop.text(given.build)
        place, name = tmp_path / "site/images", images.definition_of(own).name
        new = place / f"{name}.new"
        images.lay(new)
        (new / "bin").mkdir()
        for program in ("sh", "cat"):
            shutil.copy(need("busybox"), new / "bin" / program)
        (new / "etc/made").write_text("by its script\n")
        new.rename(place / name)
        _, text = await shop.script("echo and again", label="small")
        assert "and again" in text
        completed = await asyncio.wait_for(waiting, 60)
        assert completed.result == "SUCCESS", shop.text(given.build)
        assert "by its script" in shop.text(given.build)


def test_accounts_that_packages_made_stay_beside_our_own(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\nlibvirt-qemu:x:64055:107::/:/bin/false\n")
    for _ in range(2):
        images.lay(tmp_path)
    told = (tmp_path / "etc/passwd").read_text().splitlines()
    assert [line.partition(":")[0] for line in told] == ["root", "job", "nobody", "libvirt-qemu"]
    assert told[0].endswith(":/bin/sh")


_SERVER = """
import os, sys
from pathlib import Path
from gatebot.executor.imaging import Imaging
from gatebot.executor.model import Label
Imaging(Path(sys.argv[1])).start([Label("own", packages=("uidmap",))])
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
sys.stdin.read()
"""


def test_the_builder_ends_with_its_server_and_all_that_it_started_too(tmp_path: Path) -> None:
    """Also where the server has given up its rights: the builder keeps them."""
    programs, told, mounted = tmp_path / "programs", tmp_path / "pids", tmp_path / "mounted"
    programs.mkdir()
    mounted.mkdir()
    (programs / "mmdebstrap").write_text(
        f"#!/bin/sh\nmount -t tmpfs none {mounted}\nsetsid sleep 300 &\n"
        f"echo $$ $! $PPID > {told}.new\nmv {told}.new {told}\nwait\n"
    )
    (programs / "mmdebstrap").chmod(0o755)
    around = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    line = [sys.executable, "-c", _SERVER, str(tmp_path / "images")]
    with subprocess.Popen(line, env=around, stdin=subprocess.PIPE) as server:
        eventually(told.exists, "it builds", 60)
        pids = told.read_text().split()
        assert not mounted.is_mount(), "nobody else sees what is mounted for an image"
        server.kill()
    eventually(lambda: not any(Path("/proc", pid).exists() for pid in pids), f"ended: {pids}")
