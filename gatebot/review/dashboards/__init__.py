# SPDX-License-Identifier: Apache-2.0
"""Pages of several lists of changes: what waits for somebody, and what an address describes."""
