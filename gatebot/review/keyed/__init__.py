# SPDX-License-Identifier: Apache-2.0
"""Custom keyed values: pairs of texts that programs keep with a change."""
