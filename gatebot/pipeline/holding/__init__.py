# SPDX-License-Identifier: Apache-2.0
"""Autohold requests for people: to ask for the nodes of failed builds, to look at the list, to let them go.

`service.py` asks who may, `rest.py` has Zuul's calls, `pages.py` the page. Rows are in `autohold.py`; the executor has
the nodes.
"""
