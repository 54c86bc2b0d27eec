# SPDX-License-Identifier: Apache-2.0
"""Programs that stand for what cannot be had in the namespaces of a cloud. All that they do is said here.

Services run their own code and call what they always call: sudo, mount, ip. What these would need the machine's root
for is done in another way.
"""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from .guest import FIRMWARE
from .options import Options, Role

SHIMS = Path("/srv/shims")
_SETGROUPS = f"{SHIMS}/setgroups.so"
#: Stands for sudo: what it would run as root is root already.
_SUDO = """\
#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    -E|-n|-H) shift ;;
    -u) shift 2 ;;
    --) shift; break ;;
    *=*) export "$1"; shift ;;
    *) break ;;
  esac
done
exec "$@"
"""
#: Stands for the NFS client of the kernel: mount(8) asks such a helper before the kernel.
_MOUNT_NFS = '#!/bin/sh\nexec mount --bind "${1#*:}" "$2"\n'
#: `ip netns exec` mounts /sys anew, which a namespace may not everywhere; its commands need only the network.
_IP = """\
#!/bin/sh
if [ "${1-}" = netns ] && [ "${2-}" = exec ]; then
  name=$3; shift 3
  exec nsenter --net="/run/netns/$name" -- "$@"
fi
exec /sbin/ip "$@"
"""
#: What a guest leaves to its card (checksums) nobody does before a tunnel of Open vSwitch, which drops such packets. So
#: cards of guests on several hosts offer nothing of the kind.
_QEMU = '#!/bin/sh\nexec "/usr/bin/${0##*/}" -global virtio-net-pci.csum=off "$@"\n'
#: Where one id is mapped, the kernel refuses to change groups, and libvirt starts no guest without doing that.
_SETGROUPS_C = "int setgroups(unsigned long size, const void *list) { (void)size; (void)list; return 0; }\n"
#: Debian 12's libvirt takes no `secure` of a loader beside firmware that it selects itself, and nova always gives one,
#: though `<feature name="secure-boot"/>` says the same. Without it the description of a guest means what it meant.
_SITECUSTOMIZE = """\
import re

import libvirt

if libvirt.getVersion() < 10_000_000:
    define = libvirt.virConnect.defineXML

    def without_secure(connection, xml):
        selected = "<os firmware=" in xml and 'name="secure-boot"' in xml
        return define(connection, re.sub(r'<loader secure="(yes|no)"/>', "", xml) if selected else xml)

    libvirt.virConnect.defineXML = without_secure
"""


#: Whom libvirt looks up before it reads that it is to be root: scripts of packages make it, if they are run.
_LOOKED_UP = "libvirt-qemu"


def accounts(etc: Path = Path("/etc")) -> None:
    """Who must be known, though nothing runs as them; an image of packages that were only unpacked has nobody."""
    for name, rest in (("passwd", "64055:64055::/nonexistent:/usr/sbin/nologin"), ("group", "64055:")):
        path = etc / name
        if f"{_LOOKED_UP}:" not in path.read_text():
            with path.open("a") as file:
                file.write(f"{_LOOKED_UP}:x:{rest}\n")


def write(options: Options, place: Path = SHIMS) -> None:
    """Programs that stand for what cannot be had in a namespace; they are first in PATH."""
    place.mkdir(parents=True, exist_ok=True)
    programs = {"sudo": _SUDO, "mount.nfs": _MOUNT_NFS, "ip": _IP}
    if options.role is not Role.ALL:
        programs[f"qemu-system-{options.machine}"] = _QEMU
    for name, text in programs.items():
        path = place / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    for helper in ("/usr/sbin/mount.nfs", "/usr/sbin/mount.nfs4"):  # mount(8) looks there and nowhere else
        if os.path.exists(helper):
            subprocess.run(["mount", "--bind", str(place / "mount.nfs"), helper], check=True)
    if for_groups():
        source = place / "setgroups.c"
        source.write_text(_SETGROUPS_C)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", _SETGROUPS, str(source)], check=True)
    if options.machine in FIRMWARE:
        (place / "python").mkdir(exist_ok=True)
        (place / "python/sitecustomize.py").write_text(_SITECUSTOMIZE)
    helper = place / "privsep-helper"
    helper.unlink(missing_ok=True)
    helper.symlink_to(f"{options.venv}/bin/privsep-helper")


def for_groups(users: Path = Path("/proc/self/uid_map")) -> dict[str, str]:
    """What programs that change their groups need in their environment; `users` is the kernel's map of them."""
    alone = users.read_text().split()[2:] == ["1"]  # the last word of a range is how many it has
    return {"LD_PRELOAD": _SETGROUPS} if alone else {}


def for_firmware(options: Options) -> dict[str, str]:
    """What describes guests to libvirt where they start by firmware."""
    return {"PYTHONPATH": f"{SHIMS}/python:{options.projects}"} if options.machine in FIRMWARE else {}
