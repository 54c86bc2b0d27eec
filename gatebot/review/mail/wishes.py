# SPDX-License-Identifier: Apache-2.0
"""`notify` and `notify_details` of a REST body: whom the asker wants told of what he does.

Gerrit's names: NONE, OWNER, OWNER_REVIEWERS, ALL; and for TO, CC and BCC lists of accounts.
"""

from __future__ import annotations

from aiohttp import web

from ..answers import body_of
from ..drafts import Object, bad, object_of, text_of, texts
from ..shaper import Shaper
from .model import NO_WISH, Notify, Wish


async def asked(shaper: Shaper, request: web.Request) -> Wish:
    """What the body of a request says of mail; a body that is plain text says nothing."""
    if request.content_type == "text/plain":
        return NO_WISH
    body = await body_of(request)
    level = level_of(text_of(body.get("notify"), "notify"))
    details = object_of(body.get("notify_details"), "notify_details")
    lists = {name: await _accounts(shaper, request, details, name) for name in ("TO", "CC", "BCC")}
    return Wish(level, lists["TO"], lists["CC"], lists["BCC"])


def level_of(text: str) -> Notify | None:
    """The level that a word names; nothing is the usual one."""
    if not text:
        return None
    if text.upper() not in Notify.__members__:
        raise bad("notify", f"it is one of {', '.join(Notify)}")
    return Notify(text.upper())


async def _accounts(shaper: Shaper, request: web.Request, details: Object, name: str) -> tuple[int, ...]:
    given = object_of(details.get(name), f"notify_details.{name}")
    named = texts(given.get("accounts"), f"notify_details.{name}.accounts")
    return tuple([(await shaper.account_in_body(request, one)).id for one in named])
