# SPDX-License-Identifier: Apache-2.0
"""Search over everything that was said: what a query asks, the index of lines, conversations as results."""
