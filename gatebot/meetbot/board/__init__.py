# SPDX-License-Identifier: Apache-2.0
"""The board of an event: what each track speaks of now and next, and who is where."""
