# SPDX-License-Identifier: Apache-2.0
"""Another configuration while items wait and builds run: who goes on, who moves, who leaves, and what they are told."""

from __future__ import annotations

import pytest

from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.naming import queue_of
from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.model import ItemChange, ItemRef, Queue
from gatebot.pipeline.queue.record import opened, record
from gatebot.pipeline.reconfiguring import reconfigured
from gatebot.reasons import reason
from tests.fakes.configuration import PIPELINES, tenant_layout
from tests.fakes.gate import NOW

SHARED = "- project: {queue: integrated, gate: {jobs: [noop]}}"
ALONE = "- project: {gate: {jobs: [noop]}}"
QUEUE = "- queue: {name: integrated, allow-circular-dependencies: true}\n"


def layout(api: str = SHARED, client: str = SHARED, pipelines: str = PIPELINES + QUEUE) -> Layout:
    return tenant_layout({name: text for name, text in (("api", api), ("client", client)) if text}, pipelines)


def change(number: int, project: str) -> ItemChange:
    return ItemChange(number, 1, project, "main", f"c{number}")


def queue(before: Layout, *items: tuple[ItemChange, ...], pipeline: str = "gate") -> Queue:
    """A queue as it was under an earlier layout."""
    home = queue_of(before, before.pipelines[pipeline], items[0][0].project, "main", "i0")
    made = opened(home)
    for number, changes in enumerate(items):
        made = record(made, facts.ItemEnqueued(made.id, f"i{number}", NOW, changes))
    return made


def follow(made: Queue, after: Layout | None) -> tuple[facts.QueueFact, ...]:
    return reconfigured([made], {} if after is None else {"main": after})


@pytest.mark.zuul(116)
def test_where_nothing_of_it_matters_everything_goes_on() -> None:
    made = queue(layout(), (change(1, "api"),), (change(2, "client"),))
    assert follow(made, layout(api=SHARED + "\n- job: {name: other, parent: base}")) == ()


@pytest.mark.zuul(26, 116)
def test_another_window_is_known_to_the_queue_which_keeps_the_size_it_has() -> None:
    made = queue(layout(), (change(1, "api"),))
    wider = PIPELINES.replace("manager: dependent", "manager: dependent\n    window: 40") + QUEUE
    (fact,) = follow(made, layout(pipelines=wider))
    assert isinstance(fact, facts.QueueOpened)
    after = record(made, fact)
    assert (after.policy.window.size, after.window) == (40, 20)


@pytest.mark.zuul(118)
def test_when_a_project_leaves_the_tenant_its_items_leave_with_a_word_and_others_stay() -> None:
    made = queue(layout(), (change(1, "api"),), (change(2, "client"),))
    why = reason("pipeline.project-removed", project="client", tenant="main")
    assert follow(made, layout(client="")) == (facts.ItemUnfit(made.id, "i1", why),)


@pytest.mark.zuul(118)
@pytest.mark.parametrize("after", ["tenant", "pipeline", "manager"])
def test_when_a_pipeline_or_tenant_is_gone_or_works_in_another_way_all_its_items_leave(after: str) -> None:
    made = queue(layout(), (change(1, "api"),))
    found = {
        "tenant": None,
        "pipeline": layout(pipelines=PIPELINES.replace("name: gate", "name: entrance") + QUEUE),
        "manager": layout(pipelines=PIPELINES.replace("manager: dependent", "manager: serial") + QUEUE),
    }[after]
    why = reason("pipeline.pipeline-removed", pipeline="gate", tenant="main")
    assert follow(made, found) == (facts.ItemUnfit(made.id, "i0", why),)


@pytest.mark.zuul(116)
def test_an_item_whose_project_has_another_queue_now_moves_there_and_is_tested_again() -> None:
    made = queue(layout(), (change(1, "api"),), (change(2, "client"),))
    left, home, entered = follow(made, layout(client=ALONE))
    assert left == facts.ItemUnfit(made.id, "i1", reason("pipeline.moved-to-queue", queue="client"), report=False)
    assert isinstance(home, facts.QueueOpened)
    assert isinstance(entered, facts.ItemEnqueued)
    assert entered.queue == home.queue != made.id
    assert [one.number for one in entered.changes] == [2]


@pytest.mark.zuul(68)
def test_when_the_shared_queue_of_a_cycle_is_gone_the_cycle_leaves_with_a_word() -> None:
    made = queue(layout(), (change(1, "api"), change(2, "client")))
    why = reason("pipeline.cycle-without-queue", changes="1, 2")
    assert follow(made, layout(api=ALONE, client=ALONE)) == (facts.ItemUnfit(made.id, "i0", why),)


@pytest.mark.zuul(68)
def test_when_cycles_are_not_allowed_any_more_a_cycle_leaves_with_a_word() -> None:
    made = queue(layout(), (change(1, "api"), change(2, "client")))
    after = layout(pipelines=PIPELINES + "- queue: {name: integrated}\n")
    why = reason("pipeline.cycle-not-allowed-any-more", changes="1, 2")
    assert follow(made, after) == (facts.ItemUnfit(made.id, "i0", why),)


def test_a_change_whose_branches_are_being_moved_is_left_alone() -> None:
    made = record(queue(layout(), (change(1, "api"),)), facts.LandAsked("main/gate/integrated", "i0", 1))
    assert made.items["i0"].landing
    assert follow(made, layout(api="")) == ()


@pytest.mark.zuul(45)
def test_what_stands_in_for_others_in_check_survives_a_reconfiguration() -> None:
    home = queue_of(layout(), layout().pipelines["check"], "client", "main", "i1")
    made = record(opened(home), facts.ItemEnqueued(home.queue, "i0", NOW, (change(1, "api"),), live=False))
    made = record(made, facts.ItemEnqueued(home.queue, "i1", NOW, (change(2, "client"),), needs=(1,)))
    assert follow(made, layout()) == ()


def test_a_branch_as_an_item_stays_where_it_is() -> None:
    home = queue_of(layout(), layout().pipelines["check"], "api", "main", "i0")
    made = record(opened(home), facts.ItemEnqueued(home.queue, "i0", NOW, ref=ItemRef("api", "main")))
    assert follow(made, layout()) == ()
