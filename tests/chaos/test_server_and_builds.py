# SPDX-License-Identifier: Apache-2.0
"""A server that is killed while builds run, its own ones and those of another machine: each has one verdict.

The executor in the server's process dies with it; the other machine's builds go on and report to the next server.
"""

from __future__ import annotations

import os
import random
import threading

import pytest

from tests.chaos.field import nothing_is_wrong, the_field
from tests.fakes.site import open_place

ROUNDS = int(os.environ.get("GATEBOT_ROUNDS", "10"))
SEED = int(os.environ.get("GATEBOT_SEED", "20261128"))
AT_ONCE = 10


@pytest.mark.slow
@pytest.mark.timeout(600 + 30 * ROUNDS)
def test_a_server_that_is_killed_under_its_builds_and_those_of_another_machine_loses_none() -> None:
    chance = random.Random(f"{SEED} server")
    changes = {"executor.enabled": True, "executor.sandbox": "auto", "executor.slots": 2}
    with open_place() as place, the_field(place, 1, changes, "gatebot") as field:
        print(f"seed {SEED}, {ROUNDS} kills of the server")
        for first in range(0, ROUNDS, AT_ONCE):
            approved: list[int] = []
            for number in range(first, min(first + AT_ONCE, ROUNDS)):
                approved.append(field.approved(f"server {number}"))
                threading.Event().wait(chance.uniform(0, 2))
                field.served.kill()
                threading.Event().wait(chance.uniform(0, 0.5))
                field.served.start()
                field.served.answers()
            field.all_decided(approved)
            field.all_live()
            nothing_is_wrong(field, approved)
        said = field.served.log.read_text()
        assert "Traceback" not in said, said[said.index("Traceback") - 1000 :][:4000]
