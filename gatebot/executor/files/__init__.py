# SPDX-License-Identifier: Apache-2.0
"""What builds leave: read by window, searched, understood (tests, request ids), stored, and taken away in time."""
