# SPDX-License-Identifier: Apache-2.0
"""Whether something that happened starts a pipeline, and whether a change meets a pipeline's requirements.

Pure. Events carry Gerrit's names, so that Zuul's filters mean here what they mean there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..change import ChangeFacts, VoteFact
from ..reasons import Reason, reason
from .config.model import Approval, ChangeFilter, EventFilter, Pattern, PipelineConfig

ZERO = "0" * 40


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as Gerrit would tell it. `approvals` are the votes it carries, `changed` those that differ from before.

    `ref` is a full name; `branch` is short, and empty for a tag. `change` is None for events that concern a reference
    only. `added` and `removed` are hashtags; `pipeline` is where something happened that the connection `zuul` tells.
    """

    name: str
    project: str
    branch: str
    change: int | None = None
    patch_set: int | None = None
    ref: str = ""
    old: str = ""
    new: str = ""
    comment: str = ""
    username: str = ""
    email: str = ""
    approvals: tuple[tuple[str, int], ...] = ()
    changed: tuple[tuple[str, int], ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    pipeline: str = ""


INSIDE = ("project-change-merged", "parent-change-enqueued")
"""What pipelines tell each other, by the connection `zuul`."""


def may_wake(pipeline: PipelineConfig, happening: Happening) -> bool:
    """Whether the event alone passes some filter of the pipeline: only then is it worth looking at the change.

    Where the project is not known yet, neither is the branch: it may be any.
    """
    if happening.name in INSIDE:
        return _told_inside(pipeline, happening)
    return any(_told(one, happening) for one in pipeline.triggers)


def wakes(pipeline: PipelineConfig, happening: Happening, change: ChangeFacts | None, now: datetime) -> bool:
    """Whether the event starts the pipeline for the change, or for the branch when there is none."""
    if happening.name in INSIDE:
        return _told_inside(pipeline, happening)
    return any(_told(one, happening) and _fitting(one, change, now) for one in pipeline.triggers)


def _told_inside(pipeline: PipelineConfig, happening: Happening) -> bool:
    return any(
        happening.name in one.events and _any(one.pipelines, happening.pipeline) for one in pipeline.zuul_triggers
    )


def _told(one: EventFilter, happening: Happening) -> bool:
    return (
        _any(one.events, happening.name)
        and (not happening.project or _placed(one, happening))
        and (not one.comments or any(wanted.found_in(happening.comment) for wanted in one.comments))
        and _person(one.usernames, happening.username)
        and _person(one.emails, happening.email)
        and set(one.approvals) <= set(happening.approvals)
        and set(one.approval_changes) <= set(happening.changed)
        and _tagged(one.hashtags_added, happening.added)
        and _tagged(one.hashtags_removed, happening.removed)
        and not (one.ignore_deletes and happening.name == "ref-updated" and happening.new == ZERO)
    )


def _placed(one: EventFilter, happening: Happening) -> bool:
    """Whether the branch and the reference are those that are asked for."""
    branches = not one.branches or (bool(happening.branch) and _any(one.branches, happening.branch))
    return branches and _any(one.refs, happening.ref)


def _fitting(one: EventFilter, change: ChangeFacts | None, now: datetime) -> bool:
    return (one.require is None or (change is not None and _unmet(one.require, change, now, ()) is None)) and (
        one.reject is None or change is None or _rejected(one.reject, change, now, ()) is None
    )


def _any(patterns: tuple[Pattern, ...], text: str) -> bool:
    return not patterns or any(one.matches(text) for one in patterns)


def _person(patterns: tuple[Pattern, ...], text: str) -> bool:
    return not patterns or (bool(text) and any(one.found_in(text) for one in patterns))


def _tagged(patterns: tuple[Pattern, ...], hashtags: tuple[str, ...]) -> bool:
    return not patterns or any(one.found_in(tag) for one in patterns for tag in hashtags)


def unmet(pipeline: PipelineConfig, change: ChangeFacts, now: datetime, but: Collection[str] = ()) -> Reason | None:
    """The first requirement of a pipeline that the change does not meet; None: it may enter, and stay.

    Approvals of the labels in `but` are not looked at: those that the gate itself votes on while the change is inside.
    """
    for wanted in pipeline.require:
        found = _unmet(wanted, change, now, but)
        if found is not None:
            return found
    return next((found for one in pipeline.reject if (found := _rejected(one, change, now, but)) is not None), None)


def bars_refs(pipeline: PipelineConfig) -> bool:
    """Whether a requirement of the pipeline can be met by changes only, so that no branch enters."""
    return bool(pipeline.require) or any(
        one.open is not None or one.current_patchset is not None or one.wip is not None for one in pipeline.reject
    )


def turn(pipeline: PipelineConfig, change: ChangeFacts, now: datetime) -> datetime | None:
    """When time alone may change what the pipeline's requirements say of a change; None: never.

    Looking once too often does no harm, so each vote is held against each age that is asked for.
    """
    asked = [approval for one in (*pipeline.require, *pipeline.reject) for approval in one.approvals]
    ages = [age for one in asked for age in (one.older_than, one.newer_than) if age is not None]
    times = (vote.granted + timedelta(seconds=age) for age in ages for vote in change.votes)
    return min((time for time in times if time > now), default=None)


def own_labels(pipeline: PipelineConfig) -> frozenset[str]:
    """The labels that the pipeline's reporters vote on."""
    return frozenset(label for moment in pipeline.reporters.values() for one in moment for label, _ in one.votes)


def _unmet(wanted: ChangeFilter, change: ChangeFacts, now: datetime, but: Collection[str]) -> Reason | None:
    is_open = change.status == "NEW"
    if wanted.open is not None and wanted.open is not is_open:
        return reason("pipeline.needs-open" if wanted.open else "pipeline.needs-closed")
    if wanted.status and change.status not in wanted.status:
        return reason("pipeline.needs-status", status=", ".join(wanted.status))
    if wanted.current_patchset and change.patch_set != change.current:
        return reason("pipeline.needs-current-patch-set", patch_set=change.current)
    if wanted.wip is not None and wanted.wip is not change.work_in_progress:
        return reason("pipeline.needs-wip" if wanted.wip else "pipeline.needs-no-wip")
    missing = next((one for one in wanted.hashtags if not any(one.found_in(tag) for tag in change.hashtags)), None)
    if missing is not None:
        return reason("pipeline.needs-hashtag", hashtag=missing.regex)
    for approval in wanted.approvals:
        if not _labels(approval) <= set(but) and not _approved(approval, change.votes, now):
            return reason("pipeline.needs-approval", approval=_named(approval))
    return None


def _rejected(one: ChangeFilter, change: ChangeFacts, now: datetime, but: Collection[str]) -> Reason | None:
    is_open = change.status == "NEW"
    if one.open is is_open:
        return reason("pipeline.needs-closed" if is_open else "pipeline.needs-open")
    if change.status in one.status:
        return reason("pipeline.rejects-status", status=change.status)
    if one.current_patchset is not None and one.current_patchset is (change.patch_set == change.current):
        return reason("pipeline.rejects-patch-set", patch_set=change.patch_set)
    if one.wip is not None and one.wip is change.work_in_progress:
        return reason("pipeline.needs-no-wip" if one.wip else "pipeline.needs-wip")
    if any(tag.found_in(have) for tag in one.hashtags for have in change.hashtags):
        return reason("pipeline.rejects-hashtag", hashtag=", ".join(tag.regex for tag in one.hashtags))
    for approval in one.approvals:
        if not _labels(approval) <= set(but) and _approved(approval, change.votes, now):
            return reason("pipeline.rejects-approval", approval=_named(approval))
    return None


def _labels(approval: Approval) -> set[str]:
    """The labels of an approval; one without is about no label in particular, and always looked at."""
    return {label for label, _ in approval.votes} or {""}


def _approved(wanted: Approval, votes: Iterable[VoteFact], now: datetime) -> bool:
    """Whether every vote that is asked for was cast by somebody who fits, at a time that fits."""
    fitting = [vote for vote in votes if _fits(wanted, vote, now)]
    if not wanted.votes:
        return bool(fitting)
    return all(any(vote.label == label and vote.value in values for vote in fitting) for label, values in wanted.votes)


def _fits(wanted: Approval, vote: VoteFact, now: datetime) -> bool:
    age = now - vote.granted
    return (
        (wanted.username is None or wanted.username.found_in(vote.username))
        and (wanted.email is None or wanted.email.found_in(vote.email))
        and (wanted.older_than is None or age >= timedelta(seconds=wanted.older_than))
        and (wanted.newer_than is None or age < timedelta(seconds=wanted.newer_than))
    )


def _named(approval: Approval) -> str:
    """An approval as people write it: `Verified +1/+2`, by whom."""
    votes = ", ".join(
        f"{label} {'/'.join(f'{v:+d}' if v else '0' for v in values)}" for label, values in approval.votes
    )
    by = approval.username or approval.email
    return f"{votes} ({by.regex})" if by is not None else votes
