# SPDX-License-Identifier: Apache-2.0
"""Groups as people see and change them: who may, and Gerrit's REST calls.

What a group is, and its rows, are `gatebot/identity/`'s; here are the questions and the answers.
"""
