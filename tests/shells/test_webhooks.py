# SPDX-License-Identifier: Apache-2.0
"""Events from the journal to a real HTTP server: signed, in order, tried again, and none lost by a restart."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatebot import journal
from gatebot.app.webhooks import sign_of_webhooks
from gatebot.db import Session
from gatebot.events import BranchMoved, ChangeAbandoned, ChangeRestored, CommentAdded, TopicChanged, VoteCast
from gatebot.fact import Event
from gatebot.identity import Identity
from gatebot.journal import Journal
from gatebot.review.deliveries.posting import Poster
from gatebot.review.model import Change, PrivateChanged
from gatebot.review.room import furnish
from gatebot.review.ssh.telling import Telling
from gatebot.review.tables import changes
from gatebot.review.webhooks.model import Webhook
from gatebot.review.webhooks.service import Webhooks
from tests.fakes.hook_server import HookServer
from tests.fakes.review_house import ANN, BOB, SITE, ReviewHouse

SECRET = "correct horse battery staple"


@dataclass
class Hooked:
    """A site with one change of ann's, and a server that is told."""

    house: ReviewHouse
    server: HookServer
    secret: Path
    change: Change

    def hook(self, name: str = "ci", account: str = "", local: bool = True, url: str = "", **more: object) -> Webhook:
        return Webhook(name, url or self.server.url, (), (), str(self.secret), account, local)

    async def start(self, *webhooks: Webhook, timeout: float = 10.0) -> Webhooks:
        """The webhooks as a server that starts has them."""
        house = self.house
        identity = Identity(house.db, house.clock)
        room = furnish(house.db, house.repositories, identity, house.clock, house.gates, SITE)
        telling = Telling(house.db, room)
        found = Webhooks(
            webhooks or (self.hook(),), house.db, Journal(house.db), house.clock, telling, identity, Poster(timeout)
        )
        await found.settle()
        return found

    def happens(self, *facts: Event) -> None:
        for fact in facts:
            self.house.write(journal.append, fact, self.house.clock.now())

    def move(self, new: str) -> BranchMoved:
        return BranchMoved("demo/api", "main", "0" * 40, new * 40, "push", ANN)


@pytest.fixture
async def hooked(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Hooked]:
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    house = ReviewHouse(f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    change = house.push("demo/api", {"door.py": "open\n"}, "Add a door", house.project("demo/api"))
    secret = tmp_path / "hook.secret"
    secret.write_text(f"{SECRET}\n")
    server = HookServer()
    await server.start()
    yield Hooked(house, server, secret, change)
    await server.stop()
    house.close()


def make_private(session: Session) -> None:
    session.execute(changes.update().values(private=True))


async def standing(webhooks: Webhooks) -> str:
    return sign_of_webhooks(await webhooks.standings()).text


async def test_what_happens_is_told_signed_as_the_stream_tells_it(hooked: Hooked) -> None:
    webhooks = await hooked.start()
    number = hooked.change.number
    hooked.happens(VoteCast(number, 1, "Code-Review", 2, BOB), CommentAdded(number, 1, BOB, 5, "Fine."))
    await webhooks.deliver()
    ((headers, body),) = hooked.server.came
    (told,) = hooked.server.taken
    assert told["type"] == headers["X-Gatebot-Event"] == "comment-added"
    assert headers["X-Gatebot-Delivery"] == str(told["eventId"])
    assert headers["Content-Type"] == "application/json"
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Gatebot-Signature"] == f"sha256={signed}"
    assert {"type": "Code-Review", "description": "Code-Review", "value": "2", "oldValue": "0"} in told["approvals"]
    assert await standing(webhooks) == "ci: up to date, last delivered 2026-01-05 09:00 UTC"


async def test_a_new_webhook_is_not_told_the_past(hooked: Hooked) -> None:
    webhooks = await hooked.start()
    await webhooks.deliver()
    assert hooked.server.came == []


async def test_a_restart_neither_loses_an_event_nor_tells_one_twice(hooked: Hooked) -> None:
    await hooked.start()
    hooked.happens(*(hooked.move(digit) for digit in "123"))
    hooked.server.answers = [200, 500]
    await (await hooked.start()).deliver()
    hooked.happens(hooked.move("4"))
    hooked.house.clock.advance(60)
    again = await hooked.start()
    await again.deliver()
    await again.deliver()
    assert [event["refUpdate"]["newRev"][0] for event in hooked.server.taken] == ["1", "2", "3", "4"]
    deliveries = [headers["X-Gatebot-Delivery"] for headers, _ in hooked.server.came]
    assert deliveries[1] == deliveries[2]
    assert len(set(deliveries)) == 4


async def test_a_restart_does_not_shorten_a_pause(hooked: Hooked) -> None:
    webhooks = await hooked.start()
    hooked.happens(hooked.move("1"))
    hooked.server.answers = [503]
    await webhooks.deliver()
    await (await hooked.start()).deliver()
    assert len(hooked.server.came) == 1


async def test_a_server_that_is_away_is_told_of_and_hears_everything_later(
    hooked: Hooked, caplog: pytest.LogCaptureFixture
) -> None:
    webhooks = await hooked.start()
    await hooked.server.stop()
    hooked.happens(hooked.move("1"), hooked.move("2"))
    await webhooks.deliver()
    said = await standing(webhooks)
    assert said.startswith(
        "ci: behind since 2026-01-05 09:00 UTC, nothing taken since 2026-01-05 09:00 UTC "
        "(no connection: Connection refused), event "
    )
    assert "was tried once, next at 2026-01-05 09:00 UTC" in said
    for secret in (SECRET, "in-the-url", "127.0.0.1"):
        assert secret not in caplog.text + said
    await hooked.server.start()
    hooked.house.clock.advance(10)
    await webhooks.deliver()
    assert [event["refUpdate"]["newRev"][0] for event in hooked.server.taken] == ["1", "2"]
    assert (await standing(webhooks)).startswith("ci: up to date")


async def test_what_is_never_taken_is_left_behind_by_name_and_the_next_is_told(
    hooked: Hooked, caplog: pytest.LogCaptureFixture
) -> None:
    webhooks = await hooked.start()
    hooked.happens(hooked.move("1"), hooked.move("2"))
    hooked.server.answers = [400] * 5
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            await webhooks.deliver()
            hooked.house.clock.advance(8 * 3600)
    assert [event["refUpdate"]["newRev"][0] for event in hooked.server.taken] == ["2"]
    id = hooked.server.taken[0]["eventId"] - 1
    assert f"webhook ci: ref-updated {id} was left behind after 5 tries: it answers 400" in caplog.text
    assert f"1 left behind, the last ref-updated {id} on 2026-01-06 17:00 UTC" in await standing(webhooks)


async def test_a_slow_server_is_not_waited_for(hooked: Hooked) -> None:
    webhooks = await hooked.start(timeout=0.2)
    hooked.happens(hooked.move("1"))
    hooked.server.answers = [0]
    await webhooks.deliver()
    assert "(no answer within 0.2 s)" in await standing(webhooks)


async def test_redirects_are_not_followed(hooked: Hooked) -> None:
    webhooks = await hooked.start()
    hooked.happens(hooked.move("1"))
    hooked.server.answers = [307]
    await webhooks.deliver()
    assert len(hooked.server.came) == 1
    assert "(it answers 307, and redirects are not followed)" in await standing(webhooks)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_asked_only_where_the_settings_say_so(hooked: Hooked, host: str) -> None:
    url = f"http://{host}:{hooked.server.port}/"
    webhooks = await hooked.start(hooked.hook(url=url, local=False))
    hooked.happens(hooked.move("1"))
    await webhooks.deliver()
    assert hooked.server.came == []
    assert "leads to this machine or its link, which needs local = true" in await standing(webhooks)


async def test_a_secret_that_is_not_there_stops_the_webhook_and_nothing_goes_out_unsigned(hooked: Hooked) -> None:
    webhooks = await hooked.start()
    hooked.secret.unlink()
    hooked.happens(hooked.move("1"))
    await webhooks.deliver()
    assert "(its secret_file cannot be read: No such file or directory)" in await standing(webhooks)
    hooked.secret.write_text("\n")
    hooked.house.clock.advance(60)
    await webhooks.deliver()
    assert "(its secret_file is empty)" in await standing(webhooks)
    assert hooked.server.came == []


async def test_nobody_is_told_of_a_private_change(hooked: Hooked) -> None:
    webhooks = await hooked.start(hooked.hook("stranger"), hooked.hook("owner", "ann"))
    number = hooked.change.number
    hooked.house.write(make_private)
    hooked.happens(PrivateChanged(number, True, ANN), TopicChanged(number, "", "doors", ANN), hooked.move("1"))
    await webhooks.deliver()
    assert hooked.server.types == ["ref-updated", "ref-updated"]


async def test_a_webhook_of_an_account_that_is_not_there_says_so(hooked: Hooked) -> None:
    webhooks = await hooked.start(hooked.hook(account="nobody"))
    hooked.happens(hooked.move("1"))
    await webhooks.deliver()
    assert "(there is no active account nobody)" in await standing(webhooks)
    assert hooked.server.came == []


async def test_a_webhook_that_fails_keeps_no_other_waiting_and_both_follow_the_journal(hooked: Hooked) -> None:
    gone = hooked.hook("gone", url="http://127.0.0.1:1/")
    webhooks = await hooked.start(gone, hooked.hook())
    running = asyncio.create_task(webhooks.run())
    number = hooked.change.number
    hooked.happens(ChangeAbandoned(number, ANN, "no"), ChangeRestored(number, ANN, "yes"))
    async with asyncio.timeout(20):
        while len(hooked.server.taken) < 2:
            await hooked.server.heard()
    running.cancel()
    assert hooked.server.types == ["change-abandoned", "change-restored"]
    assert "gone: behind since" in await standing(webhooks)


async def test_a_webhook_that_was_taken_out_begins_anew(hooked: Hooked) -> None:
    await hooked.start()
    hooked.happens(hooked.move("1"))
    await hooked.start(hooked.hook("other"))
    webhooks = await hooked.start(hooked.hook("ci"))
    await webhooks.deliver()
    assert hooked.server.came == []
