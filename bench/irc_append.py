# SPDX-License-Identifier: Apache-2.0
"""How fast lines of fifty channels go from the wire to disk, each with a meeting: at first, and when there are many.

Raw bytes of a server in, through the client's own state machine, the archive with its search index and the meetings;
SQLite as a site has it, synchronous=FULL. CPU seconds of this process. Usage: `python -m bench.irc_append [LINES]`.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from gatebot import db
from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.meetbot.irc import session
from gatebot.meetbot.irc.messages import parse
from gatebot.meetbot.irc.model import Network
from gatebot.meetbot.irc.session import Hears
from gatebot.meetbot.irc.wire import Lines
from gatebot.meetbot.model import Setting
from gatebot.meetbot.service import Meetbot
from gatebot.meetbot.store import Heard

CHANNELS = [f"#channel-{number}" for number in range(50)]
GOAL = 2_000
ROUNDS = 4
WORDS = ("the", "gate", "waits", "for", "nova", "인스턴스", "회의", "recheck", "timeout", "mirror", "change", "오늘")


def raw(lines: int, dice: random.Random) -> bytes:
    """So many lines of a server; every ninth is a command."""
    told: list[str] = []
    for number in range(lines):
        channel, nick = dice.choice(CHANNELS), f"nick{dice.randrange(200)}"
        text = " ".join(dice.choice(WORDS) for _ in range(12))
        told.append(f":{nick}!u@host PRIVMSG {channel} :{'#info ' if number % 9 == 0 else ''}{text}\r\n")
    return "".join(told).encode()


async def measure(folder: Path, lines: int) -> None:
    """Append in rounds; print the first's and the last's speed."""
    url = f"sqlite:///{folder / 'bench.db'}"
    db.migrate(url)
    database = Database.open(url)
    bot = Meetbot(database, folder, Setting(prefix="http://x/meetings"), SystemClock())
    work = asyncio.create_task(bot.run())
    state, _ = session.start(Network("h", channels=tuple(CHANNELS), nick="bot"), {}, datetime.now(UTC))
    stream, dice = Lines(), random.Random(7)
    joins = "".join(f":bot!b@h JOIN {channel}\r\n:a!u@h PRIVMSG {channel} :#startmeeting M\r\n" for channel in CHANNELS)
    for number, data in enumerate([joins.encode(), *(raw(lines, dice) for _ in range(ROUNDS))]):
        began, wall = time.process_time(), time.monotonic()
        for line in stream.feed(data):
            message = parse(line)
            assert message is not None
            state, effects = session.receive(state, message, datetime.now(UTC))
            for effect in effects:
                if isinstance(effect, Hears):
                    bot.hear(Heard("irc", effect.channel, effect.line, "", frozenset()))
        await bot.settled()
        cpu, wall = time.process_time() - began, time.monotonic() - wall
        if number:
            figure = {"figure": f"irc-append-after-{(number - 1) * lines}-lines", "value": round(lines / cpu)}
            about = {"unit": "lines/s of CPU", "n": lines, "goal": GOAL, "by-the-clock": round(lines / wall)}
            print(json.dumps(figure | about), flush=True)
    work.cancel()
    await database.close()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))


if __name__ == "__main__":
    main()
