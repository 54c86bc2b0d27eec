# SPDX-License-Identifier: Apache-2.0
"""Landing on a real repository and a real database: all or none, once, and whole after a kill at any step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot import words
from gatebot.change import Landed, LandRefused
from gatebot.db import Database
from gatebot.events import BranchMoved, ChangeMerged, MergeRefused
from gatebot.repo import Repositories
from gatebot.review import conversation
from gatebot.review.config.book import Book
from gatebot.review.intents import close_intent, open_intent, open_intents
from gatebot.review.landing import Lander
from gatebot.review.landing_plan import Order
from gatebot.review.landing_rows import being_landed
from gatebot.review.model import ZERO, RefMove, Status, SubmitType
from gatebot.review.push_policy import Policy, SamePolicy
from tests.fakes.review_house import GATE, ReviewHouse


@pytest.fixture
def house(room_url: str, tmp_path: Path) -> Iterator[ReviewHouse]:
    house = ReviewHouse(room_url, tmp_path / "git")
    yield house
    house.close()


@pytest.fixture
def light_house(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Callable[[], ReviewHouse]]:
    """Makes houses on SQLite, for tests that need many."""
    made: list[ReviewHouse] = []

    def make() -> ReviewHouse:
        place = tmp_path / str(len(made))
        place.mkdir()
        (place / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
        made.append(ReviewHouse(f"sqlite:///{place / 'gatebot.db'}", place / "git"))
        return made[-1]

    yield make
    for house in made:
        house.close()


def lander(house: ReviewHouse) -> Lander:
    return Lander(house.db, house.repositories, house.judge, house.clock)


def two_projects(house: ReviewHouse) -> Order:
    """One item of two changes in two projects, approved, tested, ready to land."""
    orders = []
    for name in ("demo/api", "demo/client"):
        base = house.project(name)
        change = house.push(name, {"a.txt": "a\n"}, f"Add a to {name}", base)
        house.approve(change)
        orders.append((change, base, house.commit_of(change)))
    return house.order("item1", *orders)


def test_a_landed_change_is_merged_in_ref_row_and_journal(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    change = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    house.approve(change)
    commit = house.commit_of(change)
    order = house.order("item1", (change, base, commit))

    assert lander(house).land(order) == Landed("item1")

    assert house.tip("demo/api") == commit
    merged = house.change(change.number)
    assert (merged.status, merged.merged_as, merged.submitter) == (Status.MERGED, commit, GATE)
    assert house.facts(BranchMoved, ChangeMerged, MergeRefused) == [
        BranchMoved("demo/api", "main", base, commit, "gate", GATE, "item1"),
        ChangeMerged(change.number, 1, "demo/api", "main", commit, GATE, "item1"),
    ]
    assert house.read(open_intents) == ()


def test_configuration_that_is_wrong_once_it_is_merged_does_not_land(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    assert house.repositories.update_ref("demo/api", "refs/meta/config", ZERO, base)
    change = house.also_for(
        house.push("demo/api", {"project.config": "[submit\n"}, "Break it", base), "refs/meta/config"
    )
    house.approve(change)
    book = Book(house.db, house.repositories)
    careful = Lander(house.db, house.repositories, house.judge, house.clock, configs=book)

    answer = careful.land(house.order("item1", (change, base, house.commit_of(change))))

    assert isinstance(answer, LandRefused)
    assert "project.config" in words.say(answer.reason)
    assert house.tip("demo/api", "refs/meta/config") == base
    assert house.change(change.number).status is Status.NEW


def test_nothing_lands_in_a_project_that_is_only_read_by_now(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    change = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    house.approve(change)
    order = house.order("item1", (change, base, house.commit_of(change)))
    shut = SamePolicy(Policy(read_only=True))
    answer = Lander(house.db, house.repositories, house.judge, house.clock, shut).land(order)
    assert isinstance(answer, LandRefused)
    assert "demo/api" in words.say(answer.reason)
    assert answer.reason.kind == "review.make-read-only"
    assert house.tip("demo/api") == base
    assert lander(house).land(order) == Landed("item1")


def test_landing_the_same_item_again_gives_the_same_answer_and_no_new_fact(house: ReviewHouse) -> None:
    order = two_projects(house)
    land = lander(house).land
    assert land(order) == land(order) == Landed("item1")
    assert len(house.facts(ChangeMerged)) == 2


@pytest.mark.zuul(62, differs="a cycle merges all or nothing: what has moved is moved back, and all are told")
def test_nothing_moves_when_one_of_two_branches_is_elsewhere(house: ReviewHouse) -> None:
    order = two_projects(house)
    api, client = order.landing.changes
    other = house.commit("demo/client", {"b.txt": "b\n"}, "Direct\n", client.expected)
    assert house.repositories.update_ref("demo/client", "refs/heads/main", client.expected, other)

    answer = lander(house).land(order)

    assert isinstance(answer, LandRefused)
    assert words.say(answer.reason) == (
        f"main of demo/client is at {other[:10]}, not at {client.expected[:10]} where it was tested: "
        "somebody moved it meanwhile."
    )
    assert answer.tips == (("demo/api", "main", api.expected), ("demo/client", "main", other))
    assert house.tip("demo/api") == api.expected
    assert [house.change(c.number).status for c in order.landing.changes] == [Status.NEW, Status.NEW]
    assert house.facts(ChangeMerged, BranchMoved) == []
    assert len(house.facts(MergeRefused)) == 2


def test_a_refused_item_lands_when_it_is_tried_again_on_the_right_tip(house: ReviewHouse) -> None:
    order = two_projects(house)
    house.vote(order.landing.changes[0].number, "Code-Review", -2)
    answer = lander(house).land(order)
    assert isinstance(answer, LandRefused)
    assert words.say(answer.reason) == (
        "Change 1 does not fit the rules any more. Not ready to be merged. Code-Review -2 by bob blocks it. "
        "It needs Code-Review +2."
    )
    house.approve(house.change(1))
    assert lander(house).land(order) == Landed("item1")


def test_a_patch_set_that_was_replaced_does_not_land(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    change = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    house.approve(change)
    order = house.order("item1", (change, base, house.commit_of(change)))
    house.new_patch_set(change, {"a.txt": "b\n"})
    answer = lander(house).land(order)
    assert isinstance(answer, LandRefused)
    assert words.say(answer.reason) == "Change 1 has patch set 2 now; 1 was tested."


def test_a_patch_set_that_is_just_arriving_does_not_let_the_old_one_land(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    change = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    house.approve(change)
    arriving = RefMove("demo/api", "refs/changes/01/1/2", ZERO, base, "demo/api")
    pushing = house.write(open_intent, "push", "k", (arriving,), "{}", house.clock.now())
    order = house.order("item1", (change, base, house.commit_of(change)))
    answer = lander(house).land(order)
    assert isinstance(answer, LandRefused)
    assert words.say(answer.reason) == "A new patch set of change 1 arrived while patch set 1 was about to merge."
    house.write(close_intent, pushing.id, "{}", house.clock.now())
    assert lander(house).land(order) == Landed("item1")


def test_a_change_that_is_landing_is_known_to_pushes(light_house: Callable[[], ReviewHouse]) -> None:
    house = light_house()
    order = two_projects(house)
    dying, _ = mortal(house, 3)
    with contextlib.suppress(Killed):
        dying.land(order)
    assert house.read(being_landed) == {1, 2}
    lander(house).settle()
    assert house.read(being_landed) == frozenset()


def test_under_cherry_pick_the_landed_commit_is_the_new_patch_set(house: ReviewHouse) -> None:
    base = house.project("demo/api", SubmitType.CHERRY_PICK)
    change = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    house.approve(change)
    speculation = house.repositories.speculation("gate", ["demo/api"])
    picked = house.commit("demo/api", {"a.txt": "a\n"}, "Add a\n\nReviewed-by: Bob\n", base, store=speculation.store)

    order = house.order("item1", (change, base, picked), store=speculation.store)
    assert lander(house).land(order) == Landed("item1")

    merged = house.change(change.number)
    assert (merged.current, house.commit_of(merged), house.tip("demo/api")) == (2, picked, picked)
    assert house.tip("demo/api", f"refs/changes/01/{change.number}/2") == picked
    assert house.facts(ChangeMerged) == [ChangeMerged(1, 2, "demo/api", "main", picked, GATE, "item1")]


@pytest.mark.parametrize(
    ("submit_type", "how"),
    [
        (SubmitType.CHERRY_PICK, "cherry-picked as"),
        (SubmitType.REBASE_ALWAYS, "rebased and submitted as"),
        (SubmitType.REBASE_IF_NECESSARY, "rebased and submitted as"),
    ],
)
def test_people_are_told_how_a_change_came_to_its_branch(house: ReviewHouse, submit_type: SubmitType, how: str) -> None:
    base = house.project("demo/api", submit_type)
    change = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    house.approve(change)
    tip = house.commit("demo/api", {"b.txt": "b\n"}, "Add b\n", base)
    assert house.repositories.update_ref("demo/api", "refs/heads/main", base, tip)
    made = house.commit("demo/api", {"a.txt": "a\n"}, "Add a\n", tip)
    assert lander(house).land(house.order("item1", (change, tip, made))) == Landed("item1")
    said = [message.text for message in house.read(conversation.list_messages, change.number)]
    assert said[-1] == f"Change has been successfully {how} {made}"


def test_two_changes_of_one_branch_land_as_one_move(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    first = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    second = house.push("demo/api", {"b.txt": "b\n"}, "Add b", house.commit_of(first))
    house.approve(first, second)
    order = house.order(
        "item1", (first, base, house.commit_of(first)), (second, house.commit_of(first), house.commit_of(second))
    )
    assert lander(house).land(order) == Landed("item1")
    moved = BranchMoved("demo/api", "main", base, house.commit_of(second), "gate", GATE, "item1")
    assert house.facts(BranchMoved) == [moved]
    assert len(house.facts(ChangeMerged)) == 2


class Killed(BaseException):
    """The power went."""


class Mortal:
    """Stands before a repository or database and dies before or after the n-th step that has an effect."""

    def __init__(self, real: Repositories | Database, steps: frozenset[str], life: list[int]) -> None:
        self._real, self._steps, self._life = real, steps, life

    def __getattr__(self, name: str) -> object:
        real = getattr(self._real, name)
        if name not in self._steps:
            return real

        def step(*args: object, **kwargs: object) -> object:
            self._age()
            result = real(*args, **kwargs)
            self._age()
            return result

        return step

    def _age(self) -> None:
        self._life[0] -= 1
        if self._life[0] == 0:
            raise Killed


def mortal(house: ReviewHouse, steps: int) -> tuple[Lander, list[int]]:
    life = [steps]
    db = Mortal(house.db, frozenset({"run_now"}), life)
    repositories = Mortal(house.repositories, frozenset({"copy_objects", "update_ref"}), life)
    return Lander(db, repositories, house.judge, house.clock), life


def assert_ref_and_rows_agree(house: ReviewHouse, order: Order) -> set[Status]:
    for change in order.landing.changes:
        merged = house.change(change.number).status is Status.MERGED
        assert house.tip(change.project) == (change.commit if merged else change.expected)
    merged = [fact.change for fact in house.facts(ChangeMerged)]
    assert len(merged) == len(set(merged))
    assert house.read(open_intents) == ()
    return {house.change(change.number).status for change in order.landing.changes}


@pytest.mark.zuul(62, differs="a kill between the merges of a cycle's changes is finished at the next start")
def test_a_kill_at_any_step_loses_nothing_and_merges_nothing_twice(light_house: Callable[[], ReviewHouse]) -> None:
    for steps in range(1, 40):
        house = light_house()
        order = two_projects(house)
        dying, life = mortal(house, steps)
        with contextlib.suppress(Killed):
            dying.land(order)
        lander(house).settle()
        assert len(assert_ref_and_rows_agree(house, order)) == 1
        assert lander(house).land(order) == Landed("item1")
        assert assert_ref_and_rows_agree(house, order) == {Status.MERGED}
        if life[0] > 0:
            break
    assert steps > 6


def test_what_could_not_begin_does_not_land_later_over_a_veto(house: ReviewHouse) -> None:
    order = two_projects(house)
    dying, _ = mortal(house, 3)
    with contextlib.suppress(Killed):
        dying.land(order)
    assert house.read(being_landed)
    house.vote(order.landing.changes[1].number, "Code-Review", -2)
    lander(house).settle()
    assert assert_ref_and_rows_agree(house, order) == {Status.NEW}
    answer = lander(house).land(order)
    assert isinstance(answer, LandRefused)
    assert answer.reason.kind == "review.rules-no-longer-hold"


def test_a_patch_set_that_was_to_be_landed_goes_again_when_somebody_objects_before_its_branch_moves(
    house: ReviewHouse,
) -> None:
    base = house.project("demo/api", SubmitType.CHERRY_PICK)
    change = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    house.approve(change)
    picked = house.commit("demo/api", {"a.txt": "a\n"}, "Add a\n\nReviewed-by: Bob\n", base)
    order, kept = house.order("item1", (change, base, picked)), "refs/changes/01/1/2"
    for steps in range(1, 9):
        with contextlib.suppress(Killed):
            mortal(house, steps)[0].land(order)
        if house.tip("demo/api", kept) == picked:
            break
    assert house.tip("demo/api") == base
    house.vote(change.number, "Code-Review", -2)
    answer = lander(house).land(order)
    assert isinstance(answer, LandRefused)
    assert "Code-Review -2 by bob blocks it" in words.say(answer.reason)
    assert (house.tip("demo/api"), house.tip("demo/api", kept)) == (base, ZERO)
    assert assert_ref_and_rows_agree(house, order) == {Status.NEW}
    house.approve(change)
    assert lander(house).land(order) == Landed("item1")
    assert house.change(change.number).current == 2


def test_a_kill_while_moving_back_still_ends_with_nothing_moved(light_house: Callable[[], ReviewHouse]) -> None:
    for steps in range(1, 40):
        house = light_house()
        order = two_projects(house)
        client = order.landing.changes[1]
        other = house.commit("demo/client", {"b.txt": "b\n"}, "Direct\n", client.expected)
        assert house.repositories.update_ref("demo/client", "refs/heads/main", client.expected, other)
        dying, life = mortal(house, steps)
        with contextlib.suppress(Killed):
            dying.land(order)
        lander(house).settle()
        assert house.tip("demo/api") == order.landing.changes[0].expected
        assert house.facts(ChangeMerged) == []
        assert isinstance(lander(house).land(order), LandRefused)
        if life[0] > 0:
            break
    assert steps > 6


def test_nothing_moves_when_another_branch_that_the_tests_read_is_elsewhere_by_now(house: ReviewHouse) -> None:
    order = two_projects(house)
    first, second = order.landing.changes
    alone = replace(
        order, landing=replace(order.landing, changes=(first,), assumed=((second.project, "main", second.commit),))
    )
    refused = lander(house).land(alone)
    assert isinstance(refused, LandRefused)
    assert refused.reason.kind == "review.branch-moved"
    assert house.tip(first.project) == first.expected
    assert {(p, b): tip for p, b, tip in refused.tips}[second.project, "main"] == second.expected
    assumed = ((second.project, "main", second.expected),)
    fitting = replace(alone, landing=replace(alone.landing, assumed=assumed))
    assert lander(house).land(fitting) == Landed(order.landing.item)
