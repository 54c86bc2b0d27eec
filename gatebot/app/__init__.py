# SPDX-License-Identifier: Apache-2.0
"""The composition root: the only place that knows every adapter and every room.

`site_app.py` makes a whole site, `serving.py` runs it, `gate.py`, `doors.py` and `irc.py` plug the
rooms in, `places.py` says where things lie. Nothing is decided here.
"""
