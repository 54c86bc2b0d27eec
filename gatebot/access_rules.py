# SPDX-License-Identifier: Apache-2.0
"""The words of access rules, and what a new site permits.

Only values: verbs, actors, targets, rules, and the table `DEFAULT`. How rules meet is decided in
`access.py`, which is what others import; it offers all of these names too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Protocol, cast

import re2

from .errors import Invalid

ANONYMOUS = "Anonymous Users"
REGISTERED = "Registered Users"
PROJECT_OWNERS = "Project Owners"
CHANGE_OWNER = "Change Owner"
ADMINISTRATORS = "Administrators"
CORE = "Core"
SERVICE_USERS = "Service Users"
THIRD_PARTY_CI = "Third-Party CI"


class Verb(Enum):
    """What can be permitted; the value is the permission's name in rules, Gerrit's where Gerrit has it."""

    READ = "read"
    PUSH = "push"  # directly, past review
    FORCE_PUSH = "force push"  # the permission `push` with `force`
    UPLOAD = "upload"  # for review: the permission `push` on refs/for/REF
    PUSH_MERGE = "pushMerge"
    CREATE = "create"
    DELETE = "delete"
    CREATE_TAG = "createTag"
    FORGE_AUTHOR = "forgeAuthor"
    FORGE_COMMITTER = "forgeCommitter"
    ADD_PATCH_SET = "addPatchSet"
    COMMENT = "comment"
    SUBMIT = "submit"
    ABANDON = "abandon"  # and restore
    REBASE = "rebase"
    REVERT = "revert"
    EDIT_TOPIC = "editTopicName"
    TOGGLE_WIP = "toggleWipState"
    REMOVE_REVIEWER = "removeReviewer"
    VIEW_PRIVATE = "viewPrivateChanges"
    ENQUEUE = "enqueue"
    DEQUEUE = "dequeue"
    PROMOTE = "promote"
    AUTOHOLD = "autohold"
    OWN = "owner"
    # Capabilities: of the site, not of a ref.
    ADMINISTRATE_SERVER = "administrateServer"
    BYPASS_GATE = "bypassGate"
    CREATE_PROJECT = "createProject"
    STREAM_EVENTS = "streamEvents"
    VIEW_QUEUE = "viewQueue"


CAPABILITIES = frozenset(
    {Verb.ADMINISTRATE_SERVER, Verb.BYPASS_GATE, Verb.CREATE_PROJECT, Verb.STREAM_EVENTS, Verb.VIEW_QUEUE}
)
FOR_STRANGERS = frozenset({Verb.READ, Verb.VIEW_QUEUE, Verb.STREAM_EVENTS})


class Action(Enum):
    """What a rule does; see `may` for how they meet."""

    ALLOW = auto()
    DENY = auto()
    BLOCK = auto()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: an account with its groups, or nobody known (`account` None)."""

    account: int | None
    groups: frozenset[str] = frozenset()
    username: str = ""


STRANGER = Actor(None)


@dataclass(frozen=True, slots=True)
class Target:
    """What it is about: a ref of a project, and for a change who owns it. Capabilities need none of it."""

    project: str = ""
    ref: str = "refs/*"
    change_owner: int | None = None


SITE = Target()


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a permission. `least` and `most` are the votes of a label; `force` is for `push`."""

    group: str
    action: Action = Action.ALLOW
    least: int = 0
    most: int = 0
    force: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """The rules of one permission, by its name (`read`, `label-Code-Review`) in one section.

    `exclusive` hides what less specific sections and parents allow.
    """

    name: str
    rules: tuple[Rule, ...]
    exclusive: bool = False


_QUIET = re2.Options()
_QUIET.log_errors = False


class _Expression(Protocol):
    def fullmatch(self, text: str) -> object | None: ...


@lru_cache(maxsize=1000)
def expression(pattern: str) -> _Expression:
    """An RE2 expression, ready to match; a `ValueError` says what is wrong with it."""
    try:
        return cast(_Expression, re2.compile(pattern, _QUIET))  # pyright: ignore[reportUnknownMemberType]
    except Exception as error:
        # The library tells in bytes what is wrong.
        told: object = error.args[0] if error.args else ""
        raise ValueError(told.decode() if isinstance(told, bytes) else str(told)) from error


@dataclass(frozen=True, slots=True)
class Section:
    """Permissions of the refs that a pattern fits: `refs/heads/main`, `refs/heads/*`, or `^` and an RE2 expression."""

    pattern: str
    permissions: tuple[Permission, ...]

    def __post_init__(self) -> None:
        if self.pattern.startswith("^"):
            try:
                expression(self.pattern.replace("${username}", "x"))
            except ValueError as error:
                raise Invalid(f"The ref pattern {self.pattern} is no regular expression: {error}.") from error

    def permission(self, name: str) -> Permission | None:
        """What this section says about a permission."""
        return next((permission for permission in self.permissions if permission.name == name), None)


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides for one project: its sections, then its parent's, up to All-Projects; and the capabilities."""

    chain: tuple[tuple[Section, ...], ...]
    capabilities: tuple[tuple[Verb, str], ...] = ()


def _allow(name: str, *groups: str, least: int = 0, most: int = 0, force: bool = False) -> Permission:
    return Permission(name, tuple(Rule(group, Action.ALLOW, least, most, force) for group in groups))


DEFAULT = Rules(
    chain=(
        (
            Section(
                "refs/*",
                (
                    _allow("read", ANONYMOUS),
                    _allow("push", ADMINISTRATORS, PROJECT_OWNERS, force=True),
                    _allow("pushMerge", ADMINISTRATORS, PROJECT_OWNERS),
                    _allow("create", ADMINISTRATORS, PROJECT_OWNERS),
                    _allow("delete", ADMINISTRATORS, PROJECT_OWNERS),
                    _allow("createTag", ADMINISTRATORS, PROJECT_OWNERS),
                    _allow("forgeAuthor", REGISTERED),
                    _allow("forgeCommitter", ADMINISTRATORS, PROJECT_OWNERS),
                    _allow("comment", REGISTERED),
                    _allow("submit", CORE, ADMINISTRATORS),
                    _allow("abandon", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("rebase", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("revert", REGISTERED),
                    _allow("editTopicName", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("toggleWipState", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("removeReviewer", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("viewPrivateChanges", CHANGE_OWNER, ADMINISTRATORS),
                    _allow("enqueue", CORE, ADMINISTRATORS),
                    _allow("dequeue", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("promote", CORE, ADMINISTRATORS),
                    _allow("autohold", CORE, ADMINISTRATORS),
                    Permission(
                        "label-Code-Review",
                        (Rule(REGISTERED, least=-1, most=1), Rule(CORE, least=-2, most=2)),
                    ),
                    Permission(
                        "label-Verified",
                        (Rule(SERVICE_USERS, least=-2, most=2), Rule(THIRD_PARTY_CI, least=-1, most=1)),
                    ),
                    Permission(
                        "label-Workflow",
                        (Rule(CHANGE_OWNER, least=-1), Rule(CORE, least=-1, most=1)),
                    ),
                ),
            ),
            Section("refs/for/*", (_allow("push", REGISTERED), _allow("addPatchSet", REGISTERED))),
            Section(
                "refs/meta/config",
                (Permission("read", (Rule(ADMINISTRATORS), Rule(PROJECT_OWNERS)), exclusive=True),),
            ),
        ),
    ),
    capabilities=(
        (Verb.ADMINISTRATE_SERVER, ADMINISTRATORS),
        (Verb.VIEW_QUEUE, ANONYMOUS),
        (Verb.STREAM_EVENTS, ANONYMOUS),
    ),
)
"""What a new site permits: anyone reads; registered people push for review, comment and vote -1 to +1."""
