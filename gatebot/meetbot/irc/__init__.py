# SPDX-License-Identifier: Apache-2.0
"""IRC: one adapter around the `irc` library that adds what it lacks, and a server for where there is none."""
