# SPDX-License-Identifier: Apache-2.0
"""Changes to minutes after the end: who may make them, how they are kept."""
