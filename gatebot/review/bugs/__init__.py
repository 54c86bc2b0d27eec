# SPDX-License-Identifier: Apache-2.0
"""Which changes are said to fix what trackers elsewhere know: an index of commit messages, for who names a bug."""
