# SPDX-License-Identifier: Apache-2.0
"""Facts of the journal as events of Gerrit's stream.

Pure: a fact and the scene that it plays in go in, the event comes out, as Gerrit 3.13 writes it, with one field more:
`eventId`, the fact's place in the journal, from which a stream can be taken up again. Changes are told as they are when
the event is sent, patch sets as they were made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias, TypeVar

from ... import events as facts
from ...assignment import Json
from ...fact import Event
from ..gerrit_json import TouchedFile
from ..model import (
    Change,
    CustomKeyedValuesChanged,
    HeadMoved,
    InlineComment,
    PatchSet,
    PrivateChanged,
    ReviewerRemoved,
    Status,
    Vote,
)
from . import attributes
from .attributes import People

KINDS: tuple[type[Event], ...] = (
    facts.PatchSetCreated, facts.VoteCast, facts.CommentAdded, facts.ChangeAbandoned, facts.ChangeRestored,
    facts.ChangeDeleted, facts.ReviewerAdded, ReviewerRemoved, facts.TopicChanged, facts.HashtagsChanged,
    facts.WorkInProgressChanged, PrivateChanged, facts.ChangeMerged, CustomKeyedValuesChanged, facts.BranchMoved,
    facts.TagMoved, facts.ProjectCreated, HeadMoved,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """What is told with a fact about a change. `labels` are the names of all labels of its project."""

    change: Change
    patch_set: PatchSet
    people: People
    site: str
    labels: tuple[str, ...] = ()
    votes: Sequence[Vote] = ()
    comments: Sequence[InlineComment] = ()
    keyed: Mapping[str, str] = field(default_factory=dict[str, str])
    files: Sequence[TouchedFile] = field(default_factory=tuple["TouchedFile", ...])


def of_change(fact: Event, scene: Scene, cast: Mapping[str, tuple[int, int]]) -> dict[str, Json] | None:
    """The event of a fact about a change; `cast` are the votes that belong to it: by label the value, and the former.

    None: nobody is told of it.
    """
    who = _Who(scene.people)
    match fact:
        case facts.PatchSetCreated(uploader=uploader):
            return _event("patchset-created", scene, {"uploader": who(uploader)})
        case facts.CommentAdded(account=account, text=text):
            approvals = _approvals(scene, account, cast)
            told: dict[str, Json] = {"author": who(account), "approvals": approvals, "comment": text}
            if said := attributes.level_comments(scene.comments):
                told["patchSetComments"] = said
            return _event("comment-added", scene, told)
        case facts.VoteCast(account=account, by=None):
            said = "".join(f" {label}{value:+d}" for label, (value, _) in cast.items())
            text = f"Patch Set {scene.patch_set.number}:{said}"
            approvals = _approvals(scene, account, cast)
            return _event("comment-added", scene, {"author": who(account), "approvals": approvals, "comment": text})
        case facts.VoteCast(label=label, old=old, account=account, by=by):
            text = f"Removed {label}{old:+d} by {who.named(account)}\n"
            gone = {"approvals": _removed({label: (0, old)}), "comment": text}
            return _event("vote-deleted", scene, {"reviewer": who(account), "remover": who(by), **gone})
        case ReviewerRemoved(reviewer=reviewer, account=account):
            gone = {"approvals": _none_left(scene, cast), "comment": f"Removed reviewer {who.named(reviewer)}."}
            return _event("reviewer-deleted", scene, {"reviewer": who(reviewer), "remover": who(account), **gone})
        case facts.ReviewerAdded(account=account, added_by=by) if account == by:
            return None  # by a vote, which is told
        case facts.ReviewerAdded(account=account, added_by=by):
            return _event("reviewer-added", scene, {"reviewer": who(account), "adder": who(by)})
        case facts.ChangeMerged(account=account, commit=commit):
            return _event("change-merged", scene, {"submitter": who(account), "newRev": commit})
        case facts.ChangeAbandoned(account=account, text=text):
            return _event("change-abandoned", scene, {"abandoner": who(account), **({"reason": text} if text else {})})
        case facts.ChangeRestored(account=account, text=text):
            return _event("change-restored", scene, {"restorer": who(account), **({"reason": text} if text else {})})
        case _:
            return _of_state(fact, scene, who)


def _of_state(fact: Event, scene: Scene, who: _Who) -> dict[str, Json] | None:
    match fact:
        case facts.TopicChanged(old=old, account=account):
            return _event("topic-changed", scene, {"changer": who(account), "oldTopic": old}, patch_set=False)
        case facts.HashtagsChanged(added=added, removed=removed, account=account):
            lists = {"added": list(added), "removed": list(removed), "hashtags": list(scene.change.hashtags)}
            told: dict[str, Json] = {name: [*tags] for name, tags in lists.items() if tags}
            return _event("hashtags-changed", scene, {"editor": who(account), **told}, patch_set=False)
        case CustomKeyedValuesChanged(account=account, added=added, removed=removed):
            maps: dict[str, Json] = {"added": dict(added)} if added else {}
            maps |= {"removed": [*removed]} if removed else {}
            maps |= {"customKeyedValues": dict(scene.keyed)} if scene.keyed else {}
            return _event("custom-keyed-values-changed", scene, {"editor": who(account), **maps}, patch_set=False)
        case facts.WorkInProgressChanged(account=account):
            return _event("wip-state-changed", scene, {"changer": who(account)})
        case PrivateChanged(account=account):
            return _event("private-state-changed", scene, {"changer": who(account)})
        case _:
            return None


def of_gone(fact: facts.ChangeDeleted, people: People, site: str) -> dict[str, Json]:
    """The event of a deletion: nothing but the fact itself knows the change any more."""
    change = gone(fact)
    told: dict[str, Json] = {"deleter": _Who(people)(fact.account)}
    told["change"] = attributes.change(change, people, site, message=fact.message)
    told |= {"project": change.project, "refName": _full(change.branch), "changeKey": {"id": change.change_id}}
    return told | {"type": "change-deleted"}


def gone(fact: facts.ChangeDeleted) -> Change:
    """A deleted change as it was."""
    at = datetime.fromtimestamp(fact.created, UTC)
    return Change(
        fact.change, fact.project, fact.branch, fact.change_id, fact.title, Status(fact.status), fact.owner, 0, at,
        at, fact.topic, (), fact.work_in_progress, fact.private,
    )  # fmt: skip


def of_project(fact: Event, people: People, head: str) -> dict[str, Json] | None:
    """The event of a fact about a repository; `head` is the project's default branch."""
    match fact:
        case facts.BranchMoved(project=project, branch=branch, old=old, new=new, account=account):
            ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
            return _moved(project, ref, old, new, attributes.account(people, account))
        case facts.TagMoved(project=project, tag=tag, old=old, new=new, account=account):
            return _moved(project, f"refs/tags/{tag}", old, new, attributes.account(people, account))
        case facts.ProjectCreated(project=project):
            return {"projectName": project, "headName": _full(head), "type": "project-created"}
        case HeadMoved(project=project, old=old, new=new):
            heads: dict[str, Json] = {"oldHead": _full(old), "newHead": _full(new)}
            return {"projectName": project, **heads, "type": "project-head-updated"}
        case _:
            return None


def _moved(project: str, ref: str, old: str, new: str, submitter: dict[str, Json]) -> dict[str, Json]:
    told: dict[str, Json] = {"submitter": submitter} if submitter else {}
    update: dict[str, Json] = {"oldRev": old, "newRev": new, "refName": ref, "project": project}
    return told | {"refUpdate": update, "type": "ref-updated"}


def _event(kind: str, scene: Scene, own: Mapping[str, Json], *, patch_set: bool = True) -> dict[str, Json]:
    """What all events of changes have, behind what this one has of its own."""
    change, people = scene.change, scene.people
    told: dict[str, Json] = dict(own)
    if patch_set:
        told["patchSet"] = attributes.patch_set(scene.patch_set, people, scene.files)
    told["change"] = attributes.change(change, people, scene.site, message=scene.patch_set.message)
    told |= {"project": change.project, "refName": _full(change.branch), "changeKey": {"id": change.change_id}}
    return told | {"type": kind}


def _full(branch: str) -> str:
    return branch if branch.startswith("refs/") else f"refs/heads/{branch}"


def _approvals(scene: Scene, account: int, cast: Mapping[str, tuple[int, int]]) -> list[Json]:
    """All labels with what the author gives them, 0 included, and the former value of those that changed."""
    given = {vote.label: vote.value for vote in scene.votes if vote.account == account}
    found: list[Json] = []
    for label in dict.fromkeys((*scene.labels, *cast)):
        value, old = cast.get(label, (given.get(label, 0), None))
        entry: dict[str, Json] = {"type": label, "description": label, "value": str(value)}
        if old is not None and old != value:
            entry["oldValue"] = str(old)
        found.append(entry)
    return found


def _removed(cast: Mapping[str, tuple[int, int]]) -> list[Json]:
    return [
        {"type": label, "description": label, "value": "0", "oldValue": str(old)} for label, (_, old) in cast.items()
    ]


def _none_left(scene: Scene, cast: Mapping[str, tuple[int, int]]) -> list[Json]:
    """All labels, of which nothing is left, with what was taken away."""
    none = [{"type": name, "description": name, "value": "0"} for name in scene.labels if name not in cast]
    return [*_removed(cast), *none]


@dataclass(frozen=True, slots=True)
class _Who:
    people: People

    def named(self, id: int) -> str:
        """Somebody as Gerrit writes him in a text."""
        known = self.people.get(id)
        return f"{known.name or known.username} <{known.email}>" if known else str(id)

    def __call__(self, id: int | None) -> dict[str, Json]:
        return attributes.account(self.people, id)


class Placed(Protocol):
    """A fact with its place in the journal."""

    @property
    def id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def event(self) -> Event: ...


_AT_ONCE = timedelta(seconds=1)
Told = TypeVar("Told", bound=Placed)
Cast: TypeAlias = dict[str, tuple[int, int]]


def grouped(entries: Iterable[Told]) -> list[tuple[Told, Cast]]:
    """Facts that make one event each, with the votes that belong to it: those of one review, or of one removal.

    Votes come before the message that tells of them, in the same transaction. What a push votes has no message: it
    is an event of its own.
    """
    found: list[tuple[Told, Cast]] = []
    pending: list[tuple[Told, facts.VoteCast]] = []

    def take(account: int | None) -> Cast:
        mine = [vote for _, vote in pending if account in (None, vote.account)]
        pending[:] = [pair for pair in pending if pair[1] not in mine]
        return {vote.label: (vote.value, vote.old) for vote in mine}

    def flush() -> None:
        while pending:
            last = [entry for entry, vote in pending if vote.account == pending[0][1].account][-1]
            found.append((last, take(pending[0][1].account)))

    for entry in entries:
        if pending and not _together(entry, *pending[-1]):
            flush()
        match entry.event:
            case facts.VoteCast(by=None) as vote:
                pending.append((entry, vote))
            case facts.CommentAdded(account=account, votes=votes):
                cast = take(account)
                found.append((entry, {**{label: (value, value) for label, value in votes}, **cast}))
            case ReviewerRemoved(reviewer=reviewer):
                found.append((entry, take(reviewer)))
            case _:
                found.append((entry, {}))
    flush()
    return found


def _together(entry: Placed, before: Placed, vote: facts.VoteCast) -> bool:
    """Whether a fact may be of the same transaction: its parts ask the clock more than once."""
    return getattr(entry.event, "change", None) == vote.change and entry.at - before.at < _AT_ONCE
