# SPDX-License-Identifier: Apache-2.0
"""A root file system whose packages were only unpacked: what their own scripts would have done, and a label's script.

Run as a program, as root of what is in there. Programs of another architecture are given to an emulator, which only
the namespace of this process knows: nothing changes for the machine.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from ..architectures import canonical
from . import image_script
from .providers import emulation, kernel

#: What packages' own scripts would have chosen among alternatives.
_ALTERNATIVES = {"cc": "gcc", "c++": "g++", "c99": "c99-gcc", "awk": "mawk", "which": "which.debianutils"}


def complete(root: Path) -> None:
    """What the scripts of packages would have done in an image of a foreign architecture."""
    for name in ("bin", "sbin", "lib", "lib64"):
        _merge_into_usr(root, name)
    programs = root / "usr/bin"
    for name, chosen in _ALTERNATIVES.items():
        if (programs / chosen).exists() and not os.path.lexists(programs / name):
            (programs / name).symlink_to(chosen)
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(path.read_bytes() for path in certificates))


def _merge_into_usr(root: Path, name: str) -> None:
    """`/NAME` becomes a link into /usr, with all that is in it, as in every Debian since bookworm."""
    old, new = root / name, root / "usr" / name
    if old.is_symlink() or not old.is_dir():
        return
    for path in sorted(old.rglob("*")):
        there = new / path.relative_to(old)
        if path.is_dir() and not path.is_symlink():
            there.mkdir(parents=True, exist_ok=True)
        elif not os.path.lexists(there):
            there.parent.mkdir(parents=True, exist_ok=True)
            path.rename(there)
    shutil.rmtree(old)
    old.symlink_to(f"usr/{name}")


def run_script(root: Path, arch: str) -> None:
    """Become the script of a label, which runs in the root as on a machine of its architecture."""
    registration = b""
    if arch != canonical(platform.machine()):
        found = {one.arch: one for one in emulation.installed()}
        if arch not in found:
            sys.exit(f"The script is run by an emulator of {arch}. Debian: apt-get install qemu-user-static")
        registration = emulation.registration(found[arch])
    kernel.everybody_apart()
    if registration:
        kernel.run_foreign(str(root / "proc"), registration)
    for name in ("proc", "sys", "dev"):
        kernel.bind(f"/{name}", str(root / name), read_only=False)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    os.execv("/bin/sh", ["sh", "-e", "-c", image_script.HOOK, "sh", str(root)])  # noqa: S606 - a shell it is


def main(root: Path, arch: str) -> None:
    """Complete the root; with a script, by that."""
    complete(root)
    if image_script.GIVEN in os.environ:
        run_script(root, arch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), canonical(sys.argv[2]))
