# SPDX-License-Identifier: Apache-2.0
"""What comments suggest to write instead, and writing it."""
