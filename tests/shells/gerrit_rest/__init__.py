# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls over real HTTP, by their subjects."""
