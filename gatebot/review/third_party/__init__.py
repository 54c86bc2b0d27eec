# SPDX-License-Identifier: Apache-2.0
"""CIs elsewhere that vote here: how well each of them answers."""
