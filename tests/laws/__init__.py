# SPDX-License-Identifier: Apache-2.0
"""Ring laws: what holds for every input, by generated cases within a fixed budget."""
