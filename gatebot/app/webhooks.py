# SPDX-License-Identifier: Apache-2.0
"""Webhooks plugged in: from the settings to what tells them, and how they stand in words.

Only wiring. The words are on the health page, which needs no sign-in: names and states, never an address.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import settings as settings_text
from ..clock import Clock
from ..db import Database
from ..front import Sign
from ..journal import Journal
from ..review.room import ReviewRoom
from ..review.ssh.telling import Telling
from ..review.webhooks.model import Standing, Webhook
from ..review.webhooks.service import Webhooks
from ..settings import Settings


def webhooks_of(settings: Settings, db: Database, journal: Journal, clock: Clock, room: ReviewRoom) -> Webhooks:
    """Those of the settings; nothing is told yet."""
    found = tuple(
        Webhook(
            name, one.url, one.projects, one.events,
            settings_text.resolve(settings, one.secret_file) if one.secret_file else "", one.account, one.local,
        )
        for name, one in settings.webhook.items()
    )  # fmt: skip
    return Webhooks(found, db, journal, clock, Telling(db, room), room.identity)


def sign_of_webhooks(standings: Sequence[Standing]) -> Sign:
    """How the webhooks stand, in words."""
    if not standings:
        return Sign("webhooks", True, "there are none", vital=False)
    ok = all(one.progress.since is None for one in standings)
    return Sign("webhooks", ok, "; ".join(map(_words, standings)), vital=False)


def _words(one: Standing) -> str:
    progress = one.progress
    told: list[str] = [f"behind since {one.behind:%Y-%m-%d %H:%M} UTC" if one.behind is not None else "up to date"]
    if progress.since is not None:
        told.append(f"nothing taken since {progress.since:%Y-%m-%d %H:%M} UTC ({progress.problem})")
    if progress.due is not None:
        times = "once" if progress.tries == 1 else f"{progress.tries} times"
        told.append(f"event {progress.event} was tried {times}, next at {progress.due:%Y-%m-%d %H:%M} UTC")
    if progress.delivered is not None:
        told.append(f"last delivered {progress.delivered:%Y-%m-%d %H:%M} UTC")
    if progress.left_at is not None:
        told.append(
            f"{progress.left_count} left behind, the last {progress.left_name} on {progress.left_at:%Y-%m-%d %H:%M} UTC"
        )
    return f"{one.name}: {', '.join(told)}"
