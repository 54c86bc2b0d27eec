# SPDX-License-Identifier: Apache-2.0
"""Contributor agreements: what they are, who has accepted one, and how somebody does."""
