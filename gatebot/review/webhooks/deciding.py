# SPDX-License-Identifier: Apache-2.0
"""Which events a webhook is told, how a request is signed, and what becomes of one that fails.

Pure: the moment and the chance of a pause are given. An event is tried until it is a day old and nothing could be
delivered for a day; then it is left behind by name, so that one that is never taken does not hold the others for ever.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ...assignment import Json
from ...expressions import compiled
from ..deliveries.pauses import pause
from .model import Due, Progress, Webhook

_PATIENCE = timedelta(days=1)
_LEAST_TRIES = 5  # also of what is older than a day when its turn comes


def wants(webhook: Webhook, told: Mapping[str, Json]) -> bool:
    """Whether a webhook is told an event. None is told of a private change, whoever may see it."""
    change = told.get("change")
    if isinstance(change, dict) and change.get("private"):
        return False
    if webhook.events and told["type"] not in webhook.events:
        return False
    return not webhook.projects or any(compiled(one).fullmatch(project_of(told)) for one in webhook.projects)


def project_of(told: Mapping[str, Json]) -> str:
    """The project of an event."""
    update = told.get("refUpdate")
    if isinstance(update, dict):
        return str(update["project"])
    return str(told.get("project") or told.get("projectName") or "")


def signature(secret: bytes, body: bytes) -> str:
    """What `X-Gatebot-Signature` says: HMAC-SHA256 (RFC 2104) of the body, in hexadecimal digits."""
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


def headers(told: Mapping[str, Json], body: bytes, secret: bytes) -> dict[str, str]:
    """The headers of a request; without a secret it is not signed."""
    found = {
        "Content-Type": "application/json",
        "User-Agent": "gatebot",
        "X-Gatebot-Event": str(told["type"]),
        "X-Gatebot-Delivery": str(told["eventId"]),
    }
    return {**found, "X-Gatebot-Signature": signature(secret, body)} if secret else found


def safe_place(ids: Sequence[int], position: int, last: int) -> int:
    """Up to where all facts are dealt with, when the event at `position` is; `last` is the newest fact of all.

    Votes of several people in one transaction may be told behind a message that is newer than they are.
    """
    rest = ids[position + 1 :]
    return min(ids[position], min(rest) - 1) if rest else last


def delivered(progress: Progress, due: Due, now: datetime) -> Progress:
    """The progress when an event was taken."""
    return replace(_on(progress, due), since=None, problem="", delivered=now)


def failed(progress: Progress, due: Due, problem: str, now: datetime, chance: float) -> Progress:
    """The progress when an event was not taken: it is tried again later, or left behind."""
    tries = progress.tries + 1 if progress.event == due.id else 1
    since = progress.since or now
    if tries >= _LEAST_TRIES and now - since >= _PATIENCE and now - due.at >= _PATIENCE:
        behind = replace(_on(progress, due), since=since, problem=problem)
        return replace(behind, left_count=progress.left_count + 1, left_name=due.name, left_at=now)
    again = now + pause(tries, chance=chance)
    return replace(progress, event=due.id, tries=tries, since=since, due=again, problem=problem)


def _on(progress: Progress, due: Due) -> Progress:
    return replace(progress, upto=max(progress.upto, due.upto), event=0, tries=0, due=None)
