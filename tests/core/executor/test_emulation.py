# SPDX-License-Identifier: Apache-2.0
"""What the kernel is told of an emulator: which programs it is for, byte by byte."""

from __future__ import annotations

import re
import struct

import pytest

from gatebot.architectures import ARCHITECTURES
from gatebot.executor.providers.emulation import Emulator, registration


def elf(machine: int, *, big: bool = False, kind: int = 3, system: int = 0) -> bytes:
    """The head of a program, as compilers write it (System V ABI, figure 4-3)."""
    order = ">" if big else "<"
    return b"\x7fELF" + bytes([2, 2 if big else 1, 1, system]) + bytes(8) + struct.pack(f"{order}HH", kind, machine)


def covers(line: bytes, head: bytes) -> bool:
    """As the kernel compares (fs/binfmt_misc.c)."""
    *_, magic, mask, _path, _flags = line.split(b":")
    want, bits = (bytes.fromhex(part.replace(b"\\x", b"").decode()) for part in (magic, mask))
    return all((byte ^ wanted) & bit == 0 for byte, wanted, bit in zip(head, want, bits, strict=True))


HEADS = {
    "x86_64": elf(62), "arm64": elf(183), "ppc64le": elf(21), "s390x": elf(22, big=True), "riscv64": elf(243),
}  # fmt: skip


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_emulator_is_for_programs_of_its_own_architecture_alone(arch: str) -> None:
    line = registration(Emulator(arch, "/usr/bin/qemu"))
    assert [name for name, head in HEADS.items() if covers(line, head)] == [arch]


def test_programs_of_any_system_and_both_kinds_are_covered_and_no_library_parts() -> None:
    line = registration(Emulator("arm64", "/usr/bin/qemu"))
    assert all(covers(line, elf(183, kind=kind, system=system)) for kind in (2, 3) for system in (0, 3))
    assert not covers(line, elf(183, kind=1))


def test_the_line_is_one_that_the_kernel_takes() -> None:
    line = registration(Emulator("s390x", "/usr/bin/qemu-s390x-static"))
    assert re.fullmatch(
        rb":gatebot-s390x:M::(\\x[0-9a-f]{2}){20}:(\\x[0-9a-f]{2}){20}:/usr/bin/qemu-s390x-static:PF", line
    )
    assert len(line) < 1920
