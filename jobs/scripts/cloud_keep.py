#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Step of the job cloud-cache: keeps what clouds with these variables and repositories begin with, as an artifact."""

from __future__ import annotations

import subprocess
import sys

import cloud_job
import job

options = cloud_job.prepared()
name = cloud_job.state_name(options)
line = cloud_job.entering(options, "keep", f"/logs/{name}.tar.zst")
if subprocess.run(line, env=cloud_job.ENVIRONMENT, stdin=subprocess.DEVNULL, check=False).returncode:
    sys.exit(1)
print(f"Kept as {name}.", flush=True)
job.artifact(cloud_job.artifact_name(name), f"cloud/{name}.tar.zst", type="cloud_state", name=name)
