#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Last step of the cloud jobs, also of those that failed: what can be seen of the cloud goes to the artifacts."""

from __future__ import annotations

import cloud_job

if not cloud_job.FIRST.exists():
    print("No cloud was begun, so nothing can be seen of it.")
elif cloud_job.inside("collect"):
    print("Of a cloud that has ended there are only its logs.")
