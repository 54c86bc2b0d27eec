# SPDX-License-Identifier: Apache-2.0
"""The unit tests of a library of OpenStack, from the package index, in the gate on two architectures at once.

Emulated, its tools take minutes to install, so this runs in `make test-library` only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gatebot.executor.model import Sandbox
from tests.fakes.site import Template, begin
from tests.stories.test_job_library import PATIENCE, library, outcomes
from tests.stories.test_job_library_images import need_arm64

PACKAGE = "oslo.context==6.5.0"
UNIT = """\
- job:
    name: oslo-unit
    parent: stestr
    nodeset: {nodes: [{name: node, label: small}]}
    matrix: {arch: [x86_64, arm64]}
- project: {queue: integrated, check: {jobs: []}, gate: {jobs: [oslo-unit]}}
"""
pytestmark = pytest.mark.timeout(5400)


@library
def test_the_unit_tests_of_a_library_of_openstack_gate_it_on_both_architectures(
    template: Template, place: Path
) -> None:
    need_arm64()
    running = begin(template, place)
    running.sandbox = Sandbox.AUTO
    with running as site:
        ann, bob = site.person("ann"), site.person("bob")
        known = {**os.environ, "GATEBOT_URL": site.url, "GATEBOT_USER": "admin", "GATEBOT_TOKEN": site.tokens["admin"]}
        line = [sys.executable, "-P", "-m", "gatebot", "project", "import-sdist", PACKAGE, "--name", "oslo.context"]
        done = subprocess.run(line, env=known, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"the library cannot be fetched: {done.stderr.strip()}")
        change = ann.propose("oslo.context", "Test on two architectures", {".zuul.yaml": UNIT})
        bob.approve(change)
        ann.sees_merged(change, 2 * PATIENCE)
        builds = dict(re.findall(r"- (oslo-unit-\S+) \S+/build/(\w+)", "\n".join(ann.said(change))))
        assert sorted(builds) == ["oslo-unit-arm64", "oslo-unit-x86_64"]
        native, foreign = (outcomes(ann, builds[f"oslo-unit-{arch}"]) for arch in ("x86_64", "arm64"))
    assert set(native.values()) == {"passed"}
    assert foreign == native
