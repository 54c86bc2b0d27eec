# SPDX-License-Identifier: Apache-2.0
"""How fast words are found among a million lines of chat, half of them Korean, and whether they are found at all.

The first page of any search: words of one and two syllables, common and rare, mixed scripts, phrases, filters. Then
1,000 lines drawn by lot, some of them asked for in decomposed form: a query of 2-4 of a line's words is to find it
among the first ten. SQLite; with `--postgresql URL` the same there, and whether the answers are the same.
Usage: `python -m bench.search [LINES] [--postgresql URL] [--keep DIRECTORY]`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from gatebot.db import Database, Session, migrate
from gatebot.meetbot import store
from gatebot.meetbot.model import Line
from gatebot.meetbot.search import index
from gatebot.meetbot.search.query import line_tokens
from gatebot.meetbot.search.store import Found, find, line_of

from ._ground import figure, percentile

START = datetime(2016, 1, 1, tzinfo=UTC)
GOAL = 0.025
CHANNELS = tuple(f"#openstack-{name}" for name in ("nova", "neutron", "infra", "kolla", "swift", "ko", "tc", "qa"))
SYLLABLES = (
    "가나다라마바사아자차카타파하고노도로모보소오조초코토포호구누두루무부수우주추쿠투푸후기니디리미비시이지치키티피히"
)
PARTICLES = ("", "이", "가", "을", "를", "은", "는", "에서", "으로", "의", "도", "까지")
COMMON = ("the", "is", "to", "that", "it", "gate", "patch", "review", "nova", "job", "merged", "failed", "retry")
KOREAN = ("인스턴스", "회의", "배포", "서버", "검토", "병합", "실패", "테스트", "네트워크", "볼륨", "점심", "오늘")


class Chat:
    """Lines by lot: words by Zipf's law, nicks and channels by taste."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._english = [
            *COMMON,
            *("".join(self._dice.choices(letters, k=self._dice.randint(3, 10))) for _ in range(40_000)),
        ]
        self._korean = [
            *KOREAN,
            *("".join(self._dice.choices(SYLLABLES, k=self._dice.randint(2, 4))) for _ in range(40_000)),
        ]
        self._nicks = [f"nick{number}" for number in range(2_000)]

    def _word(self) -> str:
        korean = self._korean if self._half else self._english
        # Rank by an exponential of a uniform number: near enough to how words fall.
        rank = int(len(korean) ** self._dice.random()) - 1
        word = korean[rank]
        return word + self._dice.choice(PARTICLES) if self._half else word

    def text(self) -> str:
        """What somebody says."""
        self._half = self._dice.random() < 0.5
        words = [self._word() for _ in range(self._dice.randint(4, 16))]
        if self._half and self._dice.random() < 0.2:
            words.append(self._dice.choice(COMMON))
        if self._dice.random() < 0.03:
            words.append(f"https://review.example.org/{self._dice.randrange(10**6)}")
        return " ".join(words)

    def lines(self, count: int, start: datetime) -> tuple[list[Line], datetime]:
        """So many lines of one channel, one after another."""
        lines: list[Line] = []
        for _ in range(count):
            start += timedelta(seconds=self._dice.randrange(0, 40))
            nick = self._nicks[int(len(self._nicks) ** self._dice.random()) - 1]
            lines.append(Line(start, nick, self.text()))
        return lines, start


def fill(session: Session, count: int) -> None:
    """Write lines and their index straight into a new database: taking them in is not what is measured here."""
    chat, moment = Chat(1), START
    insert = sa.insert(store.line_table)
    for number in range(0, count, 1_000):
        channel = CHANNELS[number // 1_000 % len(CHANNELS)]
        lines, moment = chat.lines(min(1_000, count - number), moment)
        places = index.free_places(session, [line.at for line in lines])
        rows = [
            {"network": "irc", "channel": channel, "at": line.at, "kind": "said", "nick": line.nick, "text": line.text,
             "own": False, "account": None, "meeting": 0, "place": place}
            for line, place in zip(lines, places, strict=True)
        ]  # fmt: skip
        session.execute(insert, rows)
        index.add(
            session,
            [(place, line_tokens(line.nick, channel, line.text, 0)) for line, place in zip(lines, places, strict=True)],
        )


def queries() -> list[str]:
    """What people ask."""
    dice = random.Random(2)
    pairs = ["".join(dice.choices(SYLLABLES, k=2)) for _ in range(40)]
    found = [*SYLLABLES[:20], *pairs, *KOREAN, *COMMON]
    found += [f"{dice.choice(COMMON)} {dice.choice(KOREAN)}" for _ in range(30)]
    found += [f"{dice.choice(COMMON)} {dice.choice(COMMON)} {dice.choice(COMMON)}" for _ in range(20)]
    found += [f'"{dice.choice(COMMON)} {dice.choice(COMMON)}"' for _ in range(10)]
    found += [unicodedata.normalize("NFD", word) for word in KOREAN]
    found += [f"{dice.choice(KOREAN)} from:nick{dice.randrange(2_000)}" for _ in range(10)]
    found += [f"{word} in:#openstack-nova" for word in (*KOREAN[:5], *COMMON[:5])]
    found += [f"{word} before:2017-01" for word in (*KOREAN[:5], *COMMON[:5])]
    found += [
        "has:link",
        "gate has:link",
        "from:nick3",
        "in:#openstack-ko",
        "before:2016-06",
        "nosuchword",
        "없는말이다",
    ]
    return found


async def measure(db: Database) -> tuple[list[float], list[Found]]:
    """Each query three times, in CPU seconds of this process; the middle of each."""
    taken: list[float] = []
    answers: list[Found] = []
    for query in queries():
        times: list[float] = []
        found = await db.read(find, query)
        for _ in range(3):
            began = time.process_time()
            found = await db.read(find, query)
            times.append(time.process_time() - began)
        taken.append(sorted(times)[1])
        answers.append(found)
    return taken, answers


def _draw(session: Session, count: int) -> list[Line]:
    dice = random.Random(3)
    most = session.execute(sa.select(sa.func.max(store.line_table.c.id))).scalar_one()
    ids = [dice.randrange(1, most + 1) for _ in range(count)]
    rows = session.execute(sa.select(store.line_table).where(store.line_table.c.id.in_(ids)))
    return [line_of(row) for row in rows]


async def share_found(db: Database, count: int = 1_000) -> float:
    """The share of lines drawn by lot that a query of some of their words finds among the first ten."""
    dice = random.Random(4)
    lines = await db.read(_draw, count)
    hits = 0
    for number, line in enumerate(lines):
        words = line.text.split()
        # Who looks for a line asks for the words that tell it from others: the longest.
        chosen = sorted(words, key=len, reverse=True)[: dice.randint(2, 4)]
        query = " ".join(chosen)
        found = await db.read(find, unicodedata.normalize("NFD", query) if number % 5 == 0 else query)
        hits += any(line.id in one.hits for one in found.conversations)
    return hits / len(lines)


async def main(count: int, postgresql: str, keep: str) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(keep or place) / "search.sqlite"
        fresh = not path.exists()
        migrate(f"sqlite:///{path}")
        db = Database.open(f"sqlite:///{path}", durable=False)
        if fresh:
            await db.run(fill, count)
        taken, answers = await measure(db)
        figure("search-first-page-p95", percentile(taken, 0.95), "s", len(taken), goal=GOAL)
        figure("search-first-page-p50", percentile(taken, 0.5), "s", len(taken))
        figure("search-first-page-longest", max(taken), "s", len(taken))
        figure("search-found-in-first-ten", await share_found(db), "share", 1_000, goal=0.99)
        if postgresql:
            await beside(postgresql, count, answers)
        await db.close()


async def beside(url: str, count: int, answers: list[Found]) -> None:
    """The same on PostgreSQL, and for how many queries the answer is the same."""
    migrate(url)
    db = Database.open(url, durable=False)
    await db.run(fill, count)
    taken, theirs = await measure(db)
    same: Callable[[Found], list[frozenset[int]]] = lambda found: [one.hits for one in found.conversations]  # noqa: E731
    equal = sum(same(ours) == same(other) for ours, other in zip(answers, theirs, strict=True))
    figure("search-first-page-p95-postgresql", percentile(taken, 0.95), "s", len(taken))
    figure("search-same-answers-on-both", equal / len(answers), "share", len(answers), goal=1)
    await db.close()


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("lines", nargs="?", type=int, default=1_000_000)
    words.add_argument("--postgresql", default="")
    words.add_argument("--keep", default="")
    given = words.parse_args()
    asyncio.run(main(given.lines, given.postgresql, given.keep))
