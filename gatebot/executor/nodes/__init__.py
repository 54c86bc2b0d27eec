# SPDX-License-Identifier: Apache-2.0
"""Nodes of a site for people: what executors can give, which labels that serves, what is in use, and what is held.

`listing.py` decides what is said, `service.py` asks for what it needs, `rest.py` and `pages.py` show it. Nodes
themselves are made and taken away elsewhere.
"""
