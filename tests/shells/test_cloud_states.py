# SPDX-License-Identifier: Apache-2.0
"""A cloud begins from a state that a build of the past kept, if that is of the very same: the site is asked for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gatebot import assets

SCRIPTS = assets.path("jobs", "scripts")
BUILDS, KEPT = "/api/tenant/main/builds", b"tables"
STEP = """\
import cloud_job
options = cloud_job.variables.options_of({})
found = cloud_job.kept_state(options)
print(cloud_job.artifact_name(cloud_job.state_name(options)))
print(found.read_bytes() if found else None)
"""


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A site, and what it answers by path."""
    answers: dict[str, bytes] = {}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = answers.get(self.path)
            self.send_response(200 if told is not None else 404)
            self.end_headers()
            self.wfile.write(told or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", answers
        server.shutdown()


def begun(home: Path, variables: Mapping[str, object]) -> list[str]:
    """What the step says that looks for a state: the name of its artifact, and what it found."""
    told = home / "variables.json"
    told.write_text(json.dumps({"zuul": {"artifacts": [], "executor": {"hostname": "elsewhere"}}, **variables}))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "HOME": str(home), "GATEBOT_ARTIFACTS": str(home), "GATEBOT_VARIABLES": str(told), "PYTHONPATH": str(SCRIPTS),
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def test_the_state_of_the_newest_build_that_fits_is_taken(site: tuple[str, dict[str, bytes]], tmp_path: Path) -> None:
    url, answers = site
    wanted = begun(tmp_path, {})[0]
    builds = [
        {"log_url": f"{url}/logs/c/", "artifacts": [{"name": "cloud state of another", "url": "artifacts/no"}]},
        {"log_url": f"{url}/logs/b/", "artifacts": [{"name": wanted, "url": "artifacts/cloud/s.tar.zst"}]},
        {"log_url": f"{url}/logs/a/", "artifacts": [{"name": wanted, "url": "artifacts/cloud/old.tar.zst"}]},
    ]
    answers |= {BUILDS: json.dumps(builds).encode(), "/logs/b/artifacts/cloud/s.tar.zst": KEPT}
    said = begun(tmp_path, {"cloud_states": url + BUILDS})
    assert said[-1] == str(KEPT)
    assert f"fetching {url}/logs/b/artifacts/cloud/s.tar.zst" in said


def test_a_cloud_of_which_nobody_kept_the_state_begins_from_nothing(
    site: tuple[str, dict[str, bytes]], tmp_path: Path
) -> None:
    url, answers = site
    answers[BUILDS] = b"[]"
    assert begun(tmp_path, {"cloud_states": url + BUILDS})[-1] == "None"


def test_a_site_that_does_not_answer_is_said_and_the_cloud_begins_from_nothing(
    site: tuple[str, dict[str, bytes]], tmp_path: Path
) -> None:
    said = begun(tmp_path, {"cloud_states": site[0] + BUILDS})
    assert said[0] == f"{site[0]}{BUILDS} does not answer: HTTP Error 404: Not Found"
    assert said[-1] == "None"
