# SPDX-License-Identifier: Apache-2.0
"""Semaphores of jobs and of playbooks: never held more often than their size, and always given back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatebot.assignment import FrozenJob
from gatebot.pipeline.dispatching import by_urgency, held
from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.sharing import planned
from tests.fakes.gate import Change
from tests.fakes.jobs import Counting, job, jobs_gate


def counting(*jobs, behind: tuple[Change, ...] = (), size: int = 1) -> Counting:
    q = Counting()
    q.limits = {("main", "cloud"): size}
    jobs_gate(*jobs, behind=behind, made=q)
    return q


CLOUD = job("cloud-test", semaphores=("cloud",))


@pytest.mark.zuul(106)
@pytest.mark.parametrize(("size", "running"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3])])
def test_as_many_jobs_run_as_the_semaphore_has_places_nearest_to_the_head_first(size: int, running: list[int]) -> None:
    q = counting(CLOUD, behind=(Change(2, jobs=(CLOUD,)), Change(3, jobs=(CLOUD,))), size=size)
    assert sorted(q.tested) == running


@pytest.mark.zuul(106)
def test_the_end_of_a_build_passes_its_semaphore_on() -> None:
    q = counting(CLOUD, behind=(Change(2, jobs=(CLOUD,)), Change(3, jobs=(CLOUD,))))
    q.passes(1, "cloud-test")
    assert sorted(q.tested) == [2]
    q.ends("cloud-test", "FAILURE", number=2)
    assert sorted(q.tested) == [3]


@pytest.mark.zuul(106)
def test_a_job_takes_all_of_its_semaphores_or_none() -> None:
    both = job("both", semaphores=("cloud", "lab"))
    q = counting(CLOUD, behind=(Change(2, jobs=(both,)), Change(3, jobs=(job("lab-test", semaphores=("lab",)),))))
    assert q.everything == [(1, "cloud-test"), (3, "lab-test")]
    q.passes(3, "lab-test")
    assert q.everything == [(1, "cloud-test")]
    q.passes(1, "cloud-test")
    assert q.everything == [(2, "both")]


@pytest.mark.zuul(106)
def test_an_abandoned_change_a_new_patch_set_and_a_reset_give_semaphores_back() -> None:
    q = counting(CLOUD, job("unit"), behind=(Change(2, jobs=(CLOUD,)), Change(3, jobs=(CLOUD,))))
    q.withdraw(1, "pipeline.abandoned")
    q.settle()
    assert [number for number, name in q.everything if name == "cloud-test"] == [2]
    q.withdraw(2, "pipeline.new-patch-set")
    q.settle()
    assert q.everything == [(3, "cloud-test")]


@pytest.mark.zuul(106)
def test_another_configuration_leaves_what_is_held_and_its_new_size_counts_from_then_on() -> None:
    q = counting(CLOUD, behind=(Change(2, jobs=(CLOUD,)),))
    q.happen(q.first)
    assert sorted(q.tested) == [1]
    q.limits = {("main", "cloud"): 2}
    q.happen()
    assert sorted(q.tested) == [1, 2]


@pytest.mark.zuul(106)
def test_a_semaphore_is_held_by_all_pipelines_of_a_tenant_together_and_by_each_tenant_for_itself() -> None:
    other = counting(CLOUD).queue
    for tenant, runs in (("main", []), ("second", [(1, "cloud-test")])):
        q = Counting()
        q.beside = (replace(other, id="other", tenant=tenant),)
        jobs_gate(CLOUD, made=q)
        assert q.everything == runs


@pytest.mark.zuul(106)
@pytest.mark.parametrize(("allowed", "runs"), [(("main", "second"), 0), (("main",), 1)])
def test_a_global_semaphore_is_held_by_all_tenants_that_may_use_it(allowed: tuple[str, ...], runs: int) -> None:
    q = Counting()
    q.limits = {("", "cloud"): 1}
    q.shared = frozenset((tenant, "cloud") for tenant in allowed)
    q.beside = (replace(counting(CLOUD).queue, id="other", tenant="second"),)
    jobs_gate(CLOUD, made=q)
    assert len(q.running) == runs


@pytest.mark.zuul(106)
def test_semaphores_that_come_after_the_nodes_are_not_waited_for_before() -> None:
    frozen = FrozenJob("deploy", "d", semaphores=("cloud", "lab"), resources_first=("lab",))
    assert planned(frozen, 0, ()).semaphores == ("cloud",)


@pytest.mark.zuul(106)
def test_the_order_for_a_semaphore_is_that_of_urgency_even_where_executors_have_room() -> None:
    q = counting(CLOUD, behind=(Change(2, jobs=(CLOUD,)),))
    wishes = [(q.queue, facts.BuildAssigned("q", f"i{number}", 1, "cloud-test", f"b{number}")) for number in (2, 1)]
    assert [wish.item for _, wish in by_urgency(wishes, [q.queue], 9)] == ["i1", "i2"]


@pytest.mark.zuul(107)
def test_a_playbook_waits_for_its_semaphore_and_has_it_until_it_ends() -> None:
    q = counting(job("a"), job("b"))
    q.asks("a", "cloud")
    q.asks("b", "cloud")
    assert [names for _, names in q.granted] == [("cloud",)]
    assert dict(held(q.queue)) == {q.build(1, "a").build: {"cloud"}}
    q.releases("a", "cloud")
    assert dict(held(q.queue)) == {q.build(1, "b").build: {"cloud"}}


@pytest.mark.zuul(107)
def test_the_end_of_a_build_gives_back_what_its_playbook_had() -> None:
    q = counting(job("a"), behind=(Change(2, jobs=(CLOUD,)),))
    q.asks("a", "cloud")
    assert q.granted == []
    q.ends("cloud-test", number=2)
    assert q.granted == [("i1", ("cloud",))]
    q.ends("a", "FAILURE")
    assert dict(held(q.queue)) == {q.build(2, "cloud-test").build: {"cloud"}}


@pytest.mark.zuul(107)
def test_jobs_and_playbooks_wait_for_the_same_semaphore() -> None:
    q = counting(CLOUD, job("part"))
    q.asks("part", "cloud")
    assert q.granted == []
    q.ends("cloud-test")
    assert q.granted == [("i1", ("cloud",))]


@pytest.mark.zuul(107)
def test_a_playbook_has_at_once_what_its_job_holds_already() -> None:
    q = counting(CLOUD)
    q.asks("cloud-test", "cloud")
    assert q.granted == [("i1", ("cloud",))]
