# SPDX-License-Identifier: Apache-2.0
"""Schemathesis against a whole site with what it says of itself in `/openapi.json`, signed in and as a stranger.

It makes up what the description lets it send, and far more; nothing may end in an error of the server, and every answer
must be one that is described.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.site import Builds, Template, begin, open_place
from tests.stories.test_doors import Ground, furnish

SCHEMATHESIS = Path(__file__).resolve().parents[2] / "build" / "schemathesis" / "bin" / "schemathesis"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
TIMES = os.environ.get("GATEBOT_EXAMPLES", "2")
#: What is in its addresses on the site; anything else that stands there is nothing.
PLACES = (
    "account", "branch", "build", "buildset", "commit", "file", "group", "job", "label", "number", "patch_set",
    "pipeline", "project", "requirement", "revision", "tenant", "id", "channel", "day", "tag", "dashboard", "cache",
    "task",
)  # fmt: skip


@pytest.fixture(scope="module")
def ground(template: Template) -> Iterator[Ground]:
    with open_place() as place, begin(template, place, builds := Builds()) as site:
        yield furnish(site, builds)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("who", ["stranger", "bob", "admin"])
def test_every_answer_is_described_and_none_is_an_error_of_the_server(ground: Ground, tmp_path: Path, who: str) -> None:
    if not SCHEMATHESIS.exists():
        pytest.skip("schemathesis is not installed: make test-clients installs it")
    table = {name: value.replace("%23", "#") for name, value in ground.tables[0].items()}
    lines = ["[parameters]", *(f'"path.{name}" = {json.dumps(table[name])}' for name in PLACES)]
    (tmp_path / "schemathesis.toml").write_text("\n".join(lines))
    command = [
        str(SCHEMATHESIS), "--config-file", "schemathesis.toml", "run", f"{ground.site.url}/openapi.json", "--no-color",
        "--checks", CHECKS, "--phases", "fuzzing", "--seed", "1", "--max-examples", TIMES, "--warnings", "off",
    ]  # fmt: skip
    if who != "stranger":
        command += ["--auth", f"{who}:{ground.tokens[who]}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert "Tested:" in done.stdout
