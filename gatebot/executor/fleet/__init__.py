# SPDX-License-Identifier: Apache-2.0
"""Executors on other machines, as the server sees them: who they are, what they are given, what they bring back.

`fleet.py` is the scheduler's `Dispatch` over all executors, this process' own among them. The other end is in
`executor/remote/`. Messages over NATS carry ids; what is worth knowing goes over HTTP, by passes of `passes.py`.
"""
