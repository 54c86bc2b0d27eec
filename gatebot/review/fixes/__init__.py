# SPDX-License-Identifier: Apache-2.0
"""What comments suggest to write instead: values, how texts say it, and texts with it written in."""
