# SPDX-License-Identifier: Apache-2.0
"""The bot's announcements plugged in: from the settings to what they are told, as a stranger may see it.

Values of the review and of the pipeline room are made values of the meetbot's. Nothing is decided here but what a
stranger may know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

from .. import words
from ..access import STRANGER
from ..assignment import Json
from ..change import own_number
from ..db import Database, Session
from ..fact import Event
from ..journal import Entry
from ..meetbot.irc.client import Client
from ..meetbot.sisters.answering import Answering, Voice
from ..meetbot.sisters.model import Audience, Happened, Kind
from ..meetbot.sisters.pages import LinkPages
from ..meetbot.sisters.ports import Fact
from ..meetbot.sisters.service import Announcer
from ..pipeline import history
from ..pipeline.config.model import Manager
from ..pipeline.layouts import Layouts
from ..pipeline.queue.facts import ItemDequeued
from ..pipeline.queue.model import Outcome
from ..pipeline.rows import BuildRow, ItemRow
from ..review import store
from ..review.model import Kind as PatchSetKind
from ..review.ssh import happenings
from ..review.ssh.telling import Telling
from ..settings import Settings
from ..settings_irc import Irc as Network
from ..settings_sisters import network_of
from .answers import SiteAnswers
from .connections import Sights
from .gate import GateRoom
from .irc import Irc
from .mailing import Origin
from .named import SiteStates

_SAME = frozenset(kind.value for kind in PatchSetKind if kind is not PatchSetKind.REWORK)
_CHANGES = {
    "patchset-created": (Kind.PROPOSED, "uploader"),
    "change-merged": (Kind.MERGED, "submitter"),
    "change-abandoned": (Kind.ABANDONED, "abandoner"),
    "change-restored": (Kind.RESTORED, "restorer"),
    "comment-added": (Kind.COMMENTED, "author"),
    "wip-state-changed": (Kind.PROPOSED, "changer"),
    "private-state-changed": (Kind.PROPOSED, "changer"),
}
_NOWHERE = "0" * 40

Told = Mapping[str, Json]


class SiteNews:
    """What facts mean to a stranger; the meetbot's `News`."""

    def __init__(self, db: Database, telling: Telling, sight: Sights, layouts: Layouts, site: str) -> None:
        self._db = db
        self._telling = telling
        self._sight = sight
        self._layouts = layouts
        self._site = site.rstrip("/")
        self.kinds: Sequence[type[Event]] = (*happenings.KINDS, ItemDequeued)

    async def told(self, facts: Sequence[Fact]) -> Sequence[Happened]:
        """What happened, in order."""
        entries = [Entry(one.id, one.at, one.event) for one in facts]
        by_id = {entry.id: entry.event for entry in entries}
        of_review = [entry for entry in entries if not isinstance(entry.event, ItemDequeued)]
        found = [
            (id, await self._of_review(told, by_id[id])) async for id, told in self._telling.events(STRANGER, of_review)
        ]
        found += [
            (entry.id, await self._of_gate(entry.event)) for entry in entries if isinstance(entry.event, ItemDequeued)
        ]
        return [one for _, one in sorted(found, key=lambda pair: pair[0]) if one is not None]

    async def _of_review(self, told: Told, fact: Event) -> Happened | None:
        if told["type"] == "ref-updated":
            return _tagged(told)
        known = _CHANGES.get(str(told["type"]))
        change = _part(told, "change")
        if known is None or change.get("wip") or change.get("private"):
            return None
        kind, role = known
        patch_set = _part(told, "patchSet")
        number = cast("int", change["number"])
        one = Happened(
            kind, _name(_part(told, role)), str(change["project"]), str(change["branch"]), str(change["subject"]),
            str(change["url"]), number, votes=_votes(told), program=bool(getattr(fact, "tag", "")),
        )  # fmt: skip
        if told["type"] != "patchset-created":
            return one
        current = cast("int", patch_set["number"])
        follows = await self._db.read(_follows, number, current)
        return _replaced(one, follows, same=current > 1 and str(patch_set["kind"]) in _SAME)

    async def _of_gate(self, fact: ItemDequeued) -> Happened | None:
        """A change that a gate would have merged, and does not."""
        if fact.outcome is not Outcome.FAILED or fact.moment is None:
            return None
        item = await self._db.read(history.item, fact.item)
        if item is None or item.change is None or not self._is_gate(item):
            return None
        if await self._sight.hidden(STRANGER, (item.change,)):
            return None
        change = await self._db.read(store.find_change, item.change)
        if change is not None and (change.private or change.work_in_progress):
            return None
        builds = await self._db.read(lambda session: history.find_builds(session, item=item.item, limit=200))
        failed = _first_failed(builds)
        own = own_number(item.change)
        subject = change.subject if change is not None else f"change {own}"
        url = f"{self._site}/{change.path}" if change is not None else f"{self._site}/buildsets"
        name, text = "", words.say(fact.reason) if fact.reason is not None else ""
        if failed is not None:
            name, text, url = failed.job, failed.error_text or failed.result, f"{self._site}/build/{failed.build}"
        return Happened(Kind.GATE_FAILED, "", item.project, item.branch, subject, url, own, name=name, text=text)

    def _is_gate(self, item: ItemRow) -> bool:
        layout = self._layouts.current(item.tenant)
        pipeline = layout.pipelines.get(item.pipeline) if layout is not None else None
        return pipeline is not None and pipeline.manager is Manager.DEPENDENT


def _voice(client: Client, irc: Network) -> Voice:
    return Voice(client.nicks, irc.language, irc.trust_nicks, irc.channels)


def with_sisters(irc: Irc, origin: Origin, sight: Sights, room: GateRoom) -> Irc:
    """The bot, once it announces what the settings say, answers, and knows what becomes of what people speak of."""
    settings, db, url = origin.settings, origin.db, origin.settings.url
    irc = replace(irc, states=SiteStates(db, origin.room.reading, sight, origin.room.judge.linking.rules))
    news = SiteNews(db, Telling(db, origin.room), sight, room.layouts, url)
    announcer = Announcer(db, origin.journal, origin.clock, audiences_of(settings), news, irc.bot.say, url)
    irc.add("announcements", announcer.heard, announcer.run, announcer.close)
    answers = SiteAnswers(db, origin.clock, origin.room, room.watched(origin.site, sight), url)
    ways = {network.name: network for network in settings.irc}
    voices = {name: _voice(client, ways[name]) for client in irc.clients for name in [client.network.name]}
    nicks = [(client.network.name, client.network.nick) for client in irc.clients]
    trusting = frozenset(name for name, voice in voices.items() if voice.trusts_nicks)
    known = {client.network.name: client for client in irc.clients}
    links = LinkPages(origin.site, db, origin.clock, nicks, trusting, lambda name: known[name].tells_accounts())
    irc.shown.extend(links.routes())
    answering = Answering(origin.clock, voices, answers, irc.bot.say, irc.bot.settled, url)
    irc.add("answers", answering.heard, answering.run, whispered=answering.whispered)
    return irc


def audiences_of(settings: Settings) -> tuple[Audience, ...]:
    """The channels of the settings, in their order; none where meetings, and so IRC, are switched off."""
    if not settings.meetings.enabled:
        return ()
    return tuple(
        Audience(
            network_of(announce.channel, announce.network, settings.irc) or "", announce.channel, announce.events,
            announce.projects, announce.branches, announce.digest, announce.language,
        )
        for announce in settings.announce.values()
    )  # fmt: skip


def _follows(session: Session, change: int, number: int) -> timedelta | None:
    """How long after the patch set before it one came."""
    times = {one.number: one.created for one in store.list_patch_sets(session, change)}
    before, own = times.get(number - 1), times.get(number)
    return own - before if before is not None and own is not None else None


def _replaced(one: Happened, follows: timedelta | None, *, same: bool) -> Happened:
    return Happened(
        one.kind, one.who, one.project, one.branch, one.subject, one.url, one.number, follows=follows, same=same
    )


def _tagged(told: Told) -> Happened | None:
    update = _part(told, "refUpdate")
    ref = str(update["refName"])
    if not ref.startswith("refs/tags/") or update["newRev"] == _NOWHERE:
        return None
    who = _name(_part(told, "submitter"))
    return Happened(Kind.TAGGED, who, str(update["project"]), "", "", "", name=ref.removeprefix("refs/tags/"))


def _votes(told: Told) -> tuple[tuple[str, int], ...]:
    """The votes that an event is about: those that changed."""
    given = told.get("approvals")
    if told["type"] != "comment-added" or not isinstance(given, list):
        return ()
    changed = [cast("Told", one) for one in given if isinstance(one, dict) and "oldValue" in one]
    return tuple((str(one["type"]), int(str(one["value"]))) for one in changed if int(str(one["value"])))


def _first_failed(builds: Sequence[BuildRow]) -> BuildRow | None:
    """The voting build that failed first, among those that were not tried again."""
    failed = [one for one in builds if one.final and one.voting and one.result not in ("", "SUCCESS", "SKIPPED")]
    decisive = [one for one in failed if one.error_text] or failed
    return min(decisive, key=lambda one: (one.ended is None, one.ended or one.created), default=None)


def _part(told: Told, name: str) -> Told:
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _name(account: Told) -> str:
    return str(account.get("name") or account.get("username") or "")
