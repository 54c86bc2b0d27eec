# SPDX-License-Identifier: Apache-2.0
"""Trackers elsewhere: what texts name of them becomes links and is found, and merging a change tells them."""
