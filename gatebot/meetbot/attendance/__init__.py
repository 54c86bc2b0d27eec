# SPDX-License-Identifier: Apache-2.0
"""Who came to meetings, those who said nothing included, and which meetings did not happen."""
