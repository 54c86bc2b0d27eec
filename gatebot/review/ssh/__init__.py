# SPDX-License-Identifier: Apache-2.0
"""The review room over SSH: git, and Gerrit's commands.

`tokens.py`, `arguments.py`, `attributes.py`, `happenings.py` and `want_guard.py` are pure; `server.py` is the only
module that knows the SSH library. Commands call what REST calls: no rule of the room is decided here.
"""
