# SPDX-License-Identifier: Apache-2.0
"""How fast words are found among a million lines of chat, half of them Korean, and whether they are found at all.

The first page of any search: words of one and two syllables, common and rare, mixed scripts, phrases, filters. Then
1,000 lines drawn by lot, some asked for in decomposed form, some heard as CP949: 2-4 words of a line, the longest, are
to find it among the first ten, and who sees too many others adds a word. SQLite; with `--postgresql` the same there, on
the URL that follows or on a cluster made for it, and whether the answers are the same in the same order.
Usage: `python -m bench.search [LINES] [--postgresql [URL]] [--keep DIRECTORY]`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from gatebot.db import Database, Session, migrate
from gatebot.meetbot import store
from gatebot.meetbot.irc.wire import decode
from gatebot.meetbot.model import Line
from gatebot.meetbot.search import index
from gatebot.meetbot.search.query import line_tokens
from gatebot.meetbot.search.store import Found, find, line_of
from tests.fakes.postgres import Cluster, find_programs

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
            text = self.text()
            # Old clients speak CP949, which the connection finds out.
            lines.append(Line(start, nick, decode(text.encode("cp949")) if len(lines) % 10 == 0 else text))
        return lines, start


def fill(session: Session, count: int) -> None:
    """Write lines and their index straight into a new database: taking them in is not what is measured here."""
    chat, moment, last = Chat(1), START, 0
    insert = sa.insert(store.line_table)
    for number in range(0, count, 1_000):
        channel = CHANNELS[number // 1_000 % len(CHANNELS)]
        lines, moment = chat.lines(min(1_000, count - number), moment)
        places = [last := max(index.first_place(line.at), last + 1) for line in lines]  # none is taken yet
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


async def measure(db: Database, engine: str) -> list[Found]:
    """The first page of each query three times, in CPU seconds of this process and on the clock; the middle of each."""
    cpu: list[float] = []
    clock: list[float] = []
    answers: list[Found] = []
    for query in queries():
        times: list[tuple[float, float]] = []
        found = await db.read(find, query)
        for _ in range(3):
            began, seen = time.process_time(), time.perf_counter()
            found = await db.read(find, query)
            times.append((time.process_time() - began, time.perf_counter() - seen))
        cpu.append(sorted(one for one, _ in times)[1])
        clock.append(sorted(one for _, one in times)[1])
        answers.append(found)
    for part, share in (("p50", 0.5), ("p95", 0.95), ("longest", 1.0)):
        on_clock = round(percentile(clock, share), 4)
        figure(f"search-first-page-{part}{engine}", percentile(cpu, share), "s", len(cpu), clock=on_clock, goal=GOAL)
    return answers


def _draw(session: Session, count: int) -> list[Line]:
    dice = random.Random(3)
    most = session.execute(sa.select(sa.func.max(store.line_table.c.id))).scalar_one()
    ids = [dice.randrange(1, most + 1) for _ in range(count)]
    rows = session.execute(sa.select(store.line_table).where(store.line_table.c.id.in_(ids)))
    return [line_of(row) for row in rows]


async def look(db: Database) -> None:
    """How many of the lines drawn by lot are found among the first ten, and why others are not.

    Two lines that have the same words cannot be told apart by these words: a query that more than ten lines answer may
    show others, whatever the order. So it is told how many are found at once, how many of those whose words at most ten
    lines have, and how many when words are added, the next longest, until there are four.
    """
    dice = random.Random(4)
    lines = await db.read(_draw, 1_000)
    at_once = few = few_found = added = side_by_side = 0
    for number, line in enumerate(lines):
        words = line.text.split()
        by_length = sorted(range(len(words)), key=lambda place: -len(words[place]))

        async def asks(places: Sequence[int], line: Line = line, number: int = number) -> tuple[bool, int]:
            text = " ".join(line.text.split()[place] for place in sorted(places))
            found = await db.read(find, unicodedata.normalize("NFD", text) if number % 5 == 0 else text)
            return any(line.id in one.hits for one in found.conversations), found.count

        many = dice.randint(2, 4)
        found, count = await asks(by_length[:many])
        at_once += found
        few += count <= 10
        few_found += found and count <= 10
        while not found and many < min(4, len(words)):
            many += 1
            found, _ = await asks(by_length[:many])
        added += found
        first = dice.randrange(len(words) - 2)
        found, _ = await asks(range(first, min(first + dice.randint(3, 4), len(words))))
        side_by_side += found
    figure("search-found-at-once", at_once / len(lines), "share", len(lines))
    figure("search-found-at-once-where-at-most-ten-lines-fit", few_found / few, "share", few, goal=1)
    figure("search-found-in-first-ten", added / len(lines), "share", len(lines), goal=0.99)
    figure("search-found-by-3-4-words-that-are-neighbours", side_by_side / len(lines), "share", len(lines))


async def main(count: int, postgresql: str | None, keep: str) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(keep or place) / "search.sqlite"
        fresh = not path.exists()
        migrate(f"sqlite:///{path}")
        db = Database.open(f"sqlite:///{path}", durable=False)
        if fresh:
            began = time.process_time()
            await db.run(fill, count)
            figure("search-lines-indexed", count / (time.process_time() - began), "lines/s of CPU", count)
            await db.close()  # so that all of it is in the database and not in its log
            db = Database.open(f"sqlite:///{path}", durable=False)
        figure("search-database", path.stat().st_size / 1e6, "MB", count)
        answers = await measure(db, "")
        await look(db)
        if postgresql is not None:
            await beside(postgresql, count, answers)
        await db.close()


async def beside(url: str, count: int, answers: list[Found]) -> None:
    """The same on PostgreSQL, and for how many queries the answer is the same: hits, order, count and next page."""
    cluster = None
    if not url:
        programs = find_programs()
        if programs is None:
            raise SystemExit("PostgreSQL is not installed: apt-get install postgresql, or give --postgresql URL")
        cluster = Cluster(programs)
        url = cluster.url(cluster.create())
    try:
        migrate(url)
        db = Database.open(url, durable=False)
        if not await db.read(_is_filled):
            await db.run(fill, count)
            await db.run(_settle)
        theirs = await measure(db, "-postgresql")
        equal = sum(ours == other for ours, other in zip(answers, theirs, strict=True))
        for query, ours, other in zip(queries(), answers, theirs, strict=True):
            if ours != other:
                print(f"differs: {query!r}: {ours.count} {other.count}", file=sys.stderr)
        figure("search-same-answers-on-both", equal / len(answers), "share", len(answers), goal=1)
        await db.close()
    finally:
        if cluster is not None:
            cluster.close()


def _is_filled(session: Session) -> bool:
    """Whether a run before this one left its lines."""
    return session.execute(sa.select(store.line_table.c.id).limit(1)).first() is not None


def _settle(session: Session) -> None:
    """What autovacuum does on a running server."""
    session.execute(sa.text("ANALYZE"))


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("lines", nargs="?", type=int, default=1_000_000)
    words.add_argument("--postgresql", nargs="?", const="", default=None)
    words.add_argument("--keep", default="")
    given = words.parse_args()
    asyncio.run(main(given.lines, given.postgresql, given.keep))
