# SPDX-License-Identifier: Apache-2.0
"""Ring core: the pure parts, by tables; no IO, milliseconds each."""
