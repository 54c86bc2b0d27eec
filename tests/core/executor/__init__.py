# SPDX-License-Identifier: Apache-2.0
"""The executor's pure core."""
