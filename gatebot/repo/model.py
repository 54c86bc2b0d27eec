# SPDX-License-Identifier: Apache-2.0
"""Values of git: commits, people, merges, differences, and the rules for names.

Floor 0: no IO. Object ids are 40 hexadecimal digits; `ZERO` stands for "does not exist". A store is
a bare repository: a project by its name (`demo/api`) or a queue's `speculation/QUEUE`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from ..errors import GatebotError, Invalid

ZERO = "0" * 40
#: Submit types that write a change anew: they bring nothing of what it stands on.
PICKS = ("CHERRY_PICK", "REBASE_IF_NECESSARY", "REBASE_ALWAYS")
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
SPECULATION = "speculation"
_DAY = 24 * 60 - 1
_FIRST, _LAST = -62_135_510_400, 253_402_214_400  # a day within the years 1 and 9999, for the sake of zones

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*\Z")


class GitError(GatebotError):
    """git did not work."""


@dataclass(frozen=True, slots=True)
class Person:
    """Author or committer: `time` is seconds since 1970, `offset` the minutes east of UTC."""

    name: str
    email: str
    time: int
    offset: int = 0

    @property
    def when(self) -> datetime:
        """The moment, UTC; a commit may name one beyond the years that there are here, which is the first or last."""
        return datetime.fromtimestamp(min(max(self.time, _FIRST), _LAST), UTC)

    @property
    def there(self) -> datetime:
        """The moment, where the person was."""
        return self.when.astimezone(timezone(timedelta(minutes=min(max(self.offset, -_DAY), _DAY))))


@dataclass(frozen=True, slots=True)
class CommitInfo:
    id: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str

    @property
    def subject(self) -> str:
        """The first paragraph on one line, as git shows it."""
        paragraph = self.message.lstrip("\n").split("\n\n", 1)[0]
        return " ".join(line.strip() for line in paragraph.splitlines()).strip()


@dataclass(frozen=True, slots=True)
class MergedTree:
    """The merge is clean; its tree is stored."""

    tree: str


@dataclass(frozen=True, slots=True)
class TagInfo:
    """A tag that has an object of its own."""

    target: str
    message: str
    tagger: Person | None


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """git cannot merge; `paths` need a person, and have git's marks in them in `tree`."""

    paths: tuple[str, ...]
    tree: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class NotFastForward:
    """The project takes fast-forwards only and the base is not an ancestor of the change."""


@dataclass(frozen=True, slots=True)
class FinalCommit:
    """The commit that a branch will point to when a change lands on a base, stored."""

    commit: str
    tree: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path of a difference. `status` is git's letter: A, D, M, R, C, T; `old_path` differs for R and C."""

    path: str
    old_path: str
    status: str
    added: int
    deleted: int
    binary: bool
    old_size: int
    size: int
    old_mode: int = 0
    mode: int = 0
    old_id: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`sign` is a blank, `+` or `-`; a number is None on the side that lacks the line. No line end in `text`."""

    sign: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    old_start: int
    old_count: int
    new_start: int
    new_count: int
    heading: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """`truncated` says that the limit of lines was reached and the rest is not shown."""

    change: FileChange
    hunks: tuple[Hunk, ...]
    truncated: bool = False


def person(name: str, email: str, time: int, offset: int = 0) -> Person:
    """A person whose name git can store: without what would end the field."""
    clean = "".join(" " if character in "<>\n\r\0" else character for character in name).strip()
    if not clean:
        raise Invalid("author and committer need a name")
    return Person(clean, "".join(character for character in email if character not in "<>\n\r\0 "), time, offset)


def check_project(name: str) -> str:
    """The name itself when a project may be called so: `api`, `demo/api`; nothing that leaves the root or hides."""
    segments = name.split("/")
    ok = 0 < len(name) <= 200 and all(_SEGMENT.match(part) for part in segments)
    ok = ok and not any(part.endswith((".git", ".lock", ".")) or ".." in part for part in segments)
    if not ok or segments[0] == SPECULATION:
        raise Invalid(
            f"{name!r} cannot be a project's name: use letters, digits, '.', '_', '+' and '-', with '/' between parts; "
            f"no part may begin with '.' or '-' or end in '.git' or '.lock', and '{SPECULATION}/' is taken"
        )
    return name


def speculation_store(queue_id: str) -> str:
    """The store of a queue. Queue names are free text, so what is not safe in a path is written as %XX."""
    safe = "".join(
        character if re.match(r"[A-Za-z0-9_-]", character) else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in queue_id
    )
    if not safe:
        raise Invalid("a queue needs a name")
    return f"{SPECULATION}/{safe}"


def store_directory(store: str) -> str:
    """The path of a store below the root."""
    first, _, rest = store.partition("/")
    if first == SPECULATION:
        if not re.fullmatch(r"[A-Za-z0-9_%-]+", rest):
            raise Invalid(f"{store!r} is not the store of a queue")
        return f"{SPECULATION}/{rest}.git"
    return f"{check_project(store)}.git"
