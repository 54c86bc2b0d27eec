# SPDX-License-Identifier: Apache-2.0
"""Where the steps of a cloud job meet: the directories that they share with the cloud, and the way into it.

Imported by the steps `cloud_up.py`, `cloud_prove.py` and `cloud_collect.py`, on nodes. The cloud itself is the package
in `../cloud/cloud`, which these steps give to the interpreter inside the cloud.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import job

CODE = Path(__file__).resolve().parent.parent / "cloud"
#: Shared with the cloud as /work: what is asked of it, the guest's image, how it fares.
WORK = job.HOME / "cloud"
#: Shared with the cloud as /logs, and kept with the build however that ends.
LOGS = job.ARTIFACTS / "cloud"
READY, FAILED, FIRST, OPTIONS = WORK / "ready", WORK / "failed", WORK / "first", WORK / "options.json"
#: What is installed from checkouts of this build; it goes before what the image has.
PROJECTS = WORK / "projects"
#: Nothing of the job's own environment: its proxies lead nowhere in there.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PYTHONPATH": f"/work/projects:{CODE}",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def inside(*command: str) -> int:
    """Run a command in the cloud, its output into the log; its exit code."""
    return subprocess.run([CODE / "inside", WORK, *command], env=ENVIRONMENT, check=False).returncode


def why_failed() -> str:
    """What ended the cloud; empty while nothing did."""
    return FAILED.read_text("utf-8").strip() if FAILED.exists() else ""
