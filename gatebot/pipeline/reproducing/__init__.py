# SPDX-License-Identifier: Apache-2.0
"""A sub-room: builds as anybody may run them on a machine of his own, with exactly the commits that the site uses.

`store.py` keeps what was given to executors, `unqueued.py` works out what a change would be given; `service.py` decides
who may have it, `rest.py` answers `gatebot run --change`, `gatebot build reproduce` and their git. No secret leaves.
"""
