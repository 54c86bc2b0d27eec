# SPDX-License-Identifier: Apache-2.0
"""Virtual machines as qemu is told them, and what they are told themselves."""

from __future__ import annotations

import base64
from itertools import pairwise

import pytest

from gatebot.architectures import ARCHITECTURES
from gatebot.executor.machines.guest import ASK_CLOCK, Orders, last_words
from gatebot.executor.machines.shapes import EMULATED, KINDS, Shape, boot, disk, hardware, network

SHAPE = Shape(cpus=1, memory=256 << 20, disk=0)


def test_every_architecture_has_a_machine() -> None:
    assert set(KINDS) == set(ARCHITECTURES)


@pytest.mark.parametrize("arch", KINDS)
def test_all_devices_of_a_machine_are_on_the_bus_that_it_has(arch: str) -> None:
    kind = KINDS[arch]
    line = (*hardware(kind, EMULATED, SHAPE), *disk(kind, "d"), *network(kind, "127.0.0.1:1", closed=True))
    devices = [told.partition(",")[0] for option, told in pairwise(line) if option == "-device"]
    assert devices == [f"virtio-{what}-{kind.bus}" for what in ("rng", "blk", "net")]


@pytest.mark.parametrize(("closed", "told"), [(True, "restrict=on"), (False, "restrict=off")])
def test_only_an_open_machine_has_a_network_that_leads_anywhere(closed: bool, told: str) -> None:
    assert told in network(KINDS["x86_64"], "127.0.0.1:1", closed=closed)[1].split(",")


def test_a_machine_does_not_give_up_where_its_timer_comes_late() -> None:
    arguments = boot(KINDS["x86_64"], "vmlinuz", "initrd", "more")[5].split(" ")
    assert {"no_timer_check", "console=ttyS0", "more"} <= {*arguments}
    assert "no_timer_check" not in boot(KINDS["arm64"], "vmlinuz", "initrd")[5]


def test_what_a_console_loses_is_no_part_of_the_orders() -> None:
    orders = Orders("node-1", "5" * 32, "PRIVATE", "ssh-ed25519 AAAA", b"\1\2", 64)
    line = orders.line(KINDS["s390x"].loses)
    assert line[: KINDS["s390x"].loses].strip() == b""
    script = base64.b64decode(line.strip()).decode()
    assert script.endswith(ASK_CLOCK)
    assert "hostname node-1" in script
    assert "echo 'ssh-ed25519 AAAA' > /etc/ssh/gatebot_keys" in script


def test_of_a_kernel_that_panicked_its_own_reason_is_told() -> None:
    said = b"[ 0.06] Kernel panic - not syncing: IO-APIC + timer doesn't work!\n" + b"[ 0.07]  panic+0x11/0x22\n" * 20
    told = last_words(b"SeaBIOS\n" * 100 + said)
    assert told.startswith("Kernel panic - not syncing: IO-APIC + timer doesn't work!\n")
    assert len(told) <= 300


def test_of_a_machine_that_ended_whole_lines_are_told() -> None:
    assert last_words(b"gatebot: no disk\n") == "gatebot: no disk"
    assert set(last_words(b"one line\n" * 100).splitlines()) == {"one line"}
