# SPDX-License-Identifier: Apache-2.0
"""Gerrit's attention set: whose turn it is on a change, since when and why."""
