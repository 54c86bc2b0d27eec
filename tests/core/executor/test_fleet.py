# SPDX-License-Identifier: Apache-2.0
"""Which executor takes a build, and who has which: decided without any of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatebot.architectures import Execution
from gatebot.assignment import Assignment, FrozenJob, NodeChoice, NodeSpec, NodeWait
from gatebot.errors import Conflict
from gatebot.executor.fleet.choosing import HERE, Member, Wish, choose, never, nobody, waits
from gatebot.executor.fleet.model import Abilities, Beat, Claim
from gatebot.executor.fleet.roster import Given, Roster, member
from gatebot.executor.model import DEFAULT_LABELS, Label
from gatebot.executor.placing import Offer
from gatebot.executor.providers.model import Capacity, Platform
from gatebot.words import say

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LABELS = {**DEFAULT_LABELS, "arm": Label("arm", arch="arm64"), "cloud": Label("cloud", provider="cloud")}


def having(name: str, free: int, *arches: str, provider: str = "local") -> Member:
    platforms = tuple(Platform(arch, Execution.NATIVE) for arch in arches or ("x86_64",))
    return Member(name, free, {provider: Offer(Capacity(platforms, free))})


def wish(*labels: str) -> Wish:
    return Wish("0" * 32, (NodeChoice(tuple(NodeSpec((), label) for label in labels)),), post_review=False)


@pytest.mark.parametrize(
    ("wanted", "members", "chosen"),
    [
        (("small",), [having("a", 1), having("b", 3)], "b"),
        (("small",), [having("b", 2), having(HERE, 2)], HERE),
        (("small",), [having("a", 0)], None),
        (("arm",), [having("a", 4), having("b", 1, "arm64")], "b"),
        (("arm",), [having("a", 4), having("b", 0, "arm64")], None),
        (("cloud",), [having("a", 4), having("b", 1, provider="cloud")], "b"),
        (("small", "arm"), [having("a", 1), having("b", 1, "arm64"), having("c", 2, "x86_64", "arm64")], "c"),
        ((), [having("a", 1)], "a"),
    ],
)
def test_the_executor_with_most_room_that_can_give_every_node_takes_a_build(
    wanted: tuple[str, ...], members: list[Member], chosen: str | None
) -> None:
    assert choose(members, LABELS, wish(*wanted)) == chosen


def test_that_nobody_can_is_told_with_everybodys_reasons_and_busy_is_no_reason() -> None:
    members = [having(HERE, 0), having("b", 2, provider="cloud")]
    assert nobody(members, LABELS, wish("small")) == ()
    here, there = [say(why) for why in nobody(members, LABELS, wish("arm"))]
    assert here.startswith("— On this server: No node with the label arm can ever be arm64")
    assert there.startswith("— On the executor b: The label arm is of the provider local")
    (only,) = nobody([having("b", 2), having("b", 0)], LABELS, wish("arm"))
    assert not say(only).startswith("—"), "nobody asks whose the only reason is"


def test_a_label_of_the_executors_own_wins_and_one_that_it_cannot_write_is_left_out() -> None:
    abilities = Abilities(
        {"local": Capacity((Platform("riscv64", Execution.NATIVE),), 2)},
        labels={"board": {"arch": "riscv64"}, "small": {"arch": "riscv64"}, "odd": {"colour": "red"}},
    )
    made = member("far", 2, abilities)
    assert sorted(made.labels) == ["board", "small"]
    assert never(made, LABELS, wish("board")) is None
    assert choose([made], {}, wish("board", "small")) == "far"


def test_a_provider_for_reviewed_jobs_is_none_for_others() -> None:
    made = member(
        "far", 1, Abilities({"local": Capacity((Platform("x86_64", Execution.NATIVE),), 1)}, trusted=("local",))
    )
    assert choose([made], LABELS, wish("small")) is None
    reviewed = Wish("0" * 32, (NodeChoice((NodeSpec((), "small"),)),), post_review=True)
    assert choose([made], LABELS, reviewed) == "far"


def test_alternatives_of_a_nodeset_are_what_is_asked_for() -> None:
    choices = (NodeChoice((NodeSpec((), "arm"),)), NodeChoice((NodeSpec((), "small"),)))
    job = FrozenJob("unit", "hash", nodes=choices[0].nodes, alternatives=choices)
    given = Assignment("0" * 32, "1" * 32, "2" * 32, 1, "main", "check", False, "api", "main", "3" * 40, job, ())
    assert choose([having("a", 1)], LABELS, Wish.of(given)) == "a"


def test_an_executor_that_was_not_heard_for_ten_seconds_gets_nothing() -> None:
    roster, beat = Roster(), Beat("1", 4, Abilities())
    roster.heard("far", beat, NOW)
    roster.builds["a"] = Given(1, executor="far")
    roster.builds["b"] = Given(1)
    assert [(one.name, one.free) for one in roster.members(NOW + timedelta(seconds=9))] == [("far", 3)]
    assert list(roster.members(NOW + timedelta(seconds=10))) == []
    roster.forget("far")
    assert list(roster.members(NOW)) == []


def test_only_who_claimed_the_run_that_counts_may_speak_for_a_build() -> None:
    roster, claim = Roster(), Claim("a", 2, "far", 0, NOW)
    roster.builds["a"] = Given(2, executor="far", claim=claim)
    assert roster.claim_of("far", "a", 2) is claim
    for name, fence in (("far", 1), ("far", 3), ("near", 2)):
        with pytest.raises(Conflict):
            roster.claim_of(name, "a", fence)
    assert roster.running("far") == ("a",)
    roster.builds["a"].fence = 3  # it was given anew, and nobody has claimed it yet
    with pytest.raises(Conflict):
        roster.claim_of("far", "a", 2)


def test_a_build_that_ended_while_a_beat_was_taken_does_no_harm() -> None:
    roster = Roster()
    job = FrozenJob("unit", "hash")
    told = Assignment("a", "1" * 32, "2" * 32, 1, "main", "check", False, "api", "main", "3" * 40, job, ())
    roster.builds["a"] = Given(1, executor="far", assignment=told)
    roster.runs(["a", "ended"])
    assert roster.builds["a"].assignment is None
    assert "ended" not in roster.builds


def test_builds_that_wait_for_executors_are_told_behind_whom_and_who_has_the_room() -> None:
    asked = (NodeChoice((NodeSpec((), "small", arch="amd64"),)),)
    small, arm = Wish("a", asked, post_review=False), replace(wish("arm"), build="b")
    members = [
        replace(having("one", 0), running=("x",)),
        replace(having("two", 0), running=("y", "z")),
        replace(having("board", 0, "arm64"), running=("w",)),
    ]
    assert waits(members, LABELS, [small, arm, replace(small, build="c")]) == {
        "a": NodeWait("small", "x86_64", (), ("x", "y", "z"), 3),
        "b": NodeWait("arm", "arm64", (), ("w",), 1),
        "c": NodeWait("small", "x86_64", ("a",), ("x", "y", "z"), 3),
    }
    assert waits([*members, having("three", 1)], LABELS, [small]) == {}, "it is about to be given away"
    assert waits([], LABELS, [small]) == {}


def test_what_an_executor_itself_waits_for_is_known_from_its_beats() -> None:
    roster, wait = Roster(), NodeWait("board", "arm64", (), ("x",), 1)
    roster.heard("far", Beat("1", 4, Abilities(), waits={"a": wait, "gone": wait}), NOW)
    roster.builds["a"] = Given(1, executor="far")
    roster.builds["b"] = Given(1, wish=replace(wish("small"), build="b"))
    members = [replace(having("far", 0), running=("a",))]
    assert roster.waits(members, LABELS, NOW) == {"a": wait, "b": NodeWait("small", "x86_64", (), ("a",), 1)}
    assert list(roster.waits(members, LABELS, NOW + timedelta(seconds=10))) == ["b"], "it was not heard any more"


def test_what_only_a_silent_executor_serves_is_waited_for_with_since_when_it_is_silent() -> None:
    roster = Roster()
    board = Abilities({"local": Capacity((Platform("x86_64", Execution.NATIVE),), 1)}, labels={"board": {}})
    roster.remember("far", board, NOW)
    roster.builds["a"] = Given(1, wish=replace(wish("board"), build="a"))
    roster.builds["b"] = Given(1, wish=replace(wish("small"), build="b"))
    members, later = [having(HERE, 0)], NOW + timedelta(minutes=5)
    assert "a" not in roster.waits(members, LABELS, NOW), "it may still be heard of"
    found = roster.waits(members, LABELS, later)
    lacks = found["a"].lacks
    assert lacks is not None
    assert say(lacks) == "Waits for the executor far, which serves the label board and is silent since 09:00 UTC."
    assert found["b"].lacks is None, "this server serves it, when it has room"
    tomorrow = roster.waits(members, LABELS, NOW + timedelta(days=1))["a"].lacks
    assert tomorrow is not None
    assert "since 2026-01-05 09:00 UTC" in say(tomorrow)
    roster.forget("far")
    assert "a" not in roster.waits(members, LABELS, later)
