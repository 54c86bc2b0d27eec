# SPDX-License-Identifier: Apache-2.0
"""Changes written without a clone: new changes over REST, and change edits that become patch sets."""
