# SPDX-License-Identifier: Apache-2.0
"""Accounts, labels and submit requirements in the shapes of Gerrit's REST answers.

Pure. The flags of a label come from the verdict, never from the votes again: Zuul's driver decides
by `approved`, `blocking` and `optional` whether its gate may open.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime

from ..assignment import Json
from .labels.model import Label
from .labels.requirements import Evaluation, Result
from .model import Vote
from .verdict import Outcome, signed
from .whole import ChangeView, Known


def timestamp(moment: datetime) -> str:
    """Gerrit's form: UTC without a zone, nine digits behind the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond:06d}000"


def account_info(known: Known) -> dict[str, Json]:
    """Gerrit's AccountInfo with details."""
    info: dict[str, Json] = {
        "_account_id": known.id,
        "name": known.name,
        "email": known.email,
        "username": known.username,
    }
    if known.display_name:
        info["display_name"] = known.display_name
    if known.status:
        info["status"] = known.status
    if not known.active:
        info["inactive"] = True
    return info


def labels(view: ChangeView, *, detailed: bool) -> dict[str, Json]:
    """Gerrit's map of LabelInfo."""
    return {label.name: _label(view, label, detailed=detailed) for label in view.rules.labels}


def submit_records(view: ChangeView) -> list[dict[str, Json]]:
    """Gerrit's list of SubmitRecordInfo: one, of its own rule."""
    found: list[Json] = []
    for name, told in labels(view, detailed=False).items():
        info = told if isinstance(told, dict) else {}
        by, status = info.get("rejected") or info.get("approved"), "NEED"
        if info.get("rejected"):
            status = "REJECT"
        elif info.get("approved"):
            status = "OK"
        elif info.get("optional"):
            status = "MAY"
        entry: dict[str, Json] = {"label": name, "status": status}
        if isinstance(by, dict):
            entry["by"] = {key: value for key, value in by.items() if key in ("name", "email", "username")}
        found.append(entry)
    ready = view.verdict.submittable or not view.change.is_open
    return [{"rule_name": "gerrit~DefaultSubmitRule", "status": "OK" if ready else "NOT_READY", "labels": found}]


def _label(view: ChangeView, label: Label, *, detailed: bool) -> dict[str, Json]:
    votes = [vote for vote in view.votes if vote.label == label.name]
    info = _summary(view, label, votes)
    if not detailed:
        return info
    if label.description:
        info["description"] = label.description
    info["default_value"] = label.default
    info["values"] = {_padded(value): text for value, text in label.values}
    if cast := _approvals(view, label, votes):
        info["all"] = cast
    return info


def _summary(view: ChangeView, label: Label, votes: list[Vote]) -> dict[str, Json]:
    """Who approved or rejected, and whether that is enough; what no rule asks for is optional."""
    info: dict[str, Json] = {}
    leaves = view.verdict.about(label.name)
    lowest, highest = min((v.value for v in votes), default=0), max((v.value for v in votes), default=0)
    by = {vote.value: vote.account for vote in votes}
    against = next((leaf.vote for leaf in leaves if leaf.outcome is Outcome.BLOCKED and leaf.vote), None)
    if against is not None:
        return {"rejected": _brief(view, against.account), "blocking": True}
    if not leaves:
        info["optional"] = True
    satisfied = bool(leaves) and all(leaf.outcome.passes for leaf in leaves)
    approved = next((leaf.vote for leaf in leaves if satisfied and leaf.vote), None)
    if approved is not None:
        info["approved"] = _brief(view, approved.account)
    if lowest < 0:
        info["disliked"] = _brief(view, by[lowest])
        info["value"] = lowest
    elif approved is None and highest > 0:
        info["recommended"] = _brief(view, by[highest])
        info["value"] = highest
    return info


def _approvals(view: ChangeView, label: Label, votes: list[Vote]) -> list[Json]:
    """Every vote, and a zero for every reviewer who has not voted."""
    cast = {vote.account: vote for vote in votes}
    everybody = dict.fromkeys([*cast, *(reviewer.account for reviewer in view.reviewers)])
    found: list[Json] = []
    for account in everybody:
        known = view.people.get(account)
        entry: dict[str, Json] = account_info(known) if known else {"_account_id": account}
        vote = cast.get(account)
        entry["value"] = vote.value if vote else 0
        if vote is not None:
            entry["date"] = timestamp(vote.granted)
            if vote.tag:
                entry["tag"] = vote.tag
        found.append(entry)
    return found


def removable(view: ChangeView, removes: Container[int]) -> dict[str, Json]:
    """The people whom the asker may take from the change, and the votes: by label and vote who gave it.

    Of closed changes no vote is taken away.
    """
    known = {id: account_info(account) for id, account in view.people.items() if id in removes}
    found: dict[str, dict[str, list[Json]]] = {}
    for vote in view.votes if view.change.is_open else ():
        if vote.value and vote.account in known:
            found.setdefault(vote.label, {}).setdefault(_padded(vote.value), []).append(known[vote.account])
    return {
        "removable_reviewers": [known[one.account] for one in view.reviewers if one.account in known],
        "removable_labels": {label: {**votes} for label, votes in found.items()},
    }


def permitted_labels(view: ChangeView) -> dict[str, Json]:
    """What the asker may vote."""
    return {name: [_padded(value) for value in values] for name, values in view.permitted.items()}


def submit_requirements(view: ChangeView) -> list[Json]:
    """Gerrit's list of SubmitRequirementResultInfo."""
    return [requirement_info(found) for found in view.verdict.results]


def requirement_info(found: Result) -> dict[str, Json]:
    """Gerrit's SubmitRequirementResultInfo; of an expression that decides nothing only the outcome is told."""
    wanted = found.requirement
    entry: dict[str, Json] = {"name": wanted.name}
    if wanted.description:
        entry["description"] = wanted.description
    entry |= {"status": found.state.value, "is_legacy": wanted.legacy}
    if found.applicable is not None:
        entry["applicability_expression_result"] = _expression(found.applicable, hidden=True)
    entry["submittability_expression_result"] = _expression(found.submittable)
    if found.override is not None:
        entry["override_expression_result"] = _expression(found.override)
    return entry


def _expression(asked: Evaluation, *, hidden: bool = False) -> dict[str, Json]:
    """Gerrit's SubmitRequirementExpressionInfo; Zuul looks for `label:NAME` in the expression."""
    outcome: dict[str, Json] = {"fulfilled": asked.fulfilled, "status": asked.status}
    if not hidden:
        atoms = (*asked.passing, *asked.failing)
        outcome = {
            "expression": asked.text,
            **outcome,
            "passing_atoms": list(asked.passing),
            "failing_atoms": list(asked.failing),
            "atom_explanations": dict.fromkeys(atoms, ""),
        }
    if asked.error:
        outcome["error_message"] = asked.error
    return outcome


def _brief(view: ChangeView, account: int) -> dict[str, Json]:
    known = view.people.get(account)
    return account_info(known) if known else {"_account_id": account}


def _padded(value: int) -> str:
    """A vote as a key: `-1`, ` 0`, `+1`."""
    return signed(value) if value else " 0"
