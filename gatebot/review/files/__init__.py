# SPDX-License-Identifier: Apache-2.0
"""The files of patch sets, one by one: content, differences as Gerrit tells them, who wrote a line, what was read."""
