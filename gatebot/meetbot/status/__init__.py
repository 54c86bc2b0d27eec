# SPDX-License-Identifier: Apache-2.0
"""The status of the site as people tell it in channels: notices and alerts, the log of both, successes and thanks."""
