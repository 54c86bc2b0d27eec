# SPDX-License-Identifier: Apache-2.0
"""What people keep for themselves: stars, watched projects, preferences; and accounts over REST."""
