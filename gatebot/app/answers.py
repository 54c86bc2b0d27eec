# SPDX-License-Identifier: Apache-2.0
"""What the bot answers, as a stranger may see it, and does for linked accounts; the meetbot's `Answers`.

Values of the review and of the pipeline room are made values of the meetbot's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import sqlalchemy as sa

from .. import words
from ..access import STRANGER
from ..change import own_number
from ..clock import Clock
from ..db import Database, Session
from ..errors import GatebotError
from ..identity import Account, Identity
from ..meetbot import names
from ..meetbot.search.store import find
from ..meetbot.sisters import links
from ..meetbot.sisters.model import Done, Found, Standing, Waits
from ..meetbot.sisters.proofs import WEB
from ..meetbot.store import line_table
from ..pipeline.pages import Pages
from ..review import sentences
from ..review.drafts import Draft
from ..review.model import Status
from ..review.reading import Reading
from ..review.room import ReviewRoom


async def whose(db: Database, identity: Identity, network: str, name: str) -> Account | None:
    """The account of a proved name: of who speaks from the web, or linked on IRC; None: nobody's, or a closed one."""
    if name.startswith(WEB):
        found = await identity.by_username(name.removeprefix(WEB))
    else:
        linked = await db.read(links.account_of, network, name) if name else None
        found = await identity.by_id(linked) if linked is not None else None
    return found if found is not None and found.active else None


@dataclass(frozen=True, slots=True)
class SiteAnswers:
    """Answers to strangers; `site` is the address without a slash at its end."""

    db: Database
    clock: Clock
    room: ReviewRoom
    queues: Pages
    site: str

    @property
    def reading(self) -> Reading:
        """Changes."""
        return self.room.reading

    async def confirm(self, network: str, name: str, code: str) -> str:
        """Link who says a code to the account that it is of."""
        account = await self.db.run(links.confirm, code, network, name, self.clock.now())
        found = await self.room.identity.by_id(account) if account is not None else None
        return found.username if found is not None else ""

    async def recheck(self, network: str, name: str, number: int) -> Done | None:
        """Ask for new checks, as a comment of the account; of what a stranger may not see nothing is said."""
        account = await whose(self.db, self.room.identity, network, name)
        if account is None:
            return None
        try:
            change = await self.reading.find(STRANGER, str(number))
        except GatebotError:
            return Done(account.username)
        try:
            await self.room.review.post(account.actor, change.number, change.current, Draft(message="recheck"))
        except GatebotError as error:
            return Done(account.username, refused=words.say(error.reason) if error.reason else str(error))
        return Done(account.username, f"{self.site}/{change.path}")

    async def standing(self, number: int, language: str) -> Standing | None:
        """A change as it stands."""
        try:
            change = await self.reading.find(STRANGER, str(number))
            verdict = await self.reading.verdict(STRANGER, change.number)
        except GatebotError:
            return None
        why = sentences.headline(verdict, language)
        if change.status is not Status.NEW:
            why = change.status.value
        stays = [
            (pipeline.name, words.say(item.why, language))
            for pipeline in await self.queues.seen_by(STRANGER)
            for queue in pipeline.queues
            for item in queue.items
            if change.number in [one.number for one in item.changes]
        ]
        place = f"{change.project} {change.branch}"
        return Standing(change.number, change.subject, place, why, f"{self.site}/{change.path}", tuple(stays))

    async def waits(self, language: str) -> Sequence[Waits]:
        """The pipelines."""
        return [
            Waits(
                pipeline.name,
                tuple(
                    (
                        " + ".join(f"{own_number(one.number)} {one.subject}" for one in item.changes),
                        words.say(item.why, language),
                    )
                    for queue in pipeline.queues
                    for item in queue.items
                ),
            )
            for pipeline in await self.queues.seen_by(STRANGER)
        ]

    async def search(self, text: str) -> Found | None:
        """The newest line of the logs that fits."""
        found = await self.db.read(find, text, 5, newest=True)
        hits = [
            (one.channel, line) for one in found.conversations for line in reversed(one.lines) if line.id in one.hits
        ]
        said = [(channel, line) for channel, line in hits if not line.is_aside]
        if not said:
            return None
        channel, line = said[0]
        url = self.site + names.line_path(channel, line.at, line.id)
        told = f"{channel} {line.at:%Y-%m-%d %H:%M} <{line.nick}> {line.text}"
        return Found(found.count - len(hits) + len(said), told, url, f"{self.site}/search?q={quote(text)}")

    async def line(self, network: str, channel: str, nick: str, text: str) -> str:
        """The address of the newest line that somebody said so."""
        return await self.db.read(_line, network, names.folded(channel), nick, text)

    async def newest(self, network: str, channel: str) -> str:
        """The address of the newest line of a channel; empty: none is known."""
        return await self.db.read(_newest, network, names.folded(channel))


def _newest(session: Session, network: str, channel: str) -> str:
    columns = line_table.c
    said = sa.select(columns.id, columns.at).where(columns.network == network, columns.channel == channel)
    row = session.execute(said.order_by(columns.place.desc()).limit(1)).first()
    return names.line_path(channel, row.at, row.id) if row else ""


def _line(session: Session, network: str, channel: str, nick: str, text: str) -> str:
    columns = line_table.c
    said = sa.select(columns.id, columns.at).where(
        columns.network == network, columns.channel == channel, columns.nick == nick, columns.text == text
    )
    row = session.execute(said.order_by(columns.id.desc()).limit(1)).first()
    return names.line_path(channel, row.at, row.id) if row else f"/irclogs/{quote(channel, safe='')}/"
