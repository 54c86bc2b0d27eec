# SPDX-License-Identifier: Apache-2.0
"""What people see of a queue: on what each item stands, how its jobs are, why it waits, how long it may take."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gatebot import words
from gatebot.assignment import JobDependency, NodeWait
from gatebot.durations import about
from gatebot.pipeline.config.model import Location, Manager, PipelineConfig, Window
from gatebot.pipeline.forecast import forecasts, slot
from gatebot.pipeline.queue.model import PlannedJob
from gatebot.pipeline.status import ItemView, QueueView, Times, pipelines, queue_view, unbegun
from gatebot.reasons import Reason
from tests.fakes.gate import NOW, Change, Gate, World
from tests.fakes.jobs import Counting, job, jobs_gate

QUIET = Times({}, {}, NOW)


def view(world: World, times: Times = QUIET) -> QueueView:
    return queue_view(world.queue, times)


def told(item: ItemView) -> tuple[str, str, tuple[int, ...]]:
    """State, why-line, and on top of what."""
    return item.state, words.say(item.why), item.onto


def test_each_item_tells_on_top_of_what_it_is_tested_and_that_it_runs() -> None:
    gate = Gate()
    gate.enqueue(Change(1), Change(2))
    gate.settle()
    gate.start(gate.build(1))
    seen = view(gate)
    assert [told(item) for item in seen.items] == [
        ("running", "Its jobs are running.", ()),
        ("waiting", "It waits for its node.", (1,)),
    ]
    assert [job.state for item in seen.items for job in item.jobs] == ["running", "waiting"]


def test_an_item_outside_the_window_says_so() -> None:
    gate = Gate(window=Window(size=1, floor=1))
    gate.enqueue(Change(1), Change(2))
    gate.settle()
    assert told(view(gate).items[1]) == ("waiting", "It waits: 1 changes are tested at once in this queue.", ())


def test_what_passed_waits_for_what_is_ahead_and_what_failed_says_why() -> None:
    gate = Gate()
    gate.enqueue(Change(1), Change(2), Change(3))
    gate.settle()
    gate.passes(3)
    gate.fails(2)
    states = {item.position: told(item) for item in view(gate).items}
    assert states[2][0] == "failing"
    assert states[2][1].startswith("It fails and will not merge as it is. The job unit ended with FAILURE; line 12")
    gate.passes(3)
    assert told(view(gate).items[2]) == (
        "passed",
        "All jobs passed; it merges when what is ahead is decided.",
        (1,),
    )
    assert view(gate).items[2].restarts == 1


def test_an_item_that_needs_a_failing_one_waits_for_it() -> None:
    gate = Gate()
    gate.enqueue(Change(1), Change(2), Change(3, needs=(2,)))
    gate.settle()
    gate.fails(2)
    assert told(view(gate).items[2])[:2] == ("waiting", "It needs change 2, which is failing.")


def test_a_stand_in_says_that_it_is_there_for_others() -> None:
    gate = Gate(manager=Manager.INDEPENDENT)
    gate.happen(gate.enqueued(Change(1), live=False), gate.enqueued(Change(2, needs=(1,))))
    assert told(view(gate).items[0])[1] == "It is here only for the changes that need it."


def test_a_job_waits_for_the_jobs_it_needs() -> None:
    jobs = (PlannedJob("build", "d1"), PlannedJob("deploy", "d2", needs=(JobDependency("build"),)))
    gate = Gate()
    gate.enqueue(Change(1, jobs=jobs))
    gate.settle()
    deploy = view(gate).items[0].jobs[1]
    assert (deploy.state, words.say(deploy.why or Reason(""))) == ("waiting", "It waits for build.")


def said(gate: World, number: int = 0) -> list[tuple[str, str, str]]:
    """Job, state, and why it waits, of one item."""
    return [(job.name, job.state, words.say(job.why or Reason(""))) for job in view(gate).items[number].jobs]


def test_jobs_say_when_they_wait_for_semaphores_artifacts_the_report_or_the_jobs_that_use_them() -> None:
    gate = Counting()
    registry, deploy = job("registry"), job("deploy", "registry")
    both = job("whole", semaphores=("cloud",)), job("image-test", requires=("image",), semaphores=("cloud",))
    jobs_gate(registry, deploy, job("tell", type="reporter"), behind=(Change(2, jobs=both),), made=gate)
    for build in list(gate.running.values()):
        gate.start(build)
    gate.pauses("registry")
    gate.start(gate.build(1, "deploy"))
    gate.asks("deploy", "cloud")
    assert said(gate) == [
        ("registry", "running", "It has paused until the jobs that depend on it have ended."),
        ("deploy", "running", "A playbook of it waits for the semaphores cloud."),
        ("tell", "waiting", "It waits until the change is reported."),
    ]
    assert said(gate, 1)[1] == (
        "image-test",
        "waiting",
        "It waits for an executor, and for the builds ahead of it that provide image.",
    )


def test_a_job_does_not_wait_for_one_that_has_paused_for_it_but_for_an_executor() -> None:
    gate = jobs_gate(job("registry"), job("deploy", "registry"), job("unit", "registry"))
    for one in list(gate.running.values()):
        gate.start(one)
    gate.pauses("registry")
    build = next(iter(gate.queue.items.values())).builds
    full = replace(gate.queue, items={
        id: replace(item, builds={"registry": build["registry"]}) for id, item in gate.queue.items.items()
    })  # fmt: skip
    assert [(job.name, words.say(job.why or Reason(""))) for job in queue_view(full, QUIET).items[0].jobs] == [
        ("registry", "It has paused until the jobs that depend on it have ended."),
        ("deploy", "It waits for a free executor."),
        ("unit", "It waits for a free executor."),
    ]


def test_a_job_without_an_executor_says_how_many_builds_run_and_when_the_first_of_them_may_end() -> None:
    gate = Gate()
    gate.enqueue(Change(1), Change(2))
    gate.settle()
    build = gate.build(1)
    gate.start(build)
    queues = (gate.queue,)
    assert words.say(slot((), {}, {})) == "It waits for a free executor."
    assert words.say(slot(queues, {}, {})) == "It waits for a free executor. Builds that run now: 1."
    assert words.say(slot(queues, {"unit": 600.0}, {build.build: 240.0})) == (
        "It waits for a free executor. Builds that run now: 1; the first of them ends in about 6 min by its last runs."
    )
    short = slot(queues, {"unit": 12.0}, {build.build: 4.0})
    assert words.say(short).endswith("Builds that run now: 1; the first of them ends in about 10 s by its last runs.")
    assert words.say(short, "ko").endswith("약 10초 뒤에 끝납니다.")
    assert [about(seconds) for seconds in (0.2, 12, 50, 55, 95, 4000)] == [
        "10 s", "20 s", "50 s", "1 min", "2 min", "1 h 07 min",
    ]  # fmt: skip


def test_jobs_that_nobody_has_begun_are_told_of_their_change_with_what_they_wait_for() -> None:
    jobs = (PlannedJob("build", "d1"), PlannedJob("deploy", "d2", needs=(JobDependency("build"),)))
    gate = Gate()
    gate.enqueue(Change(1, jobs=jobs), Change(2))
    gate.settle()
    told = unbegun((gate.queue,), 1, QUIET)
    assert [(one.pipeline, one.patch_set, one.job.name) for one in told] == [("gate", 1, "deploy")]
    assert words.say(told[0].job.why or Reason("")) == "It waits for build."


def test_a_build_without_a_node_says_its_label_who_is_before_it_and_how_long_it_may_take() -> None:
    gate = Gate()
    gate.enqueue(Change(1), Change(2))
    gate.settle()
    gate.start(gate.build(1))
    running, waiting = gate.build(1).build, gate.build(2).build
    wait = NodeWait("board", "arm64", (), (running,), 1)
    usual = {"unit": 700.0}
    seen = forecasts({waiting: wait}, [gate.queue], usual, {running: 100.0})
    (job,) = view(gate, Times({running: NOW}, usual, NOW, seen)).items[1].jobs
    assert job.why is not None
    assert words.say(job.why) == (
        "It waits for a node with the label board (arm64): 0 before it, 1 in use of 1. About 10 min by the last runs."
    )
    assert job.left == 1300.0
    (untold,) = forecasts({waiting: wait}, [gate.queue], {}, {}).values()
    assert (untold.seconds, untold.why.because) == (None, ())
    (patient,) = forecasts({waiting: replace(wait, otherwise=130.0)}, [gate.queue], {}, {}).values()
    assert words.say(patient.why).endswith(
        "1 in use of 1. If none is free in 2 min, it takes another alternative of its nodeset."
    )
    lacks = Reason("executor.label-image-failed", (("label", "board"), ("told", "no mirror")))
    (unready,) = forecasts({waiting: replace(wait, lacks=lacks)}, [gate.queue], {}, {}).values()
    assert words.say(unready.why).endswith("could not be built and is tried again in five minutes: no mirror")


def test_the_time_left_is_that_of_the_slowest_job_and_of_what_is_ahead() -> None:
    gate = Gate()
    slow = (PlannedJob("slow", "d2"),)
    gate.enqueue(Change(1, jobs=slow), Change(2))
    gate.settle()
    gate.start(gate.build(1, "slow"))
    gate.start(gate.build(2))
    started = {build.build: NOW - timedelta(seconds=60) for build in gate.running.values()}
    seen = view(gate, Times(started, {"slow": 600.0, "unit": 90.0}, NOW))
    assert [item.left for item in seen.items] == [540.0, 540.0]
    assert [job.left for item in seen.items for job in item.jobs] == [540.0, 30.0]
    assert [item.left for item in view(gate, Times(started, {"slow": 600.0}, NOW)).items] == [540.0, None]


def test_pipelines_stand_in_their_order_and_those_that_are_gone_last() -> None:
    gate = Gate()
    gate.enqueue(Change(1))
    check = PipelineConfig("check", Manager.INDEPENDENT, Location("p", "main", "zuul.yaml"))
    found = pipelines([("main", check)], [gate.queue], QUIET)
    assert [(one.name, one.size) for one in found] == [("check", 0), ("gate", 1)]
