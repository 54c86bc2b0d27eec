# SPDX-License-Identifier: Apache-2.0
"""What outlives a meeting: the register of actions by person until they are done, decisions."""
