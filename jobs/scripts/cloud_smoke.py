#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Step of the job cloud-smoke: tempest against the cloud that is up; the smoke tests, or those of `cloud_tempest`."""

from __future__ import annotations

import sys

import cloud_job
import job

sys.exit(cloud_job.inside("smoke", job.text("cloud_tempest")))
