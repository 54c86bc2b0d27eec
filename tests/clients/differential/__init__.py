# SPDX-License-Identifier: Apache-2.0
"""The same play in front of a real Gerrit and of gatebot: pushes, votes, comments, queries, the stream of events.

Every answer of both is compared; what differs must stand in docs/gerrit-compatibility.md with its reason.
"""
