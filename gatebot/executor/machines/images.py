# SPDX-License-Identifier: Apache-2.0
"""Images of virtual machines: a disk with Debian on it, a kernel, and what starts from memory before there is a disk.

Made like root file systems of sandboxes and from the same packages, without running a program of them and without
root: a directory whose name is the hash of all that went in. Nothing is built at job time.
"""

from __future__ import annotations

import compileall
import hashlib
import lzma
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from .. import images
from ..images import FOREIGN_PACKAGES, MACHINE, Definition, definition_for, with_more
from ..model import MIB
from . import guest
from .initrd import archive
from .shapes import KINDS

_MORE = "openssh-server,openssh-client,sudo,iproute2,e2fsprogs,busybox-static,kmod,mount"
#: What cannot be there beside that, and need not.
_STOOD_FOR = frozenset({"busybox"})
_ROOM = 256 * MIB
#: What the name of an image has behind it while its packages are unpacked.
UNPACKED = ".root"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {"PATH": _PATH}
#: Work of root's in a directory that is unpacked: this module run as a program, in a namespace where need be.
_WORK = (
    "import pathlib, sys; from gatebot.executor.machines import images; images.finish(*map(pathlib.Path, sys.argv[1:]))"
)


@cache
def name_of(arch: str, packages: tuple[str, ...] = (), script: str = "") -> str:
    """The directory of the image for an architecture, with what a label has besides."""
    return name(definition(arch, packages, script))


def definition(arch: str, more: Collection[str] = (), script: str = "", packages: str = FOREIGN_PACKAGES) -> Definition:
    """The packages of the machine of an architecture, and of a label; none of their scripts is run while it is made."""
    wanted = f"{packages},{_MORE},{KINDS[arch].kernel}"
    plain = replace(definition_for(arch), packages=wanted, foreign=True)
    return with_more(plain, set(more) - _STOOD_FOR, script)


def name(wanted: Definition) -> str:
    """The directory of an image: another way to start is another image."""
    own = hashlib.sha256((guest.INIT + repr(sorted(guest.FILES.items()))).encode()).hexdigest()[:8]
    return f"{MACHINE}{wanted.name}-{own}"


def trial(arch: str, place: Path) -> Path | None:
    """An image that shows whether machines of an architecture start here: the plain one, or that of any label."""
    plain = name(definition(arch))
    begin, end = f"{MACHINE}{definition(arch).begin}", plain.rpartition("-")[2]
    there = [one for one in built(place) if one.startswith(begin) and one.endswith(end)]
    return place / (plain if plain in there else there[0]) if there else None


def built(place: Path) -> list[str]:
    """The images that are there and complete."""
    return sorted(
        path.name for path in place.glob(f"{MACHINE}*") if (path / "disk.img").is_file() and path.suffix != ".new"
    )


def missing() -> tuple[str, ...]:
    """The Debian packages that must be installed before one can be built here."""
    needed = {"mke2fs": "e2fsprogs", "qemu-img": "qemu-utils", "depmod": "kmod"}
    lacking = tuple(package for one, package in needed.items() if shutil.which(one, path=_PATH) is None)
    return (*images.missing(), *lacking)


def build(
    wanted: Definition, place: Path, progress: Callable[[str], None], then: Callable[[Path], None], *held: int
) -> None:
    """Make an image that is not there. Raises `Unavailable` with the end of what was printed.

    It is complete when `then` was tried on it. `held` are descriptors that stay open as long as something writes there.
    """
    target = place / name(wanted)
    made, root = place / f"{target.name}.new", place / f"{target.name}{UNPACKED}.new"
    images.removed(made)
    prefix = images.unpack(wanted, root, progress, *held)
    made.mkdir(mode=0o755)
    progress("making the disk")
    _as_root(prefix, root, made)
    images.removed(root)
    try:
        then(made)
    finally:
        made.rename(target)


def _as_root(prefix: Sequence[str], root: Path, made: Path) -> None:
    package = Path(__file__).resolve().parents[3]
    environment = {**_ENVIRONMENT, "PYTHONPATH": str(package)}
    subprocess.run([*prefix, sys.executable, "-P", "-c", _WORK, str(root), str(made)], check=True, env=environment)


def finish(root: Path, made: Path) -> None:
    """From unpacked packages to the files of a machine."""
    images.lay(root)
    _compile(root)
    _index_modules(root)
    for path, text in guest.FILES.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_text(text)
        target.chmod(0o755 if path == guest.BOOT else 0o440 if path == "/etc/sudoers" else 0o644)
    for path in guest.OWNED:
        owned = root / path.lstrip("/")
        owned.mkdir(parents=True, exist_ok=True)
        shutil.chown(owned, 1000, 1000)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    shutil.copyfile(next((root / "boot").glob("vmlinu[xz]-*")), made / "kernel")
    (made / "initrd").write_bytes(archive(first_files(root)))
    _disk(root, made / "disk.img")


def _compile(root: Path) -> None:
    """Python's modules, where ours is the same Python: an emulated machine would take minutes for those of pip."""
    own = root / f"usr/lib/python3.{sys.version_info.minor}"
    if own.is_dir():
        for place in (own, root / "usr/lib/python3/dist-packages"):
            compileall.compile_dir(place, quiet=2, stripdir=root)


def _index_modules(root: Path) -> None:
    """What tells of each module of the kernel which others it needs."""
    for kernel in (root / "usr/lib/modules").iterdir():
        subprocess.run(["depmod", "--basedir", str(root), kernel.name], check=True, env=_ENVIRONMENT)


def first_files(root: Path) -> dict[str, bytes]:
    """What is unpacked into memory before there is a disk: from the packages in a directory."""
    modules = {path.name.partition(".")[0]: path for path in sorted((root / "usr/lib/modules").rglob("*.ko*"))}
    found = {f"modules/{one}.ko": _plain(modules[one]) for one in guest.MODULES if one in modules}
    busybox = next(path for path in (root / "usr/bin/busybox", root / "bin/busybox") if path.exists())
    return {"init": guest.INIT.encode(), "bin/busybox": busybox.read_bytes(), **found}


def _plain(module: Path) -> bytes:
    """A module of a kernel as it is loaded: some of Debian's are packed."""
    return lzma.decompress(module.read_bytes()) if module.suffix == ".xz" else module.read_bytes()


def _disk(root: Path, disk: Path) -> None:
    """A file system with all that is in the directory, and little room beside; each machine makes its own larger."""
    used = sum(path.lstat().st_size + 4096 for path in root.rglob("*"))
    size = (used * 9 // 8 + _ROOM) // MIB
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(root), str(disk), f"{size}M"],
        check=True,
        env=_ENVIRONMENT,
    )
