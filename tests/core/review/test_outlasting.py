# SPDX-License-Identifier: Apache-2.0
"""What becomes of votes, in the words that a Gerrit 3.13.5 wrote for the same votes."""

from __future__ import annotations

from datetime import UTC, datetime

from gatebot.review.labels.copying import Renewal, is_copied
from gatebot.review.labels.model import Label
from gatebot.review.labels.outlasting import message_of, removed
from gatebot.review.model import Kind, Vote

ADMIN, BOB, CAROL = 1, 2, 3
NAMES = {
    ADMIN: "Administrator <admin@example.com>", BOB: "Bob <bob@example.com>", CAROL: "Carol <carol@example.com>",
}  # fmt: skip
VALUES = tuple((value, "") for value in (-2, -1, 0, 1, 2))
LABELS = {
    name: Label(name, VALUES, copy_condition=condition)
    for name, condition in (
        ("Code-Review", "changekind:NO_CHANGE OR changekind:TRIVIAL_REBASE OR is:MIN"),
        ("Plain", ""),
        ("Verified", ""),
        ("Sticky", "is:ANY"),
        ("Group", "changekind:NO_CODE_CHANGE OR approverin:Administrators"),
    )
}
CAST = (
    ("Code-Review", 2, BOB), ("Plain", 1, BOB), ("Sticky", 1, BOB), ("Code-Review", 2, CAROL), ("Verified", 1, CAROL),
    ("Code-Review", -2, ADMIN), ("Plain", -1, ADMIN), ("Group", 1, ADMIN),
)  # fmt: skip


def told(cast: tuple[tuple[str, int, int], ...], kind: Kind) -> str:
    votes = [Vote(label, value, who, datetime(2026, 1, 5, tzinfo=UTC), 1) for label, value, who in cast]
    renewal = Renewal(kind, ADMIN, groups={ADMIN: {"Administrators"}})
    kept = [one for one in votes if is_copied(LABELS[one.label], one.value, one.account, renewal)]
    return message_of(kept, [one for one in votes if one not in kept], LABELS.get, renewal, NAMES)


def test_a_rework_keeps_vetoes_and_tells_of_every_vote_what_decided() -> None:
    assert told(CAST, Kind.REWORK) == (
        "Copied Votes:\n"
        '* Code-Review-2 (copy condition: "changekind:NO_CHANGE OR changekind:TRIVIAL_REBASE OR **is:MIN**")\n'
        "* Group+1 by Administrator <admin@example.com> "
        '(copy condition: "changekind:NO_CODE_CHANGE OR **approverin:Administrators**")\n'
        '* Sticky+1 (copy condition: "**is:ANY**")\n\n'
        "Outdated Votes:\n"
        '* Code-Review+2 (copy condition: "changekind:NO_CHANGE OR changekind:TRIVIAL_REBASE OR is:MIN")\n'
        '* Plain+1, Plain-1 (copy condition: "NEVER")\n'
        '* Verified+1 (copy condition: "NEVER")\n'
    )


def test_votes_of_one_label_that_last_for_other_reasons_stand_in_lines_of_their_own() -> None:
    assert told((("Group", 1, ADMIN), ("Group", 1, CAROL)), Kind.NO_CODE_CHANGE) == (
        "Copied Votes:\n"
        "* Group+1 by Administrator <admin@example.com> "
        '(copy condition: "**changekind:NO_CODE_CHANGE** OR **approverin:Administrators**")\n'
        "* Group+1 by Carol <carol@example.com> "
        '(copy condition: "**changekind:NO_CODE_CHANGE** OR approverin:Administrators")\n'
    )
    assert told((), Kind.REWORK) == ""


def test_a_push_names_who_has_lost_which_vote() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    lost = [Vote(label, value, who, at, 1) for label, value, who in CAST if (label, value) != ("Code-Review", -2)]
    names = {ADMIN: "Administrator", BOB: "Bob", CAROL: "Carol"}
    assert removed([one for one in lost if one.label in ("Code-Review", "Plain", "Verified")], names) == (
        "Code-Review+2 by Bob", "Code-Review+2 by Carol", "Plain+1 by Bob", "Plain-1 by Administrator",
        "Verified+1 by Carol",
    )  # fmt: skip
