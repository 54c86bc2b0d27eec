# SPDX-License-Identifier: Apache-2.0
"""What people do to queues by hand: enqueue, dequeue, promote; for changes and for branches.

`service.py` asks who may and appends the request to the journal, from which the gate takes it; `rest.py` has the doors:
those of Zuul's REST, ours, and the forms of pages.
"""
