# SPDX-License-Identifier: Apache-2.0
"""Ring chaos: the real process, killed at random points while people work."""
