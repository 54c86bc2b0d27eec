# SPDX-License-Identifier: Apache-2.0
"""pygerrit2's own live tests, unmodified: they ask Docker for a Gerrit, and here get the address of a gatebot.

`make test-clients` installs pygerrit2 beside the tests, and unpacks its last source archive, which has them.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import StandIn

PLACE = Path(__file__).resolve().parents[2] / "build" / "pygerrit2"
PYTHON, TESTS = PLACE / "bin" / "python", PLACE / "pygerrit2-2.0.9" / "livetests.py"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not TESTS.exists(), reason="pygerrit2 is not installed: make test-clients installs it"),
]
# The package that starts containers, as far as the tests use it.
CONTAINER = """
import os
class DockerContainer:
    def __init__(self, image): pass
    def with_exposed_ports(self, *ports): pass
    def get_exposed_port(self, port): return os.environ["GERRIT_PORT"]
    def __enter__(self): return self
    def __exit__(self, *raised): pass
"""
WAITING = "def wait_container_is_ready():\n    return lambda function: function\n"


def test_live_tests_pass(new_gerrit: StandIn, tmp_path: Path) -> None:
    stub = tmp_path / "testcontainers" / "core"
    stub.mkdir(parents=True)
    for package in (stub.parent, stub):
        (package / "__init__.py").touch()
    (stub / "container.py").write_text(CONTAINER)
    (stub / "waiting_utils.py").write_text(WAITING)
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "GERRIT_PORT": str(new_gerrit.port)}
    # They are the same for three versions of Gerrit, of which each would be a server of its own.
    command = [
        str(PYTHON),
        "-m",
        "pytest",
        "-q",
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
        str(TESTS),
        "-k",
        "2.16.6",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=tmp_path, timeout=240)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b10 passed\b", done.stdout), done.stdout
