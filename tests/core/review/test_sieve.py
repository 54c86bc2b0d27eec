# SPDX-License-Identifier: Apache-2.0
"""What a query asks beyond the database is taken out of it only where every change that is found must pass."""

from __future__ import annotations

import pytest

from gatebot.review.query import And, Node, parse
from gatebot.review.sieve import sieve


def parts(node: Node) -> list[Node]:
    """All that must hold, in its order."""
    return [inner for part in node.parts for inner in parts(part)] if isinstance(node, And) else [node]


@pytest.mark.parametrize(
    ("query", "left", "meant"),
    [
        ("is:submittable", "status:open", True),
        ("is:submittable owner:ann", "status:open owner:ann", True),
        ("owner:ann (is:submittable branch:main) limit:5", "status:open owner:ann branch:main limit:5", True),
        ("-is:submittable owner:ann", "owner:ann", False),
        ("NOT is:SUBMITTABLE owner:ann", "owner:ann", False),
        ("owner:ann", "owner:ann", None),
        ("is:submittable OR owner:ann", "is:submittable OR owner:ann", None),
        ("-(is:submittable owner:ann)", "-(is:submittable owner:ann)", None),
    ],
)
def test_the_rest_is_left_for_the_database(query: str, left: str, meant: bool | None) -> None:
    sieved = sieve(parse(query))
    assert (sieved.submittable, sieved.query.limit) == (meant, parse(left).limit)
    assert parts(sieved.query.node) == parts(parse(left).node)


def test_both_at_once_find_nothing() -> None:
    sieved = sieve(parse("is:submittable -is:submittable"))
    assert sieved.submittable is None
    assert sieved.query.node == parse("status:open -status:open").node
