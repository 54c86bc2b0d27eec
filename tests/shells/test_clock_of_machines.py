# SPDX-License-Identifier: Apache-2.0
"""How a virtual machine sets its clock: the script that it runs, in a real shell on a real terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

from gatebot.executor.machines.guest import ASK_CLOCK, CLOCK, answer

_DATE = 'date() { echo "$2" >> set; }\nstty -F CONSOLE raw -echo\n'


def test_a_machine_asks_for_the_time_again_where_the_answer_may_be_old(tmp_path: Path) -> None:
    console, its = pty.openpty()
    ours = tmp_path / "uptime"
    ours.write_text("100.00 9.0\n")
    script = (_DATE + ASK_CLOCK).replace("/proc/uptime", str(ours))
    script = script.replace("/dev/console", os.ttyname(its)).replace("CONSOLE", os.ttyname(its))
    with subprocess.Popen(["sh", "-ec", script], cwd=tmp_path) as shell, os.fdopen(console, "r+b", buffering=0) as far:
        for up, now in (("102.51", 1000.0), ("105.00", 1003.0), ("105.70", 1005.5)):
            said = b""
            while not said.endswith(CLOCK):
                said += far.read(1)
            ours.write_text(f"{up} 9.0\n")
            far.write(answer(now))
        assert shell.wait(60) == 0
    os.close(its)
    assert (tmp_path / "set").read_text().split() == ["@1000.000", "@1003.000", "@1005.500"]
