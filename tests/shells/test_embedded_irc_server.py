# SPDX-License-Identifier: Apache-2.0
"""The embedded IRC server does what `irc.server` leaves out, and bears bad clients."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes.irc import Embedded, Friend, free_port


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a running server."""
    server = Embedded()
    server.start()
    yield server.port
    server.stop()


@pytest.fixture
async def ann(port: int) -> AsyncIterator[Friend]:
    """The first in a channel with a hyphen: its operator."""
    friend = await Friend.connect(port, "ann", "#gate-bot")
    yield friend
    await friend.close()


@pytest.fixture
async def bob(port: int, ann: Friend) -> AsyncIterator[Friend]:
    """The second."""
    friend = await Friend.connect(port, "bob", "#Gate-Bot")
    yield friend
    await friend.close()


async def test_a_newcomer_is_welcomed_with_features_and_names(ann: Friend, bob: Friend) -> None:
    assert any("005 bob CASEMAPPING=ascii CHANTYPES=#& PREFIX=(o)@" in line for line in bob.seen)
    names = next(line for line in bob.seen if " 353 bob = #gate-bot :" in line)
    assert sorted(names.rpartition(":")[2].split()) == ["@ann", "bob"]


async def test_only_operators_set_topics_and_kick(ann: Friend, bob: Friend) -> None:
    bob.send("TOPIC #gate-bot :mine", "KICK #gate-bot ann")
    assert await bob.sees("482") == ":irc.localhost 482 bob #gate-bot :You are not channel operator"
    await bob.sees("482")
    ann.send("TOPIC #gate-bot :회의", "MODE #gate-bot +o bob")
    await bob.sees(" TOPIC #gate-bot :회의")
    await bob.sees(" MODE #gate-bot +o bob")
    bob.send("TOPIC #gate-bot", "KICK #gate-bot ann :out")
    await bob.sees(" 332 bob #gate-bot :회의")
    await ann.sees(" KICK #gate-bot ann :out")
    ann.say("#gate-bot", "still here?")
    await ann.sees(" 404 ann #gate-bot :Cannot send to channel")


async def test_errors_name_their_target(ann: Friend, port: int) -> None:
    ann.send("NICK 9bad", "JOIN nohash", "PRIVMSG nobody :hi", "NOSUCH x", "JOIN", "PART #other")
    for text in (
        "432 ann 9bad",
        "403 ann nohash",
        "401 ann nobody",
        "421 ann NOSUCH",
        "461 ann JOIN",
        "442 ann #other",
    ):
        await ann.sees(text)
    other = await Friend.connect(port, "carl")
    other.send("NICK ANN")
    assert await other.sees(" 433 ") == ":irc.localhost 433 carl ANN :Nickname is already in use"
    await other.close()


async def test_nobody_speaks_before_registration(port: int, ann: Friend) -> None:
    friend = await Friend.connect(port, "early")
    friend.send("WHOIS ann", "WHO #gate-bot", "LIST", "ISON ann zed", "AWAY :lunch", "MOTD", "NAMES #gate-bot")
    for text in (" 311 early ann ann ", " 352 early #gate-bot ", " 322 ", " 303 early :ann", " 306 ", " 422 ", " 366 "):
        await friend.sees(text)
    await friend.close()


async def test_server_time_is_stamped_when_asked_for(port: int, ann: Friend) -> None:
    ann.send("CAP LS 302", "CAP REQ :sasl", "CAP REQ :server-time")
    await ann.sees("CAP ann LS :server-time")
    await ann.sees("CAP ann NAK :sasl")
    await ann.sees("CAP ann ACK :server-time")
    ann.send("PING x")
    assert (await ann.sees("PONG")).startswith("@time=20")


async def test_a_long_line_is_cut_between_characters_and_delivered(ann: Friend, bob: Friend) -> None:
    ann.say("#gate-bot", "가" * 300)
    line = await bob.sees("PRIVMSG")
    assert len(line.encode()) <= 510
    assert set(line.rpartition(":")[2]) == {"가"}


async def test_rubbish_from_one_client_hurts_nobody(port: int, ann: Friend, bob: Friend) -> None:
    dice = random.Random(7)
    for _ in range(20):
        vandal = await Friend.connect(port, f"vandal{dice.randrange(10**6)}", "#gate-bot")
        vandal.send(*(dice.randbytes(dice.randrange(1, 700)).replace(b"\n", b"") for _ in range(50)))
        vandal.send(b"PRIVMSG #gate-bot :\xff\xfe\0 x", b"x" * 9000, "QUIT :bye")
        await vandal.close()
    ann.say("#gate-bot", "alive")
    assert (await bob.sees(":alive")).startswith(":ann!ann@")


async def test_it_runs_as_a_program_and_ends_when_told() -> None:
    port = free_port()
    command = [sys.executable, "-m", "gatebot.meetbot.irc.server", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command)
    async with asyncio.timeout(20):
        while True:
            try:
                ann = await Friend.connect(port, "ann", "#c")
                break
            except OSError:
                await asyncio.sleep(0.05)
    process.terminate()
    with pytest.raises(ConnectionError, match="cut off"):
        await ann.sees("nothing more")
    await ann.close()
    assert await process.wait() == 0
