# SPDX-License-Identifier: Apache-2.0
"""What a query asks that the database cannot answer: whether changes could be submitted.

Pure. Such a term is taken out of the query, and what the rest of it finds goes through a sieve (`reading.py`). That is
done where every change that is found must pass; inside an OR the term is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .query import And, Node, Not, Query, Term

_TERM = Term("is", "submittable")
_OPEN = Term("status", "open")


@dataclass(frozen=True, slots=True)
class Sieved:
    """The query for the database; `submittable` is what each change must be, None where it does not matter."""

    query: Query
    submittable: bool | None = None


def sieve(query: Query) -> Sieved:
    """Take the term out, with how it was meant. Only what is open can be submitted."""
    parts = _parts(query.node)
    meant = {isinstance(part, Not) for part in parts if _is_term(part)}
    if not meant:
        return Sieved(query)
    if len(meant) == 2:  # both, and nothing is
        return Sieved(replace(query, node=And((_OPEN, Not(_OPEN)))))
    negated = meant.pop()
    rest = tuple(part for part in parts if not _is_term(part))
    return Sieved(replace(query, node=And(rest if negated else (_OPEN, *rest))), not negated)


def _parts(node: Node) -> tuple[Node, ...]:
    """Everything that must hold of a change, however it is put together."""
    if isinstance(node, And):
        return tuple(inner for part in node.parts for inner in _parts(part))
    return (node,)


def _is_term(part: Node) -> bool:
    term = part.part if isinstance(part, Not) else part
    return isinstance(term, Term) and term.operator == _TERM.operator and term.value.lower() == _TERM.value
