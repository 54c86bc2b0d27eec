# SPDX-License-Identifier: Apache-2.0
"""The guide of the job library names each job and each variable of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/job-library.md").read_text("utf-8")
JOBS: list[dict[str, Any]] = [
    entry["job"]
    for path in sorted((ROOT / "jobs/zuul.d").glob("*.yaml"))
    for entry in yaml.safe_load(path.read_text("utf-8"))
    if "job" in entry
]
LIBRARY = [job for job in JOBS if job["name"] != "base"]


def ancestry(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A job, and those of the library that it inherits from."""
    yield job
    for parent in LIBRARY:
        if parent["name"] == job.get("parent"):
            yield from ancestry(parent)


@pytest.mark.parametrize("job", LIBRARY, ids=lambda job: job["name"])
def test_a_job_says_what_it_is_and_its_variables_are_in_its_description_and_in_the_guide(job: dict[str, Any]) -> None:
    assert job["name"] in re.findall(r"[\w-]+", GUIDE)
    own = "\n".join(one["description"] for one in ancestry(job))
    missing = [name for name in job.get("vars", {}) if f"`{name}`" not in own or f"`{name}`" not in GUIDE]
    assert not missing, "say what these mean, in the description of the job and in docs/job-library.md"


@pytest.mark.parametrize("job", LIBRARY, ids=lambda job: job["name"])
def test_what_a_job_runs_is_there_and_can_be_run(job: dict[str, Any]) -> None:
    steps = [job.get("run", []), job.get("post-run", [])]
    paths = [path for step in steps for path in ([step] if isinstance(step, str) else step)]
    modes = {path: (ROOT / "jobs" / path).stat().st_mode for path in paths}
    assert [path for path, mode in modes.items() if not path.endswith(".yaml") and not mode & 0o111] == []
    if "run" in job:
        assert paths
    else:
        assert job.get("abstract") or any(job["parent"] == other["name"] for other in LIBRARY)
