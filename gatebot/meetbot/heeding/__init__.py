# SPDX-License-Identifier: Apache-2.0
"""Commands that are lines of channels, read from the journal: what the status and the boards have in common."""
