# SPDX-License-Identifier: Apache-2.0
"""Submit requirements over REST: which a project has, and those of its own put there and taken away."""
