# SPDX-License-Identifier: Apache-2.0
"""Ring shells: each adapter against the real thing (git, both databases, subprocesses, sandbox)."""
