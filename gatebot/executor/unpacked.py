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

_FILTERS = ("iptables", "ip6tables", "ebtables", "arptables")
#: What packages' own scripts would have chosen among alternatives: links below /usr, and what is beside them.
_ALTERNATIVES = {
    "bin/cc": "gcc",
    "bin/c++": "g++",
    "bin/c99": "c99-gcc",
    "bin/awk": "mawk",
    "bin/which": "which.debianutils",
    "sbin/ovs-vswitchd": "../lib/openvswitch-switch/ovs-vswitchd",
    **{f"sbin/{name}{verb}": f"{name}-nft{verb}" for name in _FILTERS for verb in ("", "-restore", "-save")},
}


def complete(root: Path) -> None:
    """What the scripts of packages would have done in an image of a foreign architecture."""
    for name in ("bin", "sbin", "lib", "lib64"):
        _merge_into_usr(root, name)
    for name, chosen in _ALTERNATIVES.items():
        link = root / "usr" / name
        if (link.parent / chosen).exists() and not os.path.lexists(link):
            link.symlink_to(chosen)
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
