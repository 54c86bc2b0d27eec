# SPDX-License-Identifier: Apache-2.0
"""What the bot does beside meetings: it announces changes and failures, and answers those who speak to it."""
