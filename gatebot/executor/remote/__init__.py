# SPDX-License-Identifier: Apache-2.0
"""The end of an executor on another machine: it connects outwards, and knows no database.

`agent.py` hears what it is to do and says that it lives; `server.py` speaks to the server by HTTP; `uplink.py` brings
logs and files there. What it connects to is in `executor/fleet/`.
"""
