# SPDX-License-Identifier: Apache-2.0
"""Gating an existing Gerrit: its changes are mirrored here, the gate reads the mirror, reports and merges go out."""
