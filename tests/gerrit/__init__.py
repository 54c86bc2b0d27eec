# SPDX-License-Identifier: Apache-2.0
"""gatebot and a real Gerrit: `make test-gerrit`."""
