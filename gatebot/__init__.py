# SPDX-License-Identifier: Apache-2.0
"""gatebot: code review, a speculative merge gate, CI jobs and a meeting bot in one server."""

__version__ = "0.1.0"
