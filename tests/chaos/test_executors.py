# SPDX-License-Identifier: Apache-2.0
"""Executors that die, stand still or are cut off under their builds: each build has one verdict, and nothing is left.

Ten rounds go on at once, one on each of ten machines, at random moments of builds of the gate. GATEBOT_ROUNDS says how
many there are; the seed is printed.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeAlias

import pytest

from gatebot.executor.fleet.model import LEASE_SECONDS
from tests.chaos.field import Field, Station, groups_of, nothing_is_wrong, the_field
from tests.chaos.hurried import HASTE
from tests.fakes.site import eventually, open_place

ROUNDS = int(os.environ.get("GATEBOT_ROUNDS", "10"))
SEED = int(os.environ.get("GATEBOT_SEED", "20261128"))
MACHINES = 10
LEASE = LEASE_SECONDS * HASTE
#: So many seconds all the machines have something to do, from the first approval on.
WORK = 6.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 20 * ROUNDS)]

#: What happens to one machine: at which seconds, what.
Plan: TypeAlias = "list[tuple[float, Callable[[], None]]]"


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    with open_place() as place, the_field(place, MACHINES) as made:
        yield made


def killed(chance: random.Random, one: Station) -> Plan:
    """Its process is gone, and comes again sooner or later than its lease ends."""
    at = chance.uniform(0, WORK)
    return [(at, one.kill), (at + chance.uniform(0, LEASE * 1.5), one.again)]


def stopped(chance: random.Random, one: Station) -> Plan:
    """It stands still for longer than its lease, and goes on as if nothing were."""
    at = chance.uniform(0, WORK)
    return [(at, one.stop), (at + LEASE + chance.uniform(0.1, 2), one.go_on)]


def without_nats(chance: random.Random, one: Station) -> Plan:
    """It hears nothing, and nobody hears that it lives; HTTP goes on."""
    at = chance.uniform(0, WORK)
    reset = chance.random() < 0.5
    mend = at + chance.uniform(0.2, LEASE * 1.5)
    return [(at, lambda: one.nats.cut(one.name)), (mend, lambda: one.nats.mend(one.name, reset=reset))]


def without_http(chance: random.Random, one: Station) -> Plan:
    """It can neither claim nor report, but lives."""
    at = chance.uniform(0, WORK)
    reset = chance.random() < 0.5
    return [(at, one.http.cut), (at + chance.uniform(0.2, LEASE), lambda: one.http.mend(reset=reset))]


def robbed(chance: random.Random, one: Station) -> Plan:
    """Everything on its nodes is killed under the builds, as soon as there is one."""

    def rob() -> None:
        with suppress(AssertionError):  # all builds were given to others
            eventually(lambda: groups_of(one.data), seconds=20)
        for group in groups_of(one.data):
            with suppress(OSError):
                for number in (group / "cgroup.procs").read_text().split():
                    with suppress(ProcessLookupError):
                        os.kill(int(number), signal.SIGKILL)

    return [(chance.uniform(1, WORK), rob)]


@pytest.mark.parametrize("trouble", [killed, stopped, without_nats, without_http, robbed])
def test_whatever_happens_to_a_machine_each_build_has_one_verdict_and_nothing_is_left(
    field: Field, trouble: Callable[[random.Random, Station], Plan]
) -> None:
    chance, began = random.Random(f"{SEED} {trouble.__name__}"), time.monotonic()
    print(f"seed {SEED}, {ROUNDS} rounds of {trouble.__name__}")
    done = 0
    while done < ROUNDS:
        here = field.stations[: ROUNDS - done]
        plan = [step for one in here for step in trouble(chance, one)]
        with ThreadPoolExecutor(1) as beside:
            happening = beside.submit(carry_out, plan)
            changes = [field.approved(f"{trouble.__name__} {done + n}") for n in range(len(here))]
            happening.result()
        field.all_decided(changes)
        field.all_live()
        nothing_is_wrong(field, [] if trouble is robbed else changes)
        done += len(here)
    print(f"{done} rounds of {trouble.__name__} in {time.monotonic() - began:.0f} s")


def carry_out(plan: Plan) -> None:
    """Do all of it, each at its moment."""
    began, waiting = time.monotonic(), threading.Event()
    for at, act in sorted(plan, key=lambda step: step[0]):
        waiting.wait(max(at - (time.monotonic() - began), 0))
        act()
