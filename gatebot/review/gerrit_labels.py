# SPDX-License-Identifier: Apache-2.0
"""Accounts, labels and submit requirements in the shapes of Gerrit's REST answers.

Pure. The flags of a label come from the verdict, never from the votes again: Zuul's driver decides
by `approved`, `blocking` and `optional` whether its gate may open.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ..assignment import Json
from .model import Vote
from .rules import Label, LabelNeed
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
    if not known.active:
        info["inactive"] = True
    return info


def labels(view: ChangeView, *, detailed: bool) -> dict[str, Json]:
    """Gerrit's map of LabelInfo."""
    return {label.name: _label(view, label, detailed=detailed) for label in view.rules.labels}


def _label(view: ChangeView, label: Label, *, detailed: bool) -> dict[str, Json]:
    votes = [vote for vote in view.votes if vote.label == label.name]
    info = _summary(view, label, votes)
    if not detailed:
        return info
    info["description"] = label.name
    info["default_value"] = 0
    info["values"] = {_padded(value): text for value, text in label.values}
    info["all"] = _approvals(view, label, votes)
    return info


def _summary(view: ChangeView, label: Label, votes: list[Vote]) -> dict[str, Json]:
    """Who approved or rejected, and whether that is enough."""
    info: dict[str, Json] = {}
    requirement = view.verdict.find(label.name)
    outcome = requirement.outcome if requirement else Outcome.NOT_APPLICABLE
    lowest, highest = min((v.value for v in votes), default=0), max((v.value for v in votes), default=0)
    by = {vote.value: vote.account for vote in votes}
    match outcome:
        case Outcome.SATISFIED:
            info["approved"] = _brief(view, _approver(view, label, votes))
        case Outcome.BLOCKED:
            info["rejected"] = _brief(view, by[lowest])
            info["blocking"] = True
        case Outcome.NOT_APPLICABLE:
            info["optional"] = True
        case Outcome.UNSATISFIED:
            pass
    if outcome is Outcome.BLOCKED:
        return info
    if lowest < 0:
        info["disliked"] = _brief(view, by[lowest])
        info["value"] = lowest
    elif outcome is not Outcome.SATISFIED and highest > 0:
        info["recommended"] = _brief(view, by[highest])
        info["value"] = highest
    return info


def _approver(view: ChangeView, label: Label, votes: list[Vote]) -> int:
    """Whose vote satisfied the requirement; the rule that did not count the uploader's is asked again."""
    need = _need(view, label.name)
    enough = [vote for vote in votes if need is None or vote.value >= need.needs]
    others = [vote for vote in enough if vote.account != view.current.uploader]
    return (others if need is not None and need.not_uploader else enough)[0].account


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


def permitted_labels(view: ChangeView) -> dict[str, Json]:
    """What the asker may vote."""
    return {name: [_padded(value) for value in values] for name, values in view.permitted.items()}


def submit_requirements(view: ChangeView) -> list[Json]:
    """Gerrit's SubmitRequirementResultInfo, one for each label that is asked for."""
    found: list[Json] = []
    for need in view.rules.needs:
        requirement = view.verdict.find(need.label)
        outcome = requirement.outcome if requirement else Outcome.NOT_APPLICABLE
        passes = outcome is Outcome.SATISFIED
        status = {Outcome.BLOCKED: "UNSATISFIED"}.get(outcome, outcome.value)
        expression = _expression(need)
        atoms: list[Json] = [*expression.split(" AND ")]
        result: dict[str, Json] = {
            "expression": expression,
            "fulfilled": passes,
            "status": "PASS" if passes else "FAIL",
            "passing_atoms": atoms if passes else [],
            "failing_atoms": [] if passes else atoms,
        }
        entry: dict[str, Json] = {
            "name": need.label,
            "status": status,
            "is_legacy": False,
            "submittability_expression_result": result,
        }
        found.append(entry)
    return found


def _expression(need: LabelNeed) -> str:
    """The requirement in Gerrit's language; Zuul looks for `label:NAME` in it."""
    user = ",user=non_uploader" if need.not_uploader else ""
    return f"label:{need.label}=MAX{user} AND -label:{need.label}=MIN"


def _need(view: ChangeView, name: str) -> LabelNeed | None:
    return next((need for need in view.rules.needs if need.label == name), None)


def _brief(view: ChangeView, account: int) -> dict[str, Json]:
    known = view.people.get(account)
    return account_info(known) if known else {"_account_id": account}


def _padded(value: int) -> str:
    """A vote as a key: `-1`, ` 0`, `+1`."""
    return signed(value) if value else " 0"
