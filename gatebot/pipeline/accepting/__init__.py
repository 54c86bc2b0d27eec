# SPDX-License-Identifier: Apache-2.0
"""A sub-room: errors of a tenant's configuration that an administrator accepts, one by one, until a day.

An accepted error stops no item: what it takes away is left out, as Zuul does. Only a secret that cannot be decrypted
stops the items that need it all the same, since their builds could not succeed; they are told who mends it. `model.py`
says what is accepted, `store.py` keeps it, `service.py` asks who may, `rest.py` and `pages.py` take the orders.
"""
