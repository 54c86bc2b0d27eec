# SPDX-License-Identifier: Apache-2.0
"""The heart of the gate: `record` writes one fact into a queue, `plan` decides everything again from the facts.

Pure. Only `record` changes a queue; an accepted command of `plan` is itself a fact; replaying the facts gives
the same queue; planning twice adds nothing. Git, databases and executors are never needed here.
"""
