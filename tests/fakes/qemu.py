# SPDX-License-Identifier: Apache-2.0
"""Programs of QEMU in name only, for what is told before a machine starts: whether they are there must not matter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatebot.executor.machines import running

VERSION = "#!/bin/sh\necho QEMU emulator version 7.2.0\n"


def qemu_in_name(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put them first on the path."""
    place.mkdir()
    for name in ("qemu-system-x86_64", "qemu-img"):
        (place / name).write_text(VERSION)
        (place / name).chmod(0o755)
    monkeypatch.setitem(running.ENVIRONMENT, "PATH", f"{place}{os.pathsep}{running.ENVIRONMENT['PATH']}")
