# SPDX-License-Identifier: Apache-2.0
"""MeetBot: the channel remembered, the meeting decided, all of it found again."""
