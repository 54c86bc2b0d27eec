# SPDX-License-Identifier: Apache-2.0
"""Which votes outlive a new patch set: Gerrit's copy conditions.

Pure. A condition that cannot be read copies nothing: a vote must never count for more than somebody meant. That it
cannot be read is told to the one who configures it, by `problem`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..model import Kind
from .expression import Atom, BadExpression, arguments, atoms, holds, parse
from .model import Label

_NO_GROUPS: Mapping[int, Collection[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Renewal:
    """A new patch set as copy conditions see it: what it is to the one before, and who uploaded it.

    `unchanged_files`: both patch sets touch the same files in the same ways. `groups` are those of all who matter.
    """

    kind: Kind
    uploader: int = 0
    is_merge: bool = False
    unchanged_files: bool = False
    groups: Mapping[int, Collection[str]] = field(default_factory=lambda: _NO_GROUPS)


def is_copied(label: Label, value: int, account: int, renewal: Renewal) -> bool:
    """Whether a vote of an account counts on the new patch set too."""
    if not label.copy_condition:
        return False
    try:
        node = parse(label.copy_condition)
        asked = {atom: _holds(atom, label, value, account, renewal) for atom in atoms(node)}
        return holds(node, asked.__getitem__)
    except BadExpression:
        return False


def passing(label: Label, value: int, account: int, renewal: Renewal) -> frozenset[str]:
    """The parts of its copy condition that hold for a vote, as they were written."""
    if not label.copy_condition:
        return frozenset()
    try:
        found = atoms(parse(label.copy_condition))
        return frozenset(atom.text for atom in found if _holds(atom, label, value, account, renewal))
    except BadExpression:
        return frozenset()


def problem(condition: str) -> str:
    """What is wrong with a copy condition; "" if nothing is."""
    label = Label("", ((0, ""),))
    try:
        for atom in atoms(parse(condition)):
            _holds(atom, label, 0, 0, Renewal(Kind.REWORK))
    except BadExpression as bad:
        return str(bad)
    return ""


def _holds(atom: Atom, label: Label, value: int, account: int, renewal: Renewal) -> bool:
    given = (arguments(atom.value) or ("",))[0]
    match atom.operator:
        case "changekind":
            return _is_kind(given, renewal)
        case "is":
            return _is_value(given, label, value)
        case "approverin":
            return given in renewal.groups.get(account, ())
        case "uploaderin":
            return given in renewal.groups.get(renewal.uploader, ())
        case "has" if given == "unchanged-files":
            return renewal.unchanged_files or renewal.kind in (Kind.NO_CHANGE, Kind.NO_CODE_CHANGE)
        case "has":
            raise BadExpression(f"'{given}' is not supported by has:, only unchanged-files is")
        case _:
            raise BadExpression(f"'{atom.operator}' is no operator of copy conditions")


#: A rebase whose message may differ too includes what differs in one of the two, or in nothing.
_LESS_THAN_MESSAGE_AND_REBASE = (Kind.NO_CHANGE, Kind.NO_CODE_CHANGE, Kind.TRIVIAL_REBASE)


def _is_kind(name: str, renewal: Renewal) -> bool:
    try:
        wanted = Kind(name.upper())
    except ValueError:
        raise BadExpression(f"{name} is not a kind of patch set; those are {', '.join(Kind)}") from None
    if wanted in (renewal.kind, Kind.REWORK):
        return True
    if wanted is Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE:
        return renewal.kind in _LESS_THAN_MESSAGE_AND_REBASE
    same = renewal.kind is Kind.NO_CHANGE
    return same and (
        wanted in (Kind.TRIVIAL_REBASE, Kind.NO_CODE_CHANGE)
        or (renewal.is_merge and wanted is Kind.MERGE_FIRST_PARENT_UPDATE)
    )


def _is_value(name: str, label: Label, value: int) -> bool:
    match name.upper():
        case "ANY":
            return True
        case "MIN":
            return value <= label.lowest
        case "MAX":
            return value >= label.highest
        case _:
            try:
                return value == int(name)
            except ValueError:
                raise BadExpression(f"{name} is not MIN, MAX, ANY or a vote") from None
