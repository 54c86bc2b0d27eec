# SPDX-License-Identifier: Apache-2.0
"""The tour of `gatebot demo`, as anybody starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.fakes.irc import free_port

CLAIMS = [
    "all three pass check: Verified +1",
    "the first change merged N s after the start; at most 120 are promised",
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
    "the tour took N s; at most 180 are promised",
]


@pytest.mark.slow
@pytest.mark.timeout(330)
def test_the_tour_keeps_its_promises() -> None:
    command = [sys.executable, "-m", "gatebot", "demo", "--once"]
    ports = ["--port", str(free_port()), "--irc-port", str(free_port())]
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    done = subprocess.run([*command, *ports], env=env, capture_output=True, text=True, check=False, timeout=300)
    told = re.findall(r"^  ([✓✗]) (.+)$", done.stdout, re.MULTILINE)
    assert [claim for mark, claim in told if mark == "✗"] == [], done.stdout
    kept = [re.sub(r"\b\d+ s\b", "N s", claim) for _, claim in told]
    assert [claim for claim in CLAIMS if claim not in kept] == [], done.stdout
    assert done.returncode == 0, done.stderr
