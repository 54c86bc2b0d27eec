# SPDX-License-Identifier: Apache-2.0
"""The tour that `make demo` plays: every outcome it promises holds, and it leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.irc import free_port

PROMISED = (
    "all three pass check: Verified +1",
    "the first and the third change merged",
    "the second left the gate and did not merge",
    "its comment names the job, the log line and the change it collided with",
    "the push made patch set 2 of the same change",
    "recheck ran check again",
    "the mended change merged",
    "it waits for the change it depends on, and says so",
    "both merged, the needed one first",
    "the minutes are on the web with topics and the action",
    "the change's page names the meeting",
)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_tour_ends_as_promised() -> None:
    command = [sys.executable, "-P", "-m", "gatebot", "demo", "--once"]
    ports = ["--port", str(free_port()), "--irc-port", str(free_port())]
    done = subprocess.run([*command, *ports], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    kept = Path(done.stdout.split("Everything is kept in ")[1].split("\n")[0].rstrip("."))
    assert [line for line in done.stdout.splitlines() if "✗" in line] == []
    assert [claim for claim in PROMISED if f"✓ {claim}\n" not in done.stdout] == []
    assert done.returncode == 0
    assert not kept.exists()


@pytest.mark.slow
def test_a_tour_that_cannot_begin_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-P", "-m", "gatebot", "demo", "--once", "--dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == (
        f"gatebot: {tmp_path} is not empty. Give --dir the name of a new directory, or leave it away.\n"
    )
    assert (done.returncode, done.stdout) == (1, "")
