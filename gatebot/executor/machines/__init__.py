# SPDX-License-Identifier: Apache-2.0
"""Full virtual machines: what they are made of, how they start, what they are told before anybody logs in."""
