# SPDX-License-Identifier: Apache-2.0
"""What hosts of projects do over REST: branches, tags, HEAD, configuration, labels, rights."""
