# SPDX-License-Identifier: Apache-2.0
"""Whom a push names: reviewers by user name, address, number or group, and those in the footers of commits.

Floor 2: transaction functions. What is said about a name that nobody has is Gerrit's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..db import Session
from ..identity.store import account_in, accounts_in, email_in, group_names, username_in
from ..reasons import reason
from .mail.model import Notify, Wish
from .people import preferences
from .people.store import chosen
from .push_options import Options
from .push_rows import Wishes
from .receive import CommitFacts, Refusal

_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>\s*\Z")
_FOOTER = re.compile(
    r"^(Signed-off-by|Acked-by|Reviewed-by|Tested-by|Cc):[^\n]*<([^<>\s]+)>[ \t]*$", re.IGNORECASE | re.MULTILINE
)


def wishes_in(session: Session, options: Options, commits: Iterable[CommitFacts], account: int) -> Wishes | Refusal:
    """The options of a push with people as account ids, and those whom the footers of its commits name."""
    found: dict[str, tuple[int, ...]] = {}
    for name in (*options.reviewers, *options.cc):
        ids = resolve(session, name)
        if ids is None:
            text = f"Account '{name}' not found\n{name} does not identify a registered user or group"
            return Refusal(text, reason("review.push-reviewer", name=name))
        found[name] = ids
    told: dict[str, list[int]] = {"to": [], "cc": [], "bcc": []}
    for how, name in options.notify_people:
        ids = resolve(session, name)
        if ids is None:
            return Refusal(f'user "{name}" not found', reason("review.push-reviewer", name=name))
        told[how] += ids
    level = Notify(options.notify) if options.notify else None
    mail = Wish(level, tuple(told["to"]), tuple(told["cc"]), tuple(told["bcc"]))
    reviewers = [id for name in options.reviewers for id in found[name]]
    cc = [id for name in options.cc for id in found[name]]
    for commit in commits:
        footer = commit.message.strip().rpartition("\n\n")[2]
        for kind, email in _FOOTER.findall(footer):
            known = email_in(session, email)
            if known is not None and known.active and known.id != account:
                (cc if kind.lower() == "cc" else reviewers).append(known.id)
    return Wishes(
        topic=options.topic,
        hashtags=options.hashtags,
        reviewers=tuple(dict.fromkeys(reviewers)),
        cc=tuple(id for id in dict.fromkeys(cc) if id not in reviewers),
        labels=options.labels,
        message=options.message,
        wip=options.wip,
        private=options.private,
        merged=options.merged,
        mail=mail,
        publish_comments=_publishes(session, options, account),
        keep_attention=options.keep_attention,
    )


def _publishes(session: Session, options: Options, account: int) -> bool:
    """Whether the pusher's drafts are published with the push: as he says now, or as he prefers."""
    if options.publish_comments is not None:
        return options.publish_comments
    return preferences.shown("general", chosen(session, account, "general")).get("publish_comments_on_push") is True


def resolve(session: Session, name: str) -> tuple[int, ...] | None:
    """The accounts that a name means: one, or the members of a group; None: nobody is called so."""
    address = _ADDRESS.search(name)
    wanted = address[1] if address else name.strip()
    one = email_in(session, wanted) if "@" in wanted else username_in(session, wanted)
    if one is None and wanted.isdecimal() and len(wanted) < 10:
        one = account_in(session, int(wanted))
    if one is not None:
        return (one.id,) if one.active else None
    if wanted in group_names(session):
        return tuple(id for id, account in accounts_in(session).items() if wanted in account.groups and account.active)
    return None
