# SPDX-License-Identifier: Apache-2.0
"""A real Gerrit that people work on, and its move to a new site by `gatebot gerrit import`.

`fill.py` is what happens there, `record.py` writes its answers down for the tests that have no Gerrit.
"""
