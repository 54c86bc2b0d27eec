# SPDX-License-Identifier: Apache-2.0
"""Figures: one script each, one JSON object a line."""
