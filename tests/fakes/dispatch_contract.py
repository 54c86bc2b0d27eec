# SPDX-License-Identifier: Apache-2.0
"""What the scheduler may expect of whoever runs its builds, wherever these are: one contract for every `Dispatch`.

A subclass has the fixture `ground`. Builds here are real: repositories, workspaces, scripts, logs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gatebot.assignment import Assignment, FrozenJob, Playbook, SecretRef
from gatebot.executor.fleet.model import BEAT_SECONDS
from gatebot.executor.logs import Logs
from gatebot.executor.service import Executor
from gatebot.pipeline.ports import Dispatch
from gatebot.reasons import reason
from tests.fakes.executor import PROJECT, HeardReports, Stores, assignment, job, script


@dataclass
class Ground:
    """A dispatch with room for `slots` builds. `give` is what the scheduler does; `logs` are what people read.

    `runs` is the executor that runs them.
    """

    dispatch: Dispatch
    give: Callable[[Assignment], Awaitable[None]]
    reports: HeardReports
    stores: Stores
    logs: Logs
    slots: int
    runs: Executor | None = None

    def build(self, body: str, frozen: FrozenJob | None = None, **more: object) -> Assignment:
        """A build of a change, not given yet."""
        files = {"run.sh": f"#!/bin/sh\n{body}\n"}
        if (self.stores.root / "work" / PROJECT).exists():
            commit = self.stores.commit(PROJECT, files)
            store = self.stores.speculate(PROJECT, commit[:12])
            return assignment(commit, frozen or job(), store=store, **more)
        return assignment(self.stores.make(PROJECT, files), frozen or job(), **more)

    def text(self, build: str) -> str:
        """What the log says, without times."""
        lines = self.logs.read(build, 0, 1 << 20).decode().splitlines()
        return "\n".join(line.partition(" | ")[2] for line in lines)


async def holds(what: Callable[[], bool]) -> None:
    """Until it holds; a failure after a while."""
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.01)


class DispatchContract:
    """The tests."""

    async def test_a_build_runs_and_is_told_once_with_its_log_and_its_files(self, ground: Ground) -> None:
        given = ground.build("echo hello from $(basename $PWD); mkdir -p ~/artifacts; echo kept > ~/artifacts/a.txt")
        await ground.give(given)
        completed = await ground.reports.of(given.build)
        assert completed.result == "SUCCESS", ground.text(given.build)
        assert completed.fence == given.fence
        assert ground.reports.starts == [given.build]
        assert "hello from api" in ground.text(given.build)
        assert ground.text(given.build).endswith("result: SUCCESS")
        assert completed.artifacts == (("a.txt", "artifacts/a.txt"),)
        assert (ground.logs.directory(given.build) / "artifacts" / "a.txt").read_text() == "kept\n"
        assert not ground.logs.live(given.build)

    async def test_a_speculative_commit_is_what_the_job_finds(self, ground: Ground) -> None:
        first = ground.build("true")
        await ground.give(first)
        await ground.reports.of(first.build)
        given = ground.build("git log -1 --format=%H; git branch")
        await ground.give(given)
        assert (await ground.reports.of(given.build)).result == "SUCCESS", ground.text(given.build)
        assert given.commit in ground.text(given.build)
        assert given.checkouts[0].store != PROJECT

    async def test_a_failure_says_where_its_log_first_shows_it(self, ground: Ground) -> None:
        given = ground.build("echo fine; echo 'Traceback (most recent call last):'; echo 'ValueError: no'; exit 1")
        await ground.give(given)
        completed = await ground.reports.of(given.build)
        assert completed.result == "FAILURE"
        line = ground.logs.lines(given.build, completed.error_line, 1)[0]
        assert completed.error_text in line

    async def test_secrets_reach_the_job_and_not_its_log(self, ground: Ground) -> None:
        book = replace(script(), secrets=(SecretRef("password", "password", PROJECT),))
        body = 'echo "$GATEBOT_SECRETS"; case "$GATEBOT_SECRETS" in *sesame-opens*) echo it is there;; esac'
        given = ground.build(body, job(book), secrets={"password": {"word": "sesame-opens"}})
        await ground.give(given)
        assert (await ground.reports.of(given.build)).result == "SUCCESS", ground.text(given.build)
        assert "sesame" not in ground.text(given.build)
        assert "it is there" in ground.text(given.build)

    async def test_the_same_run_given_again_is_the_same_run(self, ground: Ground) -> None:
        given = ground.build("echo once")
        await ground.give(given)
        await ground.give(given)
        await ground.reports.of(given.build)
        await ground.give(given)
        assert ground.text(given.build).count("\nonce") == 1
        assert ground.reports.starts == [given.build]

    async def test_a_newer_run_of_a_build_ends_the_older(self, ground: Ground, tmp_path: Path) -> None:
        flag = tmp_path / "go"
        given = ground.build(f"echo begun; while [ ! -e {flag} ]; do sleep 0.02; done")
        await ground.give(given)
        await ground.reports.begun(given.build)
        await ground.give(replace(given, fence=2))
        await holds(lambda: ground.reports.starts.count(given.build) == 2)
        flag.touch()
        ends = ground.reports.completions
        await holds(lambda: given.build in ends and ends[given.build].fence == 2)  # the older may say that it was ended
        text = ground.text(given.build)
        assert ends[given.build].result == "SUCCESS", text
        assert text.count("gatebot: The executor that had this build was lost") == 1

    async def test_an_aborted_build_ends_and_what_it_left_ends_with_it(self, ground: Ground, tmp_path: Path) -> None:
        beat = tmp_path / "beat"
        given = ground.build(f"while true; do touch {beat}; sleep 0.02; done")
        await ground.give(given)
        await ground.reports.begun(given.build)
        await holds(beat.exists)
        stops = reason("pipeline.aborted-by-person", username="bob")
        await ground.dispatch.abort(given.build, given.fence, stops)
        await holds(lambda: ground.dispatch.free_slots() == ground.slots)
        beat.unlink()
        await asyncio.sleep(0.1)
        assert not beat.exists()
        await holds(lambda: ground.text(given.build).endswith("result: CANCELED. bob stopped it."))

    async def test_what_cleans_up_after_an_abort_runs_to_its_end_and_is_in_the_log(self, ground: Ground) -> None:
        longer = BEAT_SECONDS + 0.5  # an executor elsewhere hears meanwhile what the server wants no more
        given = ground.build(
            f'case "$GATEBOT_PHASE" in cleanup) sleep {longer}; echo all is tidy;; *) echo at work; sleep 600;; esac',
            replace(job(), cleanup_run=(script(),)),
        )
        await ground.give(given)
        await ground.reports.begun(given.build)
        await holds(lambda: "at work" in ground.text(given.build))
        stops = reason("pipeline.aborted-by-person", username="bob")
        await ground.dispatch.abort(given.build, given.fence, stops)
        await holds(lambda: ground.text(given.build).endswith("result: CANCELED. bob stopped it."))
        assert "all is tidy" in ground.text(given.build), ground.text(given.build)
        await holds(lambda: ground.dispatch.free_slots() == ground.slots)

    async def test_an_abort_of_an_older_run_says_nothing_of_the_newer(self, ground: Ground) -> None:
        given = ground.build("echo newer", fence=5)
        await ground.give(given)
        await ground.dispatch.abort(given.build, 4)
        assert (await ground.reports.of(given.build)).result == "SUCCESS"

    async def test_a_paused_build_goes_on_when_it_may(self, ground: Ground) -> None:
        given = ground.build("""echo '{"zuul": {"pause": true}, "answer": 42}' > $GATEBOT_RESULT""")
        await ground.give(given)
        await ground.reports.waiting(given.build)
        assert '"answer": 42' in ground.reports.pauses[given.build].data.replace('":42', '": 42')
        await holds(lambda: ground.dispatch.free_slots() == ground.slots)  # who it waits for may need the room
        await ground.dispatch.resume(given.build, given.fence)
        assert (await ground.reports.of(given.build)).result == "SUCCESS"

    async def test_a_build_waits_for_semaphores_until_they_are_granted(self, ground: Ground) -> None:
        book = Playbook(PROJECT, "main", "run.sh", semaphores=("cloud",))
        given = ground.build("echo mine", job(book))
        await ground.give(given)
        await ground.reports.waiting(given.build)
        await ground.dispatch.grant(given.build, given.fence, ("cloud",))
        assert (await ground.reports.of(given.build)).result == "SUCCESS"
        assert ground.reports.asked == ground.reports.given_back == [("cloud",)]

    async def test_slots_are_taken_and_come_back(self, ground: Ground, tmp_path: Path) -> None:
        flag = tmp_path / "go"
        assert ground.dispatch.free_slots() == ground.slots
        given = [ground.build(f"echo {n}; while [ ! -e {flag} ]; do sleep 0.02; done") for n in range(2)]
        for one in given:
            await ground.give(one)
        await holds(lambda: ground.dispatch.free_slots() == ground.slots - 2)
        flag.touch()
        for one in given:
            await ground.reports.of(one.build)
        await holds(lambda: ground.dispatch.free_slots() == ground.slots)

    async def test_a_node_that_nobody_has_is_told_at_once(self, ground: Ground) -> None:
        given = ground.build("true", job(label="unheard-of"))
        await ground.give(given)
        completed = await ground.reports.of(given.build)
        assert completed.result == "NODE_FAILURE"
        assert completed.reason is not None

    @pytest.mark.zuul(115)
    async def test_the_nodes_of_a_failed_build_that_are_wanted_are_kept_until_that_is_over(
        self, ground: Ground
    ) -> None:
        given = ground.build("echo evidence > ../kept; exit 1")
        ground.reports.wanted.add(given.build)
        await ground.give(given)
        assert (await ground.reports.of(given.build)).result == "FAILURE"
        assert "held until 2026-11-28 20:10 UTC by the request 7" in ground.text(given.build)
        assert ground.runs is not None
        held, layer = ground.runs.held, ground.runs.held.layer(given.build)
        await holds(lambda: ground.dispatch.free_slots() == ground.slots)
        assert [path.read_text() for path in layer.rglob("kept")] == ["evidence\n"]
        await held.sweep()
        assert (layer.exists(), ground.reports.let) == (True, [])
        ground.reports.over.add(given.build)
        await held.sweep()
        await holds(lambda: ground.reports.let == [given.build])
        assert not layer.exists()
        assert not held.kept

    async def test_nodes_of_builds_that_nobody_asked_for_are_taken_away(self, ground: Ground) -> None:
        given = ground.build("exit 1")
        await ground.give(given)
        assert (await ground.reports.of(given.build)).result == "FAILURE"
        assert ground.reports.ended == ["FAILURE"]
        assert ground.runs is not None
        assert not ground.runs.held.layer(given.build).exists()
