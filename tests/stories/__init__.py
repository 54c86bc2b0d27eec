# SPDX-License-Identifier: Apache-2.0
"""Ring stories: the whole server, driven as people drive it."""
