# SPDX-License-Identifier: Apache-2.0
"""Comments before they are published, and comments carried to later patch sets."""
