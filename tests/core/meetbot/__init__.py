# SPDX-License-Identifier: Apache-2.0
"""The pure core of the meetbot."""
