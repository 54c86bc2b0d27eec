# SPDX-License-Identifier: Apache-2.0
"""A sub-room: changes of configuration are tried before they are merged.

`service.py` lays out the tenant before and after, `rest.py` answers `gatebot config try`, `pages.py` the page of the
change. What is compared, and how, is decided in `config/trial.py`.
"""
