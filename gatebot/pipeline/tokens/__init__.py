# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect tokens for builds: who they say that a build is, and where others find the key to check them.

`service.py` signs a token when a playbook that lists it begins, `rest.py` publishes the key.
"""
