# SPDX-License-Identifier: Apache-2.0
"""The words of access rules, and what a new site permits.

Only values: verbs, actors, targets, rules, and the table `DEFAULT`. How rules meet is decided in
`access.py`, which is what others import; it offers all of these names too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
SYSTEM_GROUPS = {
    ANONYMOUS: "global:Anonymous-Users",
    REGISTERED: "global:Registered-Users",
    PROJECT_OWNERS: "global:Project-Owners",
    CHANGE_OWNER: "global:Change-Owner",
}
"""The groups that nobody joins, with Gerrit's UUIDs: who belongs to them follows from what is asked about."""


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
    CREATE_SIGNED_TAG = "createSignedTag"
    FORGE_AUTHOR = "forgeAuthor"
    FORGE_COMMITTER = "forgeCommitter"
    FORGE_SERVER = "forgeServerAsCommitter"
    ADD_PATCH_SET = "addPatchSet"
    COMMENT = "comment"
    SUBMIT = "submit"
    SUBMIT_AS = "submitAs"
    ABANDON = "abandon"  # and restore
    REBASE = "rebase"
    REVERT = "revert"
    EDIT_TOPIC = "editTopicName"
    EDIT_HASHTAGS = "editHashtags"
    EDIT_KEYED_VALUES = "editCustomKeyedValues"
    DELETE_CHANGES = "deleteChanges"
    DELETE_OWN_CHANGES = "deleteOwnChanges"
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
    TELL_STATUS = "tellStatus"
    MANAGE_BOARDS = "manageBoards"
    CREATE_PROJECT = "createProject"
    STREAM_EVENTS = "streamEvents"
    VIEW_QUEUE = "viewQueue"
    ACCESS_DATABASE = "accessDatabase"
    CREATE_ACCOUNT = "createAccount"
    CREATE_GROUP = "createGroup"
    DELETE_GROUP = "deleteGroup"
    EMAIL_REVIEWERS = "emailReviewers"
    FLUSH_CACHES = "flushCaches"
    KILL_TASK = "killTask"
    MAINTAIN_SERVER = "maintainServer"
    MODIFY_ACCOUNT = "modifyAccount"
    RUN_AS = "runAs"
    RUN_GC = "runGC"
    VIEW_ACCESS = "viewAccess"
    VIEW_ALL_ACCOUNTS = "viewAllAccounts"
    VIEW_CACHES = "viewCaches"
    VIEW_CONNECTIONS = "viewConnections"
    VIEW_PLUGINS = "viewPlugins"
    VIEW_SECONDARY_EMAILS = "viewSecondaryEmails"


CAPABILITIES = frozenset(list(Verb)[list(Verb).index(Verb.ADMINISTRATE_SERVER) :])
FOR_STRANGERS = frozenset({Verb.READ, Verb.VIEW_QUEUE, Verb.STREAM_EVENTS})
NOT_IMPLIED = frozenset({Verb.RUN_AS})
"""What administrators must be given by name, as in Gerrit: to act as somebody else."""
LIMITS = ("queryLimit", "batchChangesLimit", "priority")
"""Capabilities that are a number, or for `priority` a word that changes nothing here."""
RANGED = ("label-", "labelAs-", "removeLabel-")
"""How the permissions begin that are a range of votes of one label."""
PERMISSIONS = (
    *(verb.value for verb in Verb if verb not in CAPABILITIES and verb not in (Verb.UPLOAD, Verb.FORCE_PUSH)),
    *("publishDrafts", "viewDrafts", "deleteDrafts"),
)
"""The names that rules may use; the last three are of older Gerrits and permit nothing any more."""


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


def wrong_expression(pattern: str) -> str | None:
    """What is wrong with a ref pattern that begins with `^`; None when it is an expression."""
    try:
        expression(pattern.replace("${username}", "x").replace("${shardeduserid}", "0/0"))
    except ValueError as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class Section:
    """Permissions of the refs that a pattern fits: `refs/heads/main`, `refs/heads/*`, or `^` and an RE2 expression."""

    pattern: str
    permissions: tuple[Permission, ...]

    def __post_init__(self) -> None:
        wrong = wrong_expression(self.pattern) if self.pattern.startswith("^") else None
        if wrong is not None:
            raise Invalid(f"The ref pattern {self.pattern} is no regular expression: {wrong}.")

    def permission(self, name: str) -> Permission | None:
        """What this section says about a permission; labels are the same in any case of letters."""
        wanted = name.lower()
        return next((permission for permission in self.permissions if permission.name.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of something that a group may ask for at once: `queryLimit`, `batchChangesLimit`."""

    name: str
    group: str
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """All that decides for one project: its sections, then its parent's, up to All-Projects; and the capabilities.

    Two values are equal only when they are one, so that what follows from them can be remembered.
    """

    chain: tuple[tuple[Section, ...], ...]
    capabilities: tuple[tuple[Verb, str], ...] = ()
    limits: tuple[Limit, ...] = ()
    personal: bool = field(init=False, default=False)
    """Whether any pattern depends on who asks."""

    def __post_init__(self) -> None:
        personal = any("${" in section.pattern for sections in self.chain for section in sections)
        object.__setattr__(self, "personal", personal)

    def of(self, project: str) -> Rules:
        """The same rules for every project: the simplest rulebook."""
        del project
        return self


class Rulebook(Protocol):
    """The rules of every project of a site; the empty name asks for those of the site itself."""

    def of(self, project: str) -> Rules:
        """The rules that decide for a project."""
        ...


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
                    _allow("createSignedTag", ADMINISTRATORS, PROJECT_OWNERS),
                    _allow("forgeAuthor", REGISTERED),
                    _allow("forgeCommitter", ADMINISTRATORS, PROJECT_OWNERS),
                    _allow("forgeServerAsCommitter", ADMINISTRATORS, PROJECT_OWNERS),
                    _allow("comment", REGISTERED),
                    _allow("submit", CORE, ADMINISTRATORS),
                    _allow("abandon", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("rebase", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("revert", REGISTERED),
                    _allow("editTopicName", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("editHashtags", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("editCustomKeyedValues", CHANGE_OWNER, CORE, ADMINISTRATORS),
                    _allow("deleteChanges", ADMINISTRATORS),
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

IMPLIED: tuple[Section, ...] = (
    Section(
        "refs/*",
        (
            _allow("comment", REGISTERED),
            _allow("revert", REGISTERED),
            *(
                _allow(name, CHANGE_OWNER)
                for name in ("abandon", "rebase", "editTopicName", "editHashtags", "editCustomKeyedValues")
            ),
            *(_allow(name, CHANGE_OWNER) for name in ("toggleWipState", "removeReviewer", "viewPrivateChanges")),
        ),
    ),
)
"""What Gerrit permits without a rule, as rules behind those of All-Projects: any rule may take it away."""
