#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Step of the job cloud-upgrade: the services of the cloud that is up are upgraded to the checkouts of this build."""

from __future__ import annotations

import sys

import cloud_job

sys.exit(cloud_job.inside("upgrade", *cloud_job.prepared_upgrade()))
