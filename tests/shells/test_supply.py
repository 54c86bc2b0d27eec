# SPDX-License-Identifier: Apache-2.0
"""All providers of an executor as one: who gets nodes, who waits, and what is taken away."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gatebot.architectures import Execution, canonical
from gatebot.assignment import NodeChoice, NodeSpec
from gatebot.errors import Refused, Unavailable
from gatebot.executor.model import Label
from gatebot.executor.placing import Placement
from gatebot.executor.providers.bare import Bare
from gatebot.executor.providers.model import Capacity, NodeRequest, Platform
from gatebot.executor.supply import Source, Supply
from gatebot.reasons import Reason, reason
from gatebot.words import say
from tests.fakes.clock import FakeClock


class Few(Bare):
    """Directories, two at most; while it is `away` it can do nothing."""

    away = False
    slow: asyncio.Event | None = None
    tried: asyncio.Event | None = None
    first: tuple[str, ...] = ()
    more: tuple[Platform, ...] = ()
    capacity: Capacity | None = None
    found_more = False

    def has_more(self) -> bool:
        return self.found_more

    def begin_with(self, architectures: Sequence[str], found: Callable[[Capacity], None]) -> None:
        self.first, self.found = tuple(architectures), found

    async def probe(self) -> Capacity | Reason:  # type: ignore[override]
        self.found_more = False
        if self.tried is not None:
            await self.tried.wait()
        if self.away:
            return reason("executor.provider-failed", told="no route")
        return self.capacity or Capacity((Platform("arm64"), *self.more), 2)

    async def destroy(self, node: str) -> None:
        if self.away:
            raise Unavailable("no route")
        if self.slow is not None:
            await self.slow.wait()
        await super().destroy(node)


@dataclass
class Bench:
    root: Path
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.few = Few(self.root / "few", host="h")
        sources = {"local": Source(Bare(self.root / "local", host="h")), "few": Source(self.few)}
        labels = {
            "small": Label("small"),
            "board": Label("board", provider="few"),
            "mainframe": Label("mainframe", provider="few", arch="s390x"),
        }
        self.supply = Supply(sources, labels, self.clock)
        self.lacking = {"mainframe"}
        self.heard: dict[str, list[str]] = {}

    def lacks(self, label: Label) -> bool:
        return label.name in self.lacking

    def take(self, build: str, *labels: str) -> asyncio.Task[Placement]:
        """A build that wants nodes; why it waits is heard."""
        choice = NodeChoice(tuple(NodeSpec((label,), label) for label in labels))
        heard = self.heard.setdefault(build, [])
        return asyncio.create_task(
            self.supply.take(build, [choice], post_review=False, busy=lambda why: heard.append(say(why)))
        )

    async def got(self, build: str, *labels: str) -> Placement:
        return await asyncio.wait_for(self.take(build, *labels), 5)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    await made.supply.start({})
    return made


def in_use(bench: Bench) -> list[str]:
    return sorted(node.node for nodes in bench.supply.nodes.values() for node in nodes)


async def test_a_build_gets_its_nodes_at_once_where_there_are_some(bench: Bench) -> None:
    assert len((await bench.got("a", "small", "small", "board")).nodes) == 3
    assert in_use(bench) == ["a", "a-1", "a-2"]
    await bench.supply.destroy("a")
    assert in_use(bench) == []


async def test_a_build_waits_for_a_node_says_so_once_and_gets_the_next(bench: Bench) -> None:
    await bench.got("a", "board", "board")
    waits = bench.take("b", "board")
    await asyncio.wait([waits], timeout=0)
    assert bench.supply.waiting == 1
    wait = bench.supply.waits()["b"]
    assert (wait.label, wait.before, wait.holders, wait.slots) == ("board", (), ("a", "a"), 2)
    await bench.got("c", "small")
    assert bench.heard["b"] == ["Waits for a node: the provider few has none free; 2 are in use."]
    await bench.supply.destroy("a")
    assert (await asyncio.wait_for(waits, 5)).nodes[0].provider == "few"
    assert bench.supply.waiting == 0


async def test_a_later_build_does_not_overtake_one_that_waits_for_several(bench: Bench) -> None:
    await bench.got("a", "board")
    both, one = bench.take("b", "board", "board"), bench.take("c", "board")
    await asyncio.wait([both, one], timeout=0)
    assert bench.supply.waits()["c"].before == ("b",)
    assert bench.heard["c"] == ["Waits for a node: the next ones that are free are for builds that came before."]
    both.cancel()
    await asyncio.wait([both])
    assert (await asyncio.wait_for(one, 5)).nodes[0].node == "c"
    assert bench.supply.waiting == 0


async def test_who_waits_for_a_range_of_user_ids_holds_back_only_those_who_want_one(tmp_path: Path) -> None:
    """Nodes there are enough of; the next range is for who came first."""
    bench = Bench(tmp_path)
    bench.few.capacity = Capacity((Platform("arm64", ids=65_536),), 3, nested=True, ranges=1)
    bench.supply.labels = {**bench.supply.labels, "cloud": Label("cloud", provider="few", nested=True)}
    await bench.supply.start({})
    await bench.got("a", "cloud")
    first, second = bench.take("b", "cloud"), bench.take("c", "cloud")
    assert (await bench.got("d", "board")).nodes[0].provider == "few"
    assert bench.supply.waiting == 2
    await bench.supply.destroy("a")
    assert (await asyncio.wait_for(first, 60)).nodes[0].node == "b"
    await bench.got("e", "board")
    second.cancel()
    await asyncio.wait([second])


async def test_what_can_never_be_is_refused_at_once(bench: Bench) -> None:
    with pytest.raises(Refused) as refused:
        await bench.got("a", "huge")
    assert refused.value.reason is not None
    assert say(refused.value.reason).startswith("No node has the label huge.")


async def test_what_an_earlier_server_left_is_taken_away_at_the_start(tmp_path: Path) -> None:
    before = Bench(tmp_path)
    await before.few.create(NodeRequest("a" * 32, Label("board"), "", "arm64", Execution.NATIVE))
    after = Bench(tmp_path)
    await after.supply.start({})
    async with asyncio.timeout(60):
        while await after.few.list_owned():
            await asyncio.sleep(0)


async def test_nobody_waits_for_a_provider_that_is_slow_to_try_but_who_wants_its_nodes(tmp_path: Path) -> None:
    """The start is over when the local one is known; what others turn out to be able to do is decided on anew."""
    bench = Bench(tmp_path)
    bench.few.tried = asyncio.Event()
    await asyncio.wait_for(bench.supply.start({}), 60)
    assert (await bench.got("a", "small")).nodes[0].provider == "local"
    waits = bench.take("b", "board")
    await bench.clock.run(120)
    assert bench.heard["b"] == [
        "Waits for the provider few of the label board, which is still being tried out (since 09:00 UTC)."
    ]
    bench.few.tried.set()
    assert (await asyncio.wait_for(waits, 60)).nodes[0].provider == "few"
    await bench.supply.close()


async def test_what_is_found_first_is_given_before_all_is_tried(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.few.tried = asyncio.Event()
    await asyncio.wait_for(bench.supply.start({}), 60)
    assert bench.few.first == (canonical(platform.machine()), "s390x"), "those that its labels name"
    bench.few.found(Capacity((Platform("arm64"),), 2))
    assert (await bench.got("a", "board")).nodes[0].provider == "few"
    waits = bench.take("b", "mainframe")
    await bench.clock.run(1)
    assert bench.supply.waiting == 1
    bench.few.tried.set()
    with pytest.raises(Refused, match=r"executor\.no-such-platform"):
        await asyncio.wait_for(waits, 60)
    await bench.supply.close()


async def test_a_label_whose_image_was_built_is_served_by_what_its_provider_can_do_then(tmp_path: Path) -> None:
    """Nothing is said to be impossible between the moment at which the image is there and the next probe."""
    bench = Bench(tmp_path)
    bench.few.tried = asyncio.Event()
    bench.few.tried.set()
    bench.supply.unready = lambda label: reason("executor.label-image-lacks", label="x") if bench.lacks(label) else None
    await bench.supply.start({})
    waits = bench.take("a", "mainframe")
    await bench.clock.run(1)
    assert bench.heard["a"][0].startswith("Waits for the image of the label x")
    bench.lacking.clear()
    bench.few.more = (Platform("s390x"),)
    runs = asyncio.create_task(bench.supply.run())
    await bench.clock.run(30)
    assert (await asyncio.wait_for(waits, 60)).nodes[0].arch == "s390x"
    runs.cancel()


async def test_what_was_made_for_a_provider_beside_it_is_taken_without_a_restart(bench: Bench) -> None:
    """As an image that somebody built, of which no label says anything."""
    with pytest.raises(Refused, match=r"executor\.no-such-platform"):
        await bench.got("a", "mainframe")
    bench.few.found_more, bench.few.more = True, (Platform("s390x"),)
    runs = asyncio.create_task(bench.supply.run())
    await bench.clock.run(30)
    assert (await bench.got("b", "mainframe")).nodes[0].arch == "s390x"
    runs.cancel()


async def test_a_node_that_cannot_be_taken_away_counts_and_is_tried_again(bench: Bench) -> None:
    await bench.got("a", "board", "board")
    bench.few.away = True
    await bench.supply.destroy("a")
    waits = bench.take("b", "board")
    runs = asyncio.create_task(bench.supply.run())
    await bench.clock.run(30)
    assert not waits.done()
    bench.few.away = False
    await bench.clock.run(30)
    assert (await asyncio.wait_for(waits, 5)).nodes[0].node == "b"
    runs.cancel()


async def test_a_node_that_is_taken_away_twice_at_once_is_gone_and_troubles_nobody(bench: Bench) -> None:
    await bench.got("a", "board")
    bench.few.slow = asyncio.Event()
    ending = asyncio.create_task(bench.supply.destroy("a"))
    looking = asyncio.create_task(bench.supply.run())
    await asyncio.sleep(0)
    await bench.clock.run(30)
    await asyncio.sleep(0)
    bench.few.slow.set()
    await asyncio.wait_for(ending, 60)
    assert not await bench.few.list_owned()
    assert not looking.done()
    looking.cancel()


async def test_a_provider_that_cannot_be_used_is_looked_at_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.few.away = True
    await bench.supply.start({})
    with pytest.raises(Refused, match=r"executor\.provider-unusable"):
        await bench.got("a", "board")
    bench.few.away = False
    runs = asyncio.create_task(bench.supply.run())
    await bench.clock.run(30)
    assert (await bench.got("a", "board")).nodes[0].provider == "few"
    runs.cancel()


async def test_at_the_end_nothing_is_left(bench: Bench) -> None:
    placement = await bench.got("a", "board", "small")
    for node in placement.nodes:
        request = NodeRequest(node.node, node.label, "", node.arch, node.execution)
        await bench.supply.provider(node.provider).create(request)
    await bench.supply.close()
    assert await bench.few.list_owned() == ()
    assert await bench.supply.provider("local").list_owned() == ()
