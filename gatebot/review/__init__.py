# SPDX-License-Identifier: Apache-2.0
"""Review: push, changes, votes, submit requirements, landing. Gerrit's part of the house."""
