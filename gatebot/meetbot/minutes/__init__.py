# SPDX-License-Identifier: Apache-2.0
"""Minutes: a fold over a meeting's entries and lines, and its renderings in OpenDev's layout."""
