# SPDX-License-Identifier: Apache-2.0
"""What of the status is in force: on pages, and in the topics of channels.

Pure, and level-triggered: what a channel's topic should become follows from the alert in force, from what the topic is,
and from what it was before; asked again and again, it never takes more than one step at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ...banners import Banner
from ..linkify import pieces
from ..sisters.announcing import is_said
from .model import Entry, Held, Kind, Sitting

_CUT = 100  # letters that every network lets a topic have; what is shorter was not cut


def alert(standing: Sequence[Entry]) -> str | None:
    """The text of the alert in force, if there is one; `standing` is what no ok has ended."""
    return next((one.text for one in reversed(standing) if one.kind is Kind.ALERT), None)


def banners(standing: Sequence[Entry], now: datetime, lasts: timedelta) -> tuple[Banner, ...]:
    """What every page shows: the newest alert until an ok, and the newest notice until an ok or for a time."""
    found: list[Banner] = []
    for kind in (Kind.ALERT, Kind.NOTICE):
        newest = next((one for one in reversed(standing) if one.kind is kind), None)
        if newest is None:
            continue
        until = newest.at + lasts if kind is Kind.NOTICE else None
        if until is None or now < until:
            parts = tuple((piece.text, piece.url) for piece in pieces(newest.text))
            found.append(Banner(newest.id, kind.value, parts, newest.at, until))
    return tuple(found)


def topic(
    wanted: str | None, held: Held | None, now: str, past: Collection[str] = (), sitting: Sitting | None = None
) -> tuple[Held | None, str | None]:
    """What is to be remembered of a channel's topic, and what it is to become (None: it stays), with `wanted` the alert
    in force, `now` the topic, and `past` the alerts that were told lately.

    Whoever changes the topic during an alert has his way, and it is his topic that stays. An ended alert that comes
    back, as by a meeting that gives the channel the topic it began with, is taken away again; one that is told again in
    the same words stands again. While there is a `sitting` the topic is the meeting's: a new alert is shown once, and
    stands again when the meeting is over.
    """
    alerts = [text for text in (*past, held.alert if held is not None else "") if text]
    shown = held is not None and any(_is(text, now) for text in alerts)
    if sitting is not None:
        before = sitting.before
        if held is not None and (before is None or any(_is(text, before) for text in alerts)):
            before = held.before  # the meeting will give back an alert, or does not know what
    else:
        before = held.before if held is not None and shown else now
    before = now if before is None else before
    if wanted is None:
        gives_back = sitting.topic if sitting is not None else before
        return (Held(before, "") if held is not None else None), gives_back if shown and gives_back != now else None
    if held is None or held.alert != wanted:
        return Held(before, wanted), wanted
    if sitting is not None:
        return Held(before, wanted), None
    if _is(wanted, now):
        return replace(held, stands=True), None
    if held.stands:
        return replace(held, before=before), None
    return held, wanted


def judged(wanted: str | None, held: Held | None, sent: str, now: str | None, past: Collection[str] = ()) -> str | None:
    """What a topic that is about to be `sent` is to be: an alert that is over by now is not put into it any more, but
    what the channel had before; None: that is there."""
    ended = [text for text in (*past, held.alert if held is not None else "") if text and text != wanted]
    cut = len(sent) >= _CUT
    over = any(text == sent or (cut and _is(text, sent)) for text in ended)
    if held is None or not over or (wanted is not None and cut and _is(wanted, sent)):
        return sent
    return None if held.before == now else held.before


def _is(said: str, topic: str) -> bool:
    """Whether a topic is a text that a network may have cut."""
    return is_said(said, topic)
