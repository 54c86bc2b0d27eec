# SPDX-License-Identifier: Apache-2.0
"""The comment that a pipeline leaves, word by word; and what may be given to executors."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gatebot.pipeline.config.model import Location, Manager, Moment, PipelineConfig, Reporter
from gatebot.pipeline.dispatching import Room, held, silent
from gatebot.pipeline.queue.facts import BuildAssigned
from gatebot.pipeline.queue.model import PlannedJob
from gatebot.pipeline.reports import JobLine, duration, message, speaks, votes
from tests.fakes.gate import NOW, Change, Gate

AT = Location("config", "main", "zuul.yaml")


def test_a_report_has_a_line_for_each_job_in_zuuls_shape() -> None:
    gate = PipelineConfig("gate", Manager.DEPENDENT, AT, messages={"footer": "See {status_url} of {pipeline.name}."})
    lines = (
        JobLine("unit", "https://x/build/1", "SUCCESS", 123.4),
        JobLine("style", "https://x/build/2", "FAILURE", 7, voting=False),
        JobLine("deploy", "", "SKIPPED"),
    )
    told = message(gate, Moment.FAILURE, lines, why="It failed.", url="", places={"status_url": "https://x/status"})
    assert told == (
        "Build failed (gate pipeline).\n\n"
        "It failed.\n\n"
        "- unit https://x/build/1 : SUCCESS in 2m 03s\n"
        "- style https://x/build/2 : FAILURE in 7s (non-voting)\n"
        "- deploy : SKIPPED\n\n"
        "See https://x/status of gate."
    )


def test_each_job_that_did_not_succeed_says_why_unless_the_report_has_said_it_already() -> None:
    gate = PipelineConfig("gate", Manager.DEPENDENT, AT)
    lines = (
        JobLine("unit", "", "FAILURE", 7, text="The step run unit failed with exit code 1."),
        JobLine("style", "", "TIMED_OUT", 7, voting=False, text="The step run style took too long."),
    )
    why = "The job unit ended with FAILURE. The step run unit failed with exit code 1."
    assert message(gate, Moment.FAILURE, lines, why=why, url="", places={}).splitlines()[4:] == [
        "- unit : FAILURE in 7s",
        "- style : TIMED_OUT in 7s (non-voting)",
        "  The step run style took too long.",
    ]


def test_the_words_of_the_pipeline_stand_first_and_only_known_places_are_filled() -> None:
    gate = PipelineConfig("gate", Manager.DEPENDENT, AT, messages={"start": "{pipeline.name}: {pipeline.__class__}"})
    assert message(gate, Moment.START, (), why="", url="", places={}) == "gate: {pipeline.__class__}"


@pytest.mark.parametrize(("seconds", "told"), [(0.4, "0s"), (59, "59s"), (60, "1m 00s"), (3849, "1h 04m 09s")])
def test_durations_are_written_as_zuul_writes_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_nobody_leaves_a_gate_without_a_word() -> None:
    silence = PipelineConfig("gate", Manager.DEPENDENT, AT)
    assert speaks(silence, Moment.DEQUEUE, chained=False)
    assert speaks(silence, Moment.FAILURE, chained=True)
    assert not speaks(silence, Moment.START, chained=True)
    assert not speaks(silence, Moment.NO_JOBS, chained=False)
    loud = PipelineConfig("check", Manager.INDEPENDENT, AT, reporters={Moment.SUCCESS: (Reporter("g", (("V", 1),)),)})
    assert speaks(loud, Moment.SUCCESS, chained=False)
    assert votes(loud, Moment.SUCCESS) == {"V": 1}


def running(*semaphores: str) -> tuple[Gate, BuildAssigned]:
    gate = Gate()
    gate.enqueue(Change(1, jobs=(PlannedJob("unit", "d", semaphores=semaphores),)))
    gate.settle()
    build = gate.build(1)
    return gate, BuildAssigned("q", build.item, 1, "unit", "b2")


def test_builds_are_given_out_while_executors_have_room() -> None:
    gate, wish = running()
    room = Room(1)
    assert [room.takes(gate.queue, wish), room.takes(gate.queue, wish)] == [True, False]


def test_a_job_that_nobody_could_ever_run_is_told_so_though_there_is_no_room() -> None:
    gate, wish = running("cloud")
    room = Room(0, [gate.queue], hopeless={"d"})
    assert (room.takes(gate.queue, wish), room.slots) == (True, 0)
    assert not Room(0, [gate.queue], hopeless={"other"}).takes(gate.queue, wish)


def test_a_semaphore_is_never_held_more_often_than_its_size() -> None:
    gate, wish = running("cloud")
    assert dict(held(gate.queue)) == {gate.build(1).build: {"cloud"}}
    assert not Room(9, [gate.queue]).takes(gate.queue, wish)
    assert Room(9, [gate.queue], {("main", "cloud"): 2}).takes(gate.queue, wish)


def test_a_build_whose_executor_is_silent_for_its_lease_is_given_out_with_a_higher_fence() -> None:
    gate, _ = running()
    build = gate.build(1)
    lease = timedelta(seconds=20)
    heard = {build.build: NOW}
    assert silent([gate.queue], heard, NOW + timedelta(seconds=20), lease) == []
    [(_, again)] = silent([gate.queue], heard, NOW + timedelta(seconds=21), lease)
    assert (again.build, again.fence) == (build.build, 2)
