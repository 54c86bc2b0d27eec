# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is after a reply."""

from __future__ import annotations

import pytest

from gatebot.review.attention.model import Moves, Reply
from gatebot.review.attention.turns import after_reply

OWNER, UPLOADER, ANN, BOB = range(1, 5)


@pytest.mark.parametrize(
    ("reply", "come", "leave"),
    [
        (Reply(ANN, OWNER, UPLOADER), [OWNER, UPLOADER], [ANN]),
        (Reply(ANN, OWNER, UPLOADER, frozenset({ANN, BOB})), [OWNER, UPLOADER, BOB], [ANN]),
        (Reply(OWNER, OWNER, OWNER, frozenset({BOB, OWNER})), [BOB], [OWNER]),
        (Reply(OWNER, OWNER, OWNER), [], [OWNER]),
        (Reply(ANN, OWNER, OWNER, tells=False), [], [ANN]),
        (Reply(BOB, OWNER, OWNER, bot=True), [], []),
        (Reply(BOB, OWNER, OWNER, bot=True, negative=True), [OWNER], []),
    ],
)
def test_a_reply_hands_the_turn_on(reply: Reply, come: list[int], leave: list[int]) -> None:
    moves = after_reply(reply, "Ann")
    assert moves == Moves(
        tuple((account, "Ann replied on the change") for account in sorted(come)),
        tuple((account, "removed on reply") for account in leave),
    )
