#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Last step of the cloud jobs, also of those that failed: what can be seen of the cloud goes to the artifacts."""

from __future__ import annotations

import json
import sys

import cloud_job

if not cloud_job.FIRST.exists():
    print("No cloud was begun, so nothing can be seen of it.")
    sys.exit(0)
venv = json.loads(cloud_job.OPTIONS.read_text("utf-8"))["venv"]
if cloud_job.inside(f"{venv}/bin/python", "-m", "cloud", "collect"):
    print("Of a cloud that has ended there are only its logs.")
