# SPDX-License-Identifier: Apache-2.0
"""Logs that other programs kept, taken into the archive."""
