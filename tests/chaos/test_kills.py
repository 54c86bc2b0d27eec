# SPDX-License-Identifier: Apache-2.0
"""Kill -9 at any moment and restart: the queue goes on, nothing is lost, run again or merged twice."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatebot.repo import Repositories
from tests.chaos import evidence as found
from tests.chaos.people import People, insist
from tests.fakes.irc import free_port
from tests.fakes.served import Served
from tests.fakes.site import Person, Template, eventually, open_place

# Every tenth end is an orderly one: of 56, 51 are kills.
KILLS = int(os.environ.get("GATEBOT_KILLS", "25"))
SEED = int(os.environ.get("GATEBOT_SEED", "20261122"))
JOB = """\
#!/bin/sh
echo "begin $ZUUL_UUID" >> {runs}
for left in left.*; do
    [ -e "right.${{left#left.}}" ] && echo "E   $left and its other half are both here" && exit 1
done
sleep 0.2
echo "end $ZUUL_UUID" >> {runs}
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the server's user may enter."""
    with open_place() as made:
        yield made


@pytest.mark.timeout(600 + 10 * KILLS)
def test_a_server_that_is_killed_again_and_again_loses_nothing(place: Path) -> None:
    template = Template.make(place / "template" / "site")
    runs = place / "runs"
    runs.touch()
    runs.chmod(0o666)
    served = Served(template.copy(place / "site", free_port(), {"executor.slots": 4}), place / "homes")
    people = People(*(Person.of(served, name, template.tokens) for name in ("ann", "bob")))
    admin = Person.of(served, "admin", template.tokens)
    served.start()
    served.answers()
    try:
        for project in ("api", "client"):
            work = admin.clone(project)
            work.put("ci/unit", JOB.format(runs=runs))
            work.commit("Write down each run")
            work.git("push", "-q", "origin", "HEAD:refs/heads/main")
        people.start()
        busy = kill_again_and_again(served, runs, random.Random(SEED))
        served.start()
        people.go_home()
        merged = everything_is_decided(people)
    finally:
        served.stop()
    the_site_is_sound(served, people, runs, merged)
    print(f"{KILLS} ends, seed {SEED}: {len(people.approved)} changes, {len(merged)} merged, items at the ends: {busy}")


def kill_again_and_again(served: Served, runs: Path, chance: random.Random) -> list[int]:
    """End the server at random moments, every tenth time in order; what was finished is never begun again."""
    done: set[str] = set()
    before: Counter[str] = Counter()
    items: list[int] = []
    for number in range(KILLS):
        if chance.random() < 0.15:
            wait(chance.uniform(0.4, 1.2))  # in the middle of its start
        else:
            served.answers()
            found.after_facts(served.places, chance.randrange(40))
            wait(chance.uniform(0, 0.02))
        orderly = number % 10 == 9
        if orderly:
            served.answers()
            assert served.stop() == 0
        else:
            served.kill()
        with found.evidence(served.places) as session:
            if orderly:
                items.append(found.the_snapshot_is_what_the_journal_tells(session))
            now = found.runs(runs)
            assert {build: now[build] for build in done} == {build: before[build] for build in done}
            done, before = found.finished(session), now
        if number < KILLS - 1:
            served.start()
    return items


def wait(seconds: float) -> None:
    """Let the server do what it does; the moment of its end is what is random here."""
    threading.Event().wait(seconds)


def everything_is_decided(people: People) -> set[int]:
    """Wait until every approved change has merged or was told why not; those that merged."""
    author = people.author

    def undecided() -> dict[int, str]:
        states = {change: insist(lambda c=change: author.status(c)) for change in people.approved}
        return {change: state for change, state in states.items() if state != "MERGED" and not refused(author, change)}

    deadline = time.monotonic() + 90
    while (left := undecided()) and time.monotonic() < deadline:
        wait(0.1)
    assert left == {}, {change: author.said(change) for change in left}
    return {change for change in people.approved if author.status(change) == "MERGED"}


def refused(author: Person, change: int) -> bool:
    """Whether the gate's account has said that the change does not pass."""
    return author.votes(change, "Verified").get("gatebot", 0) < 0


def the_site_is_sound(served: Served, people: People, runs: Path, merged: set[int]) -> None:
    repositories = Repositories(served.places.git)
    with found.evidence(served.places) as session:
        order = found.what_merged_was_tested_in_order_and_once(session)
        assert set(order) == merged
        found.the_snapshot_is_what_the_journal_tells(session)
        found.repositories_agree_with_the_rows(session, repositories)
        unfinished = found.unfinished(session)
    paired = {change for pair in people.pairs for change in pair}
    assert set(people.approved) - paired <= merged, "a change that passes was lost"
    for pair in people.pairs:
        assert len(merged.intersection(pair)) == 1, f"of {pair} not exactly one merged"
    for first, second in people.chains:
        assert order.index(first) < order.index(second)
    assert unfinished == set()
    assert eventually(lambda: found.runs(runs))
