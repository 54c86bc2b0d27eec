# SPDX-License-Identifier: Apache-2.0
"""The same readers as in `test_hostile_texts.py`, with inputs that Atheris makes by what of the code they reach.

`make test-fuzz` sets Atheris up beside the tests, and says how many inputs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.fakes.hostile import INPUTS, THROWN
from tests.laws import test_hostile_texts

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build" / "atheris" / "bin" / "python"
assert test_hostile_texts
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "GATEBOT_INPUTS" not in os.environ or not PYTHON.exists(), reason="make test-fuzz runs it, with Atheris"
    ),
]


@pytest.mark.parametrize("name", THROWN)
def test_no_input_that_reaches_further_breaks_a_reader(name: str) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))}
    line = [str(PYTHON), "-m", "tests.laws.guided", name, str(INPUTS)]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stderr[-6000:]
    made = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert made is not None, done.stderr[-6000:]
    assert int(made[1]) >= INPUTS
