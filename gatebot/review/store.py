# SPDX-License-Identifier: Apache-2.0
"""The rows of changes and patch sets: how they are made, read and closed.

Transaction functions: each takes the session first, touches nothing else, appends the facts that
its rows explain, and returns frozen values. Votes, messages and comments are in `conversation.py`,
intents in `intents.py`, projects in `hosting.py`, searching in `search.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from sqlalchemy import BindParameter, RowMapping, Select, bindparam, delete, insert, outerjoin, select, update

from .. import journal, repo
from ..db import Session
from ..depends import depends_on
from ..errors import NotFound
from ..events import PatchSetCreated
from ..reasons import reason
from ..repo import CommitInfo
from . import conversation, footers
from .labels.copying import Renewal
from .model import FACTS, Change, Kind, PatchSet, Person, Status, Upload
from .rules import Rules
from .tables import changes, dependencies, hashtags, parents, patch_sets

journal.register(*FACTS)

# Read for nearly everything that happens: put together once, not each time.
_numbers: BindParameter[int] = bindparam("numbers", expanding=True)
_by_number = (
    select(changes, hashtags.c.hashtag)
    .select_from(outerjoin(changes, hashtags, hashtags.c.change == changes.c.number))
    .where(changes.c.number.in_(_numbers))
    .order_by(changes.c.number, hashtags.c.hashtag)
)
_with_parents = outerjoin(
    patch_sets, parents, (parents.c.change == patch_sets.c.change) & (parents.c.patch_set == patch_sets.c.number)
)
_patch_sets_of = (
    select(patch_sets, parents.c.parent)
    .select_from(_with_parents)
    .where(patch_sets.c.change.in_(_numbers))
    .order_by(patch_sets.c.change, patch_sets.c.number, parents.c.position)
)
_commits: BindParameter[str] = bindparam("commits", expanding=True)
_by_commits = (
    select(patch_sets.c.commit, changes)
    .join(changes, changes.c.number == patch_sets.c.change)
    .where(patch_sets.c.commit.in_(_commits))
    .order_by(changes.c.number)
)
_update = update(changes).where(changes.c.number == bindparam("number_"))
_hashtags_of = select(hashtags).where(hashtags.c.change.in_(_numbers)).order_by(hashtags.c.hashtag)


@dataclass(frozen=True, slots=True)
class NewChange:
    """What a push says of a change that is to be made; `number` comes from `intents.allocate_changes`."""

    number: int
    project: str
    branch: str
    change_id: str
    topic: str = ""
    hashtags: tuple[str, ...] = ()
    work_in_progress: bool = False
    private: bool = False
    revert_of: int | None = None
    cherry_pick_of: tuple[int, int] | None = None


def upload_of(info: CommitInfo, uploader: int, description: str = "") -> Upload:
    """A commit as git has it, about to become a patch set."""
    return Upload(
        commit=info.id,
        parents=info.parents,
        uploader=uploader,
        subject=info.subject,
        message=info.message,
        author=_person(info.author),
        committer=_person(info.committer),
        description=description,
    )


def _person(person: repo.Person) -> Person:
    # Anything may stand there, of any length; PostgreSQL's indexes hold no more than 2,700 bytes.
    return Person(person.name[:500], person.email[:500], person.there)


def create_change(session: Session, new: NewChange, upload: Upload, at: datetime, *, says: str = "") -> Change:
    """Make a change and its first patch set; announced by `PatchSetCreated`. `says` is another message for it."""
    values = {
        "number": new.number,
        "project": new.project,
        "branch": new.branch,
        "change_id": new.change_id,
        "subject": upload.subject,
        "status": Status.NEW.value,
        "owner": upload.uploader,
        "current": 1,
        "created": at,
        "updated": at,
        "topic": new.topic,
        "work_in_progress": new.work_in_progress,
        "private": new.private,
        "revert_of": new.revert_of,
        **_picked(new.cherry_pick_of),
    }
    session.execute(insert(changes).values(values))
    for tag in dict.fromkeys(new.hashtags):
        session.execute(insert(hashtags).values(change=new.number, hashtag=tag))
    insert_patch_set(session, new.number, 1, upload, Kind.REWORK, at)
    change = get_change(session, new.number)
    _tell_upload(session, change, upload, says or _with("Uploaded patch set 1.", upload), at)
    _announce(session, change, upload, Kind.REWORK, at)
    return change


def add_patch_set(
    session: Session, number: int, upload: Upload, kind: Kind, rules: Rules, at: datetime, *, announce: bool = True,
    unchanged_files: bool = False, says: str = "",
) -> Change:  # fmt: skip
    """Give a change its next patch set, with the votes that outlive it.

    `announce=False` is for the patch set that landing itself makes: nobody shall test it again, nothing is said of it,
    and every vote counts on it. `unchanged_files`: it touches the same files as the one before, in the same ways.
    `says` is another message for it.
    """
    before = get_change(session, number)
    current = before.current + 1
    insert_patch_set(session, number, current, upload, kind, at)
    values = {"current": current, "subject": upload.subject, "updated": at}
    session.execute(update(changes).where(changes.c.number == number).values(values))
    if not announce:
        conversation.keep_votes(session, number, before.current, current)
        return get_change(session, number)
    renewal = Renewal(kind, upload.uploader, len(upload.parents) > 1, unchanged_files)
    votes = conversation.copy_votes(session, number, before.current, current, renewal, rules.on(before.branch), at)
    change, text = get_change(session, number), says or _with(_uploaded(current, kind), upload)
    _tell_upload(session, change, upload, f"{text}\n\n{votes}" if votes else text, at)
    _announce(session, change, upload, kind, at)
    return change


def _uploaded(patch_set: int, kind: Kind) -> str:
    """Gerrit's text, which scripts read."""
    told = {
        Kind.NO_CODE_CHANGE: ": Commit message was updated.",
        Kind.TRIVIAL_REBASE: f": Patch Set {patch_set - 1} was rebased.",
        Kind.NO_CHANGE: ": New patch set was added with same tree, parent, and commit message.",
    }
    return f"Uploaded patch set {patch_set}{told.get(kind, '.')}"


def _with(text: str, upload: Upload) -> str:
    """The text, and what the uploader says of the patch set."""
    return f"{text}\n\n{upload.description}" if upload.description else text


def _tell_upload(session: Session, change: Change, upload: Upload, text: str, at: datetime) -> None:
    """The message of a patch set, with Gerrit's tag for it."""
    tag = "autogenerated:gerrit:newWipPatchSet" if change.work_in_progress else "autogenerated:gerrit:newPatchSet"
    conversation.add_message(session, change.number, change.current, upload.uploader, text, at, tag=tag)


def _announce(session: Session, change: Change, upload: Upload, kind: Kind, at: datetime) -> None:
    event = PatchSetCreated(
        change=change.number,
        patch_set=change.current,
        project=change.project,
        branch=change.branch,
        commit=upload.commit,
        uploader=upload.uploader,
        kind=kind.value,
    )
    journal.append(session, event, at)


def insert_patch_set(session: Session, change: int, number: int, upload: Upload, kind: Kind, at: datetime) -> None:
    """The rows of a patch set; its change has its own."""
    values = {
        "change": change,
        "number": number,
        "commit": upload.commit,
        "uploader": upload.uploader,
        "kind": kind.value,
        "created": at,
        "subject": upload.subject,
        "message": upload.message,
        "author_name": upload.author.name,
        "author_email": upload.author.email,
        "authored": upload.author.when.isoformat(),
        "committer_name": upload.committer.name,
        "committer_email": upload.committer.email,
        "committed": upload.committer.when.isoformat(),
        "description": upload.description,
    }
    session.execute(insert(patch_sets).values(values))
    place = {"change": change, "patch_set": number}
    for position, parent in enumerate(upload.parents):
        session.execute(insert(parents).values(**place, position=position, parent=parent))
    for position, address in enumerate(depends_on(upload.message)):
        row = {**place, "position": position, "address": address, "number": footers.number_in(address)}
        session.execute(insert(dependencies).values(row))


def describe(session: Session, change: int, number: int, text: str) -> None:
    """Say what a patch set is about."""
    here = (patch_sets.c.change == change) & (patch_sets.c.number == number)
    session.execute(update(patch_sets).where(here).values(description=text))


def update_change(session: Session, number: int, at: datetime, **values: str | int | bool | datetime | None) -> Change:
    """Set columns of a change (`status`, `topic`, `work_in_progress` ...); the fact is the caller's to append."""
    session.execute(_update, {"number_": number, "updated": at, **values})
    conversation.turn(session, number, values, at)
    return get_change(session, number)


def set_hashtags(session: Session, number: int, wanted: Iterable[str], at: datetime) -> Change:
    """Make these the hashtags of a change."""
    session.execute(delete(hashtags).where(hashtags.c.change == number))
    for tag in dict.fromkeys(wanted):
        session.execute(insert(hashtags).values(change=number, hashtag=tag))
    return update_change(session, number, at)


def find_change(session: Session, number: int) -> Change | None:
    """The change of this number."""
    return find_changes(session, (number,)).get(number)


def find_changes(session: Session, numbers: Collection[int]) -> dict[int, Change]:
    """Those of these changes that there are."""
    if not numbers:
        return {}
    found: dict[int, Change] = {}
    rows = session.execute(_by_number, {"numbers": list(numbers)}).mappings()
    for number, several in groupby(rows, key=itemgetter("number")):
        row, *more = several
        tags = [one["hashtag"] for one in (row, *more) if one["hashtag"] is not None]
        found[number] = _change(row, {number: tags})
    return found


def get_change(session: Session, number: int) -> Change:
    """The change of this number; a sentence when there is none."""
    found = find_change(session, number)
    if found is None:
        raise NotFound(reason=reason("review.no-such-change", change=number))
    return found


def find_by_id(
    session: Session, change_id: str, project: str | None = None, branch: str | None = None
) -> tuple[Change, ...]:
    """The changes with this Change-Id, at most one for a branch of a project."""
    wanted = select(changes).where(changes.c.change_id == change_id)
    if project is not None:
        wanted = wanted.where(changes.c.project == project)
    if branch is not None:
        wanted = wanted.where(changes.c.branch == branch)
    return read_changes(session, wanted.order_by(changes.c.number))


def at_commits(session: Session, commits: Iterable[str]) -> dict[tuple[str, str, str], Change]:
    """The changes of which these commits are patch sets (current or not), each by its project, branch and commit."""
    found: dict[tuple[str, str, str], Change] = {}
    wanted = list(commits)
    for start in range(0, len(wanted), 500):
        rows = session.execute(_by_commits, {"commits": wanted[start : start + 500]}).mappings().all()
        tags = _hashtags(session, [row["number"] for row in rows])
        found |= {(row["project"], row["branch"], row["commit"]): _change(row, tags) for row in rows}
    return found


def find_by_commits(
    session: Session, project: str, commits: Iterable[str], branch: str | None = None
) -> dict[str, Change]:
    """For each commit that is a patch set of a change of this project (on this branch): that change."""
    found = at_commits(session, commits)
    return {key[2]: change for key, change in found.items() if key[0] == project and branch in (None, key[1])}


def private_among(session: Session, project: str, commits: Iterable[str]) -> frozenset[str]:
    """Those commits that are patch sets of private changes: what they say is not told by what stands on them."""
    return frozenset(id for id, change in find_by_commits(session, project, commits).items() if change.private)


def open_changes(
    session: Session, project: str | None = None, branch: str | None = None, topic: str | None = None
) -> tuple[int, ...]:
    """The numbers of the open changes of a project, a branch, or a topic, oldest first."""
    wanted = select(changes.c.number).where(changes.c.status == Status.NEW.value)
    for column, value in ((changes.c.project, project), (changes.c.branch, branch), (changes.c.topic, topic)):
        wanted = wanted if value is None else wanted.where(column == value)
    return tuple(session.execute(wanted.order_by(changes.c.number)).scalars())


def read_changes(session: Session, wanted: Select[tuple[object, ...]]) -> tuple[Change, ...]:
    """The changes that a select on `tables.changes` finds, in its order."""
    return _changes(session, session.execute(wanted).mappings().all())


def _changes(session: Session, rows: Sequence[RowMapping]) -> tuple[Change, ...]:
    tags = _hashtags(session, [row["number"] for row in rows])
    return tuple(_change(row, tags) for row in rows)


def get_patch_set(session: Session, change: int, number: int) -> PatchSet:
    """One patch set; a sentence when there is none."""
    found = {patch_set.number: patch_set for patch_set in list_patch_sets(session, change)}
    if number not in found:
        raise NotFound(reason=reason("review.no-such-patch-set", change=change, patch_set=number))
    return found[number]


def list_patch_sets(session: Session, change: int) -> tuple[PatchSet, ...]:
    """All patch sets of a change, oldest first."""
    return patch_sets_of(session, [change]).get(change, ())


def patch_sets_of(session: Session, numbers: Collection[int]) -> dict[int, tuple[PatchSet, ...]]:
    """All patch sets of some changes, oldest first."""
    found: dict[int, list[PatchSet]] = {}
    rows = session.execute(_patch_sets_of, {"numbers": list(numbers)}).mappings()
    for (number, _), several in groupby(rows, key=itemgetter("change", "number")):
        row, *more = several
        of = tuple(one["parent"] for one in (row, *more) if one["parent"] is not None)
        found.setdefault(number, []).append(_patch_set(row, of))
    return {number: tuple(patch_sets) for number, patch_sets in found.items()}


def _hashtags(session: Session, numbers: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for start in range(0, len(numbers), 500):
        for row in session.execute(_hashtags_of, {"numbers": numbers[start : start + 500]}).mappings():
            found.setdefault(row["change"], []).append(row["hashtag"])
    return found


def _change(row: RowMapping, tags: dict[int, list[str]]) -> Change:
    return Change(
        number=row["number"],
        project=row["project"],
        branch=row["branch"],
        change_id=row["change_id"],
        subject=row["subject"],
        status=Status(row["status"]),
        owner=row["owner"],
        current=row["current"],
        created=row["created"],
        updated=row["updated"],
        topic=row["topic"],
        hashtags=tuple(tags.get(row["number"], ())),
        work_in_progress=row["work_in_progress"],
        private=row["private"],
        submitted=row["submitted"],
        submitter=row["submitter"],
        merged_as=row["merged_as"],
        submission=row["submission"] or (f"{row['number']}-{row['merged_as'][:10]}" if row["merged_as"] else ""),
        revert_of=row["revert_of"],
        cherry_pick_of=None if row["picked_change"] is None else (row["picked_change"], row["picked_patch_set"]),
    )


def _picked(source: tuple[int, int] | None) -> dict[str, int | None]:
    change, patch_set = source or (None, None)
    return {"picked_change": change, "picked_patch_set": patch_set}


def set_cherry_pick_of(session: Session, number: int, source: tuple[int, int], at: datetime) -> Change:
    """Say which patch set a change was picked from last."""
    return update_change(session, number, at, **_picked(source))


def _patch_set(row: RowMapping, of: tuple[str, ...]) -> PatchSet:
    return PatchSet(
        change=row["change"],
        number=row["number"],
        commit=row["commit"],
        parents=of,
        uploader=row["uploader"],
        kind=Kind(row["kind"]),
        created=row["created"],
        subject=row["subject"],
        message=row["message"],
        author=Person(row["author_name"], row["author_email"], datetime.fromisoformat(row["authored"])),
        committer=Person(row["committer_name"], row["committer_email"], datetime.fromisoformat(row["committed"])),
        description=row["description"],
        lines=None if row["added"] is None else (row["added"], row["deleted"]),
    )
