# SPDX-License-Identifier: Apache-2.0
"""The guest of the cloud's proof: a small disk image with Debian's cloud kernel, busybox and an SSH server.

Made from packages that the node has, without root and without a loop device, in about a second. On x86_64 it is a disk
that boots by itself; elsewhere nova has the firmware start kernel and ramdisk, which are images too. It prints what
it finds (`GATEBOT dhcp ...`, `GATEBOT metadata ok`, `GATEBOT READY`) on its serial console.
"""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_PROGRAMS = ("/usr/bin/busybox", "/usr/sbin/dropbear", "/usr/bin/dropbearkey")
_DIRECTORIES = (
    "bin", "sbin", "usr/bin", "usr/sbin", "proc", "sys", "dev", "run", "tmp", "mnt", "mod", "etc/dropbear", "root/.ssh",
)  # fmt: skip
#: In an order in which each finds what it needs.
_MODULES = (
    "virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk", "failover",
    "net_failover", "virtio_net", "rng-core", "virtio-rng", "scsi_common", "scsi_mod", "cdrom", "isofs", "sr_mod",
    "libata", "ata_piix", "virtio_scsi",  # the drive that tells a server its settings is a disc
)  # fmt: skip
_TOOLS = ("curl", "sudo", "blkid")  # what people and tempest expect in a guest, made of what busybox has
_FILES = Path(__file__).parent / "guest"
_SECTOR = 512
_FIRST = 2048  # the sector at which the partition begins
_MIB = 1024 * 1024
_SIZE = 32 * _MIB
#: What nova starts a guest with, and where the guest then has its serial console; x86_64 boots from its disk.
PARTS = ("kernel", "ramdisk")
_CONSOLES = {"aarch64": "ttyAMA0"}
FIRMWARE = tuple(_CONSOLES)  # machines whose guests start by firmware
_FIRMWARE_MIB = 128  # what firmware of UEFI takes before it gives it back


def memory(machine: str, wanted: int) -> int:
    """The memory of a guest in MiB that is to have as much when it runs: what starts it there needs some too."""
    return wanted + _FIRMWARE_MIB * (machine in FIRMWARE)


def parts(work: Path) -> tuple[str, ...]:
    """The parts of a guest that are there beside its disk."""
    return tuple(part for part in PARTS if (work / f"guest.{part}").exists())


def properties(machine: str, images: Mapping[str, str]) -> dict[str, str]:
    """What the image of the disk says of these, by their ids; nothing where the disk boots."""
    if not images:
        return {}
    line = f"console={_CONSOLES[machine]} mitigations=off panic=-1"
    return {f"{part}_id": id for part, id in images.items()} | {"os_command_line": line}


def make(
    target: Path, machine: str = "x86_64", *, boot: Path = Path("/boot"), modules: Path = Path("/lib/modules")
) -> None:
    """Write the image, and where its disk does not boot the other parts beside it."""
    kernel = max(boot.glob("vmlinuz-*"))
    version = kernel.name.removeprefix("vmlinuz-")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        _lay(scratch / "root", modules / version)
        initramfs = scratch / "initrd"
        initramfs.write_bytes(_archive(scratch / "root"))
        if machine in FIRMWARE:
            for part, source in zip(PARTS, (kernel, initramfs), strict=True):
                shutil.copyfile(source, target.with_suffix(f".{part}"))
            with target.open("wb") as file:
                file.truncate(_MIB)
            return
        _disk(target, (kernel, "vmlinuz"), (initramfs, "initrd"), (_FILES / "syslinux.cfg", "syslinux.cfg"))


def _lay(root: Path, modules: Path) -> None:
    for name in _DIRECTORIES:
        (root / name).mkdir(parents=True, exist_ok=True)
    for program in _PROGRAMS:
        for path in (Path(program), *_libraries(program)):
            place = root / str(path).lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
    shutil.copy("/usr/bin/busybox", root / "bin/busybox")
    for number, name in enumerate(_MODULES):
        for found in modules.rglob(f"{name}.ko*"):
            shutil.copy(found, root / f"mod/{number:02}-{found.name}")
    for name in ("init", "udhcpc.sh", *(f"usr/bin/{tool}" for tool in _TOOLS)):
        shutil.copy(_FILES / Path(name).name, root / name)
        (root / name).chmod(0o755)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/shells").write_text("/bin/sh\n")


def _libraries(program: str) -> Iterator[Path]:
    told = subprocess.run(["ldd", program], check=False, capture_output=True, text=True).stdout  # some need none
    for line in told.splitlines():
        words = line.split()
        path = words[2] if len(words) > 2 and words[1] == "=>" else words[0]
        if path.startswith("/"):
            yield Path(path)


def _archive(root: Path) -> bytes:
    """A directory as the kernel wants its first file system: a compressed archive of cpio."""
    names = "\0".join(str(path.relative_to(root)) for path in sorted(root.rglob("*"))) + "\0"
    line = ["cpio", "--create", "--null", "--format=newc", "--owner=0:0", "--quiet"]
    made = subprocess.run(line, cwd=root, input=names.encode(), check=True, capture_output=True).stdout
    return gzip.compress(made, 6, mtime=0)


def _disk(target: Path, *files: tuple[Path, str]) -> None:
    """A disk with one partition that syslinux boots. Without a partition table glance takes it for something else."""
    sectors = _SIZE // _SECTOR - _FIRST
    begin = Path("/usr/lib/syslinux/mbr/mbr.bin").read_bytes()[:440].ljust(440, b"\0")
    entry = struct.pack("<B3sB3sII", 0x80, b"\x20\x21\x00", 0x0E, b"\xfe\xff\xff", _FIRST, sectors)
    table = begin + struct.pack("<IH", 0x67617465, 0) + entry + bytes(48) + b"\x55\xaa"
    with target.open("wb") as file:
        file.truncate(_SIZE)
        file.write(table)
    place = f"{target}@@{_FIRST * _SECTOR}"
    _run("mformat", "-i", place, "-h", "64", "-s", "32", "-T", str(sectors), "-H", str(_FIRST), "-v", "GATE", "::")
    for source, name in files:
        _run("mcopy", "-i", place, str(source), f"::{name}")
    _run("syslinux", "--install", "--offset", str(_FIRST * _SECTOR), str(target))


def _run(*line: str) -> Sequence[str]:
    subprocess.run(line, check=True, capture_output=True)
    return line
