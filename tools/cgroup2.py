# SPDX-License-Identifier: Apache-2.0
"""Tries nodes on control groups of version 2 alone: starts a Debian with systemd in a machine of qemu, and tests in it.

    python tools/cgroup2.py [ARGUMENTS OF PYTEST]

A machine whose controllers belong to version 1 cannot show what version 2 does, and may not be changed for a test. The
checkout and its virtual environment are a second disk of the machine, at the path that they have here. In it the tests
run twice, as a service of root's and as one of a user's, each with control groups that systemd has handed to it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gatebot.architectures import canonical
from gatebot.executor.images import definition_for_host, removed, unpack
from gatebot.executor.machines.guest import BOOT, INIT
from gatebot.executor.machines.images import first_files
from gatebot.executor.machines.initrd import archive
from gatebot.executor.machines.running import acceleration
from gatebot.executor.machines.shapes import KINDS, Shape, boot, disk, hardware
from gatebot.executor.model import MIB

HOME = Path(sys.prefix).resolve().parent
PLACE = HOME / "build" / "cgroup2"
KIND = KINDS[canonical(platform.machine())]
SHAPE = Shape(2, 3072 * MIB, 0)
_MORE = (
    "systemd-sysv,busybox-static,kmod,bubblewrap,uidmap,libseccomp2,podman,runc,catatonit,slirp4netns,iproute2,procps"
)
#: Where the second disk is in the machine, and what on it is run.
_DISK, _SCRIPT = "/mnt/proof", "proof.sh"
#: What runs where nothing else is asked for: what has to do with limits, freezing, killing and what is left behind.
_TESTS = (
    "tests/shells/test_control_groups.py",
    "tests/chaos/escape/test_greed.py",
    "tests/chaos/escape/test_nested.py",
    "tests/chaos/escape/test_walls.py::test_nothing_is_left_when_the_node_is_taken_away",
    "tests/shells/test_sandbox.py",
    "tests/shells/test_providers.py",
    "--deselect=tests/shells/test_providers.py::TestBare",
)
_ENDED = "cgroup2: ended with "
_FILES = {
    BOOT: "#!/bin/sh\nexec /sbin/init\n",
    "etc/fstab": f"/dev/vdb {_DISK} ext4 x-systemd.device-timeout=infinity 0 0\n",
    "etc/systemd/system.conf.d/slow.conf": "[Manager]\nDefaultTimeoutStartSec=infinity\n",
    "etc/systemd/system/emergency.service": "[Service]\nType=oneshot\nExecStart=/bin/systemctl poweroff -ff\n",
    "etc/systemd/system/proof.service": f"""\
[Unit]
After=local-fs.target
[Service]
Type=oneshot
ExecStart=/bin/sh {_DISK}/{_SCRIPT}
ExecStopPost=/bin/systemctl poweroff --force --force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/{KIND.console}
TimeoutStartSec=infinity
""",
}
#: Links of the machine's systemd: what is started, and what is not.
_LINKS = {
    "multi-user.target.wants/proof.service": "/etc/systemd/system/proof.service",
    f"serial-getty@{KIND.console}.service": "/dev/null",
    "default.target": "/lib/systemd/system/multi-user.target",
}
_IGNORED = shutil.ignore_patterns("build", ".git", "__pycache__", ".*_cache", ".hypothesis", "node_modules")


def machine() -> Path:
    """A Debian with a kernel, systemd and all that sandboxes need: made once, by what it is made of."""
    plain = definition_for_host()
    wanted = replace(plain, packages=f"{plain.packages},{KIND.kernel},{_MORE}")
    told = hashlib.sha256(repr((wanted.name, INIT, _FILES, _LINKS)).encode()).hexdigest()[:16]
    made = PLACE / told
    if made.is_dir():
        return made
    root, new = PLACE / "root", PLACE / "new"
    for path in (root, new):
        removed(path)
    PLACE.mkdir(parents=True, exist_ok=True)
    prefix = unpack(wanted, root, print)
    new.mkdir()
    subprocess.run([*prefix, sys.executable, __file__, "--finish", str(root), str(new)], check=True)
    removed(root)
    return new.rename(made)


def finish(root: Path, made: Path) -> None:
    """From a Debian in a directory to the disk of a machine, by whoever is root of it."""
    for name, text in _FILES.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / BOOT.lstrip("/")).chmod(0o755)
    for name, target in _LINKS.items():
        link = root / "etc/systemd/system" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    shutil.copyfile(next((root / "boot").glob("vmlinu[xz]-*")), made / "kernel")
    (made / "initrd").write_bytes(archive({**first_files(root), "init": INIT.encode()}))
    write_disk(root, made / "disk.img", 2048)


def write_disk(root: Path, disk: Path, room: int) -> None:
    """A file system with what is in a directory, and `room` beside, in MiB."""
    used = sum(path.lstat().st_size + 4096 for path in root.rglob("*")) * 9 // 8 // MIB
    line = ["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(root), str(disk)]
    subprocess.run([*line, f"{used + room}M"], check=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def checkout(arguments: Sequence[str]) -> Path:
    """The disk with the checkout as it is now, and with what is run in the machine."""
    stage, made = PLACE / "checkout", PLACE / "checkout.img"
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(HOME, stage / "tree", symlinks=True, ignore=_IGNORED, copy_function=os.link)
    (stage / _SCRIPT).write_text(_script(arguments))
    write_disk(stage, made, 256)
    shutil.rmtree(stage)
    return made


def _script(arguments: Sequence[str]) -> str:
    """Both services, one after the other; how they ended is the machine's last word."""
    named = any(not one.startswith("-") for one in arguments)
    options = ["-p", "no:cacheprovider", "--color=no", "--timeout=3600", *arguments, *(() if named else _TESTS)]
    tests = shlex.join([f"{HOME}/.venv/bin/python", "-m", "pytest", *options])
    return f"""\
grep cgroup /proc/mounts
mkdir -p {HOME} && mount --bind {_DISK}/tree {HOME} && ip link set lo up
useradd --create-home --uid 1000 tester && usermod --add-subuids 300000-500000 --add-subgids 300000-500000 tester
status=0
for user in root tester; do
  cat > /run/systemd/system/$user.service <<END
[Service]
Type=oneshot
User=$user
Delegate=yes
Environment=GATEBOT_CGROUP2=1
LimitNOFILE=4096
WorkingDirectory={HOME}
ExecStart={tests} --basetemp=/var/tmp/$user
StandardOutput=file:/dev/{KIND.console}
StandardError=inherit
TimeoutStartSec=infinity
END
  systemctl daemon-reload
  echo "cgroup2: as $user"
  systemctl start $user.service || status=1
done
echo "{_ENDED}$status"
"""


def run(made: Path, project: Path) -> int:
    """Start the machine, hand on what it says, and return how its tests ended."""
    overlay = PLACE / "overlay.qcow2"
    line = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(made / "disk.img"), str(overlay)]
    subprocess.run(line, check=True)
    how = asyncio.run(acceleration(KIND, made, own=True))
    print(f"starting it ({' '.join(how)})", flush=True)
    second = ("-drive", f"id=e,if=none,format=raw,file={project},cache=unsafe")
    line = [KIND.program, *hardware(KIND, how, SHAPE), *disk(KIND, str(overlay)), *second]
    line += ["-device", f"virtio-blk-{KIND.bus},drive=e", *boot(KIND, f"{made}/kernel", f"{made}/initrd")]
    status = 1
    with subprocess.Popen(line, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for raw in process.stdout:
            text = raw.decode("utf-8", "replace").rstrip()
            print(text, flush=True)
            if _ENDED in text:
                status = int(text.rpartition(_ENDED)[2])
    for path in (overlay, project):
        path.unlink()
    return status


if __name__ == "__main__":
    if sys.argv[1:2] == ["--finish"]:
        finish(*map(Path, sys.argv[2:]))
    else:
        sys.exit(run(machine(), checkout(sys.argv[1:])))
