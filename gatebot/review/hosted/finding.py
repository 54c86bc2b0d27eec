# SPDX-License-Identifier: Apache-2.0
"""Which projects a list is about: Gerrit's `p`, `m`, `r`, `state`, and the words of `query`.

Pure: projects with their parent and state in, a choice out. What is not known is refused by name, never left out:
a list that is longer than what was asked for is taken for the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ...errors import Invalid
from ...expressions import compiled
from ...reasons import reason
from ..config.model import ALL_PROJECTS

Matching: TypeAlias = Callable[[str], bool]
_KNOWN = ("name", "inname", "parent", "description", "state", "is")
_KINDS = ("ALL", "CODE", "PERMISSIONS")
_NOT_HERE = {
    "q": "write query=...",
    "query2": "write query=...",
    "has-acl-for": "/access/ tells who may what",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """What of a project lists are narrowed by."""

    name: str
    description: str
    parent: str
    state: str


def narrowed(projects: Sequence[Listed], asked: Mapping[str, str]) -> list[Listed]:
    """Those that every parameter fits."""
    for name, why in _NOT_HERE.items():
        if name in asked:
            raise Invalid(reason=reason("review.bad-field", field=name, why=why))
    several = [name for name in ("p", "m", "r") if asked.get(name)]
    if len(several) > 1:
        raise Invalid(reason=reason("review.bad-field", field=several[1], why="ask for one of p, m and r"))
    kind = asked.get("type", "ALL").upper()
    if kind not in _KINDS:
        raise Invalid(reason=reason("review.bad-field", field="type", why=f"it is one of {', '.join(_KINDS)}"))
    begin, part, state = asked.get("p", ""), asked.get("m", "").lower(), asked.get("state", "").upper()
    matching = fitting("r", asked["r"]) if asked.get("r") else None
    found = [
        one
        for one in projects
        if one.name.startswith(begin)
        and part in one.name.lower()
        and state in ("", one.state)
        and kind in ("ALL", "CODE" if one.name != ALL_PROJECTS else "PERMISSIONS")
        and (matching is None or matching(one.name))
    ]
    for word in asked.get("query", "").split():
        found = [one for one in found if _fits(one, word)]
    return found


def fitting(field: str, regex: str) -> Matching:
    """Whether a name fits an expression from its first letter to its last, as Gerrit has it."""
    try:
        wanted = compiled(regex.removeprefix("^").removesuffix("$"))
    except ValueError as error:
        raise Invalid(reason=reason("review.bad-field", field=field, why=str(error))) from None
    return lambda name: wanted.fullmatch(name) is not None


def _fits(one: Listed, word: str) -> bool:
    operator, colon, value = word.partition(":")
    value = (value if colon else word).strip('"{}').lower()
    match operator if colon else "":
        case "":
            return value in one.name.lower() or value in one.description.lower()
        case "name":
            return value == one.name.lower()
        case "inname":
            return value in one.name.lower()
        case "parent":
            return value == one.parent.lower()
        case "description":
            return value in one.description.lower()
        case "state" | "is":
            return value.upper().replace("-", "_") == one.state
        case _:
            known = ", ".join(_KNOWN)
            raise Invalid(reason=reason("review.query-unknown-operator", operator=word[:60], known=known))
