# SPDX-License-Identifier: Apache-2.0
"""What SQL knows of a happening, read at once: the change, its people, and how each of them wants mail.

Transaction functions; nothing is written. Whether somebody may see the change is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...assignment import Json
from ...db import Session
from ...identity import SERVICE_USERS, THIRD_PARTY_CI, Account, accounts_in
from .. import conversation
from .. import store as changes
from ..attention.store import attention_of
from ..model import Change, InlineComment, PatchSet
from . import store
from .audience import Ground
from .model import Happening, Listener, Strategy
from .rendering import can_be_mailed
from .store import Watching

_PROGRAMS = frozenset({SERVICE_USERS, THIRD_PARTY_CI})


@dataclass(frozen=True, slots=True)
class Scene:
    """Ground of one happening. `comments` are those of its message, `earlier` all of the change by their ids.

    `commented` are the patch sets that those of its message are on.
    """

    ground: Ground
    patch_set: PatchSet
    comments: tuple[InlineComment, ...]
    earlier: Mapping[str, InlineComment]
    commented: Mapping[int, PatchSet]
    attention: tuple[int, ...]
    watching: tuple[Watching, ...]
    accounts: Mapping[int, Account]
    preferences: Mapping[int, Mapping[str, Json]]
    muting: frozenset[int]


def scene_of(session: Session, happening: Happening) -> Scene | None:
    """The scene; None where the change is gone."""
    change = changes.find_change(session, happening.change)
    if change is None:
        return None
    shown = changes.get_patch_set(session, change.number, happening.patch_set or change.current)
    comments = conversation.list_comments(session, change.number) if happening.message else ()
    reviewers = conversation.list_reviewers(session, change.number)
    turns = attention_of(session, [change.number]).get(change.number, ())
    watching = store.watching(session, change.project)
    ground = Ground(change, shown.uploader, reviewers, store.starring(session, change.number))
    attention = tuple(one.account for one in turns if one.active)
    said = tuple(one for one in comments if one.message == happening.message)
    ids = _named(happening, ground, attention) | {one.account for one in watching}
    return Scene(
        ground=ground,
        patch_set=shown,
        comments=said,
        earlier={one.id: one for one in comments},
        commented={
            number: changes.get_patch_set(session, change.number, number) for number in {one.patch_set for one in said}
        },
        attention=attention,
        watching=watching,
        accounts=accounts_in(session, ids),
        preferences=store.preferring(session, ids),
        muting=store.muting(session, ids, change.project),
    )


def _named(happening: Happening, ground: Ground, attention: Iterable[int]) -> set[int]:
    wish = happening.wish
    some = (happening.actor, happening.removed)
    return {
        ground.change.owner, ground.uploader, *(one.account for one in ground.reviewers), *ground.stars, *attention,
        *happening.invited, *wish.to, *wish.cc, *wish.bcc, *(id for id in some if id is not None),
    }  # fmt: skip


def listener(scene: Scene, account: Account, *, sees: bool) -> Listener:
    """An account as a reader of mail."""
    chosen = scene.preferences.get(account.id, {})
    return Listener(
        id=account.id,
        name=account.name or account.username,
        email=account.email if can_be_mailed(account.email) else "",
        active=account.active,
        program=bool(account.groups & _PROGRAMS),
        strategy=str(chosen.get("email_strategy", Strategy.ENABLED.value)),
        plain=chosen.get("email_format") == "PLAINTEXT",
        muted=account.id in scene.muting,
        sees=sees,
        turn=account.id in scene.attention,
    )


def reverted(session: Session, commit: str, project: str) -> Change | None:
    """The merged change whose commit a revert names."""
    return changes.find_by_commits(session, project, [commit]).get(commit)
