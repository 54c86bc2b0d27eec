# SPDX-License-Identifier: Apache-2.0
"""Changes, revisions, comments and projects in the shapes of Gerrit's REST answers.

Pure: values in, JSON objects out. Fields that are false or empty are left out, as Gerrit does.
Labels and submit requirements are in `gerrit_labels.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Protocol, cast
from urllib.parse import quote

from ..assignment import Json
from ..errors import Invalid
from ..reasons import reason
from .attention.infos import set_info
from .gerrit_comments import lean, message_info, unresolved_threads
from .gerrit_labels import (
    account_info,
    labels,
    permitted_labels,
    removable,
    submit_records,
    submit_requirements,
    timestamp,
)
from .model import Change, Kind, PatchSet, Person, Project, ReviewerState, branch_ref
from .whole import ChangeView, Known

PREFIX = ")]}'\n"
VERSION = "3.13.0"

# In the order of the bits of the hexadecimal `O=` form.
# fmt: off
OPTIONS = (
    "LABELS", "CURRENT_REVISION", "ALL_REVISIONS", "CURRENT_COMMIT", "ALL_COMMITS", "CURRENT_FILES", "ALL_FILES",
    "DETAILED_ACCOUNTS", "DETAILED_LABELS", "MESSAGES", "CURRENT_ACTIONS", "REVIEWED", "DRAFT_COMMENTS",
    "DOWNLOAD_COMMANDS", "WEB_LINKS", "CHECK", "CHANGE_ACTIONS", "COMMIT_FOOTERS", "PUSH_CERTIFICATES",
    "REVIEWER_UPDATES", "SUBMITTABLE", "TRACKING_IDS", "SKIP_MERGEABLE", "SKIP_DIFFSTAT", "SUBMIT_REQUIREMENTS",
    "CUSTOM_KEYED_VALUES", "STAR", "PARENTS",
)
# fmt: on
DETAIL = frozenset({"LABELS", "DETAILED_LABELS", "DETAILED_ACCOUNTS", "MESSAGES", "REVIEWER_UPDATES"})


class TouchedFile(Protocol):
    """What is shown of a file that a commit touches; git's letters as `status`."""

    @property
    def path(self) -> str: ...
    @property
    def old_path(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def added(self) -> int: ...
    @property
    def deleted(self) -> int: ...
    @property
    def binary(self) -> bool: ...
    @property
    def size(self) -> int: ...
    @property
    def old_size(self) -> int: ...
    @property
    def old_mode(self) -> int: ...
    @property
    def mode(self) -> int: ...
    @property
    def old_id(self) -> str: ...
    @property
    def id(self) -> str: ...


Files = Mapping[int, Sequence[TouchedFile]]


@dataclass(frozen=True, slots=True)
class Shape:
    """How much to tell: the `o=` options, the site's address, and the files of the patch sets that were asked for.

    `actions` are those of the change and of its current patch set. `ssh` is where git is served over SSH, as
    `ssh://USER@HOST:PORT`; empty where it is not, or nobody asks. `lines` are those that the current patch set adds
    and takes away, `subjects` those of the parents of patch sets, by commit; `removes` are the people whom the asker
    may take from the change, with their votes.
    """

    options: frozenset[str]
    site: str
    files: Files
    ssh: str = ""
    actions: Mapping[str, Json] | None = None
    revision_actions: Mapping[str, Json] | None = None
    lines: tuple[int, int] | None = None
    subjects: Mapping[str, str] = field(default_factory=dict[str, str])
    removes: frozenset[int] = frozenset()

    def wants(self, *names: str) -> bool:
        """Whether one of these options was given."""
        return any(name in self.options for name in names)


def read_options(names: Iterable[str], bits: str = "") -> frozenset[str]:
    """The options of a request; an unknown one is refused."""
    wanted = {name.upper().replace("-", "_") for name in names}
    for name in wanted:
        if name not in OPTIONS:
            raise Invalid(reason=reason("review.unknown-option", option=name))
    try:
        number = int(bits or "0", 16)
    except ValueError:
        raise Invalid(reason=reason("review.unknown-option", option=bits)) from None
    return frozenset(wanted | {name for bit, name in enumerate(OPTIONS) if number >> bit & 1})


def change_info(view: ChangeView, shape: Shape, *, more: bool = False) -> dict[str, Json]:
    """Gerrit's ChangeInfo."""
    change = view.change
    triplet = f"{quote(change.project, safe='')}~{quote(change.branch, safe='')}~{change.change_id}"
    unresolved = unresolved_threads(view.comments)
    info: dict[str, Json] = {
        "id": triplet,
        "triplet_id": triplet,
        "project": change.project,
        "branch": change.branch,
        "topic": change.topic,
        "hashtags": list(change.hashtags),
        "change_id": change.change_id,
        "subject": change.subject,
        "status": change.status.value,
        "created": timestamp(change.created),
        "updated": timestamp(change.updated),
        "submit_type": view.project.submit_type.value if change.is_open else "",
        "submittable": view.verdict.submittable,
        "total_comment_count": len(view.comments),
        "unresolved_comment_count": unresolved,
        "work_in_progress": change.work_in_progress,
        "has_review_started": not change.work_in_progress,
        "is_private": change.private,
        "owner": _who(view.people, change.owner, shape),
        "current_revision_number": change.current,
        "_number": change.number,
        "virtual_id_number": change.number,
        "_more_changes": more,
    }
    if shape.lines is not None:
        info["insertions"], info["deletions"] = shape.lines
    if change.submitted is not None and change.submitter is not None:
        info["submitted"] = timestamp(change.submitted)
        info["submitter"] = _who(view.people, change.submitter, shape)
        info["submission_id"] = change.submission
    if change.revert_of is not None:
        info["revert_of"] = change.revert_of
    if change.cherry_pick_of is not None:
        info["cherry_pick_of_change"], info["cherry_pick_of_patch_set"] = change.cherry_pick_of
    info["starred"] = view.starred
    info |= set_info(view.attention, view.people if shape.wants("DETAILED_ACCOUNTS") else {})
    kept = (
        "attention_set",
        "removed_from_attention_set",
        "hashtags",
        "insertions",
        "deletions",
        "total_comment_count",
        "unresolved_comment_count",
    )
    records: list[Json] = [*submit_records(view)]
    return {**lean(info, *kept), "requirements": [], "submit_records": records, **_options(view, shape)}


def _options(view: ChangeView, shape: Shape) -> dict[str, Json]:
    """What only certain options show."""
    info: dict[str, Json] = {}
    if shape.wants("SUBMITTABLE") and view.change.is_open:
        info["submittable"] = view.verdict.submittable
    if shape.wants("LABELS", "DETAILED_LABELS"):
        info["labels"] = labels(view, detailed=shape.wants("DETAILED_LABELS"))
    if shape.wants("DETAILED_LABELS"):
        info["permitted_labels"] = permitted_labels(view)
        info |= removable(view, shape.removes)
        info["reviewers"] = _reviewers(view)
    if shape.wants("REVIEWER_UPDATES"):
        info["reviewer_updates"] = _updates(view, shape)
    if shape.wants("SUBMIT_REQUIREMENTS"):
        info["submit_requirements"] = submit_requirements(view)
    if shape.wants("MESSAGES"):
        info["messages"] = [message_info(message, view.people) for message in view.messages]
    if shape.actions is not None and shape.wants("CHANGE_ACTIONS"):
        info["actions"] = {**shape.actions}
    shown = view.patch_sets if shape.wants("ALL_REVISIONS") else view.patch_sets[-1:]
    if shape.wants("CURRENT_REVISION", "ALL_REVISIONS"):
        info["current_revision"] = view.current.commit
        info["revisions"] = {one.commit: revision_info(view, one, shape) for one in shown}
    return info


def revision_info(view: ChangeView, patch_set: PatchSet, shape: Shape) -> dict[str, Json]:
    """Gerrit's RevisionInfo."""
    is_current = patch_set.number == view.change.current
    info: dict[str, Json] = {
        "kind": (Kind.REWORK if patch_set.number == 1 else patch_set.kind).value,
        "_number": patch_set.number,
        "created": timestamp(patch_set.created),
        "uploader": _who(view.people, patch_set.uploader, shape),
        "ref": patch_set.ref,
        "branch": branch_ref(view.change.branch),
        "fetch": fetch_info(view.change, patch_set, shape.site, shape.ssh),
        "description": patch_set.description,
    }
    if shape.wants("ALL_COMMITS") or (is_current and shape.wants("CURRENT_COMMIT")):
        info["commit"] = commit_info(patch_set, shape.subjects)
    files = shape.files.get(patch_set.number)
    if files is not None and (shape.wants("ALL_FILES") or (is_current and shape.wants("CURRENT_FILES"))):
        info["files"] = files_info(files, with_message=False)
    if shape.revision_actions is not None and shape.wants("CURRENT_ACTIONS") and is_current:
        info["actions"] = {**shape.revision_actions}
    return {name: value for name, value in info.items() if value != "" and value is not None}


def fetch_info(change: Change, patch_set: PatchSet, site: str, ssh: str = "") -> dict[str, Json]:
    """Where a patch set can be fetched, never empty: git-review and Gertty take what they find here."""
    root = site.rstrip("/")
    found: dict[str, Json] = {}
    schemes = [("anonymous http", f"{root}/{change.project}"), ("http", f"{root}/a/{change.project}")]
    for scheme, url in [*schemes, *([("ssh", f"{ssh}/{change.project}")] if ssh else [])]:
        fetch = f"git fetch {url} {patch_set.ref}"
        commands: dict[str, Json] = {
            "Checkout": f"{fetch} && git checkout FETCH_HEAD",
            "Cherry Pick": f"{fetch} && git cherry-pick FETCH_HEAD",
            "Pull": f"git pull {url} {patch_set.ref}",
        }
        found[scheme] = {"url": url, "ref": patch_set.ref, "commands": commands}
    return found


def commit_info(patch_set: PatchSet, subjects: Mapping[str, str]) -> dict[str, Json]:
    """Gerrit's CommitInfo inside of a RevisionInfo, which names the commit; with the subjects of parents."""
    return {
        "parents": [{"commit": parent, "subject": subjects.get(parent, "")} for parent in patch_set.parents],
        "author": _git_person(patch_set.author),
        "committer": _git_person(patch_set.committer),
        "subject": patch_set.subject,
        "message": patch_set.message,
    }


def files_info(files: Iterable[TouchedFile], *, with_message: bool = True) -> dict[str, Json]:
    """Gerrit's map of FileInfo; a modified file has no status."""
    found: dict[str, Json] = {}
    if with_message:
        found["/COMMIT_MSG"] = {"status": "A", "lines_inserted": 0, "size_delta": 0, "size": 0}
    for file in files:
        info: dict[str, Json] = {
            "status": "" if file.status in ("M", "T") else file.status,
            "binary": file.binary,
            "old_path": file.old_path if file.status in ("R", "C") else "",
            "lines_inserted": file.added,
            "lines_deleted": file.deleted,
            "size_delta": file.size - file.old_size,
            "size": file.size,
            "old_mode": file.old_mode,
            "new_mode": file.mode,
            "old_sha": file.old_id,
            "new_sha": file.id,
        }
        kept = ("size_delta", "size")
        found[file.path] = {name: value for name, value in info.items() if name in kept or value not in ("", 0, False)}
    return found


def pseudo_file_info(diff: Mapping[str, Json]) -> dict[str, Json]:
    """Gerrit's FileInfo of a pseudo file, by its DiffInfo: added, or modified against another patch set."""
    info: dict[str, Json] = {"status": "A"} if diff["change_type"] == "ADDED" else {}
    pieces = cast("list[Mapping[str, list[str]]]", diff["content"])
    for side, name in (("b", "lines_inserted"), ("a", "lines_deleted")):
        lines = sum(len(piece.get(side, ())) for piece in pieces if not piece.get("common"))
        ends = sum(piece.get(side, [""])[-1] == "" and piece is pieces[-1] for piece in pieces)
        if lines - ends > 0:
            info[name] = lines - ends
    size = {
        side: sum(len("\n".join(piece.get("ab", piece.get(side, []))).encode()) + 1 for piece in pieces) - 1
        for side in ("a", "b")
    }
    info["size_delta"] = size["b"] - (size["a"] if "status" not in info else 0)
    return {**info, "size": size["b"]}


def related_info(chain: Iterable[tuple[Change, PatchSet]]) -> dict[str, Json]:
    """Gerrit's RelatedChangesInfo."""
    found: list[Json] = []
    for change, patch_set in chain:
        commit = commit_info(patch_set, {})
        about: dict[str, Json] = {name: commit[name] for name in ("author", "subject")}
        about["parents"] = [{"commit": parent} for parent in patch_set.parents]
        entry: dict[str, Json] = {
            "project": change.project,
            "change_id": change.change_id,
            "commit": {"commit": patch_set.commit, **about},
            "_change_number": change.number,
            "_revision_number": patch_set.number,
            "_current_revision_number": change.current,
            "status": change.status.value,
        }
        found.append(entry)
    return {"changes": found}


def project_info(project: Project, parent: str = "All-Projects", state: str = "ACTIVE") -> dict[str, Json]:
    """Gerrit's ProjectInfo; in a list the name is the key and not repeated."""
    info: dict[str, Json] = {
        "id": quote(project.name, safe=""),
        "name": project.name,
        "parent": parent,
        "description": project.description,
        "state": state,
    }
    return lean(info)


def _reviewers(view: ChangeView) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for state in ReviewerState:
        ids = [reviewer.account for reviewer in view.reviewers if reviewer.state is state]
        if ids:
            found[state.value] = [account_info(view.people[id]) for id in ids if id in view.people]
    return found


def _updates(view: ChangeView, shape: Shape) -> list[Json]:
    """Gerrit's ReviewerUpdateInfos, oldest first."""
    return [
        {
            "updated": timestamp(one.at),
            "updated_by": _who(view.people, one.by, shape),
            "reviewer": _who(view.people, one.account, shape),
            "state": one.state,
        }
        for one in view.updates
    ]


def _who(people: Mapping[int, Known], account: int, shape: Shape) -> dict[str, Json]:
    known = people.get(account)
    if known is None or not shape.wants("DETAILED_ACCOUNTS"):
        return {"_account_id": account}
    return account_info(known)


def _git_person(person: Person) -> dict[str, Json]:
    offset = person.when.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    return {"name": person.name, "email": person.email, "date": timestamp(person.when.astimezone(UTC)), "tz": minutes}
