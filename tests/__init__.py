# SPDX-License-Identifier: Apache-2.0
"""All tests, in rings: core, laws, shells, stories; fakes beside them."""
