#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Step of the cloud jobs: uses the cloud that is up as people do, and says what does not work."""

from __future__ import annotations

import sys

import cloud_job

sys.exit(cloud_job.inside("prove"))
