# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is after a reply: Gerrit's rules.

Pure. A reply takes its author out of the set. A reviewer's reply brings owner and uploader in, the
owner's brings those whose threads he answered. Programs never enter and move nobody, but for the
owner when they vote below zero.
"""

from __future__ import annotations

from .model import REPLIED, Moves, Reply


def after_reply(reply: Reply, name: str) -> Moves:
    """The moves of a reply; `name` is the author's, for the reason."""
    why = f"{name} replied on the change"
    if reply.bot:
        return Moves(add=((reply.owner, why),)) if reply.negative and reply.author != reply.owner else Moves()
    came = set(reply.participants)
    if reply.author not in (reply.owner, reply.uploader) and reply.tells:
        came |= {reply.owner, reply.uploader}
    came.discard(reply.author)
    return Moves(tuple((account, why) for account in sorted(came)), ((reply.author, REPLIED),))
