# SPDX-License-Identifier: Apache-2.0
"""How soon an open page shows a vote, and what many open pages cost.

A real site. One page of a change is followed as a browser does: a `changed` event on its stream,
the script's pause of 120 ms, then the page fetched again, which must name the vote. Measured from
the request with the vote, alone and while other pages are open; then memory and CPU for each of
these. Usage: `python -m bench.live [-n 20] [--streams 200]`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time

import aiohttp

from . import _ground
from ._ground import Ground, basic, figure, percentile

GOAL = 0.5
DEBOUNCE = 0.12  # web/static/gatebot.js waits so long for further events
CONFIGURATION = {".zuul.yaml": "- project:\n    check: {jobs: [noop]}\n    gate: {jobs: [noop]}\n"}


async def heard(stream: aiohttp.ClientResponse) -> None:
    """Wait for the next `changed` on a stream."""
    async for line in stream.content:
        if line.startswith(b"event: changed"):
            return


async def measure(ground: Ground, web: aiohttp.ClientSession, number: int, votes: int) -> tuple[list[float], float]:
    """Seconds from each vote to the page that shows it, and the server's CPU seconds for each."""
    page, headers = f"/c/api/+/{number}", {"Authorization": basic(ground.core)}
    taken: list[float] = []
    spent = 0.0
    async with web.get(f"/live?topics=change/{number}") as stream:
        for turn in range(votes + 2):
            message = f"this is vote {turn} of {votes}, at {time.time()}"
            body = {"message": message, "labels": {"Code-Review": (-1, 1)[turn % 2]}}
            cpu, began = ground.cpu(), time.perf_counter()
            path = f"/a/changes/{number}/revisions/current/review"
            voting = asyncio.create_task(web.post(path, json=body, headers=headers))
            await asyncio.wait_for(heard(stream), 10)
            await asyncio.sleep(DEBOUNCE)
            async with web.get(page) as answer:
                shown = message in await answer.text()
            seconds = time.perf_counter() - began
            (await voting).raise_for_status()
            if not shown:
                raise SystemExit("the page was fetched and did not show the vote")
            await asyncio.sleep(0.3)  # what follows the vote is over
            if turn > 1:  # the first ones warm up
                taken.append(seconds)
                spent += ground.cpu() - cpu
    return taken, spent / votes


async def run(ground: Ground, votes: int, streams: int) -> None:
    (number,) = ground.push(["file"])
    await asyncio.sleep(2)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(ground.author.url, connector=connector, timeout=aiohttp.ClientTimeout()) as web:
        alone, cost = await measure(ground, web, number, votes)
        figure("live.vote-to-page.p50", statistics.median(alone), "s", votes, goal=GOAL)
        before = ground.memory_mb()
        opened = await asyncio.gather(*(web.get(f"/live?topics=change/{number}") for _ in range(streams)))
        listening = [asyncio.create_task(_drain(one)) for one in opened]
        memory = (ground.memory_mb() - before) * 1024 / streams
        crowded, more = await measure(ground, web, number, votes)
        figure("live.vote-to-page.crowded.p50", statistics.median(crowded), "s", votes, goal=GOAL, streams=streams)
        figure("live.vote-to-page.crowded.p95", percentile(crowded, 0.95), "s", votes, goal=GOAL, streams=streams)
        figure("live.stream.cpu-per-event", (more - cost) * 1000 / streams, "ms", streams)
        figure("live.stream.memory", memory, "KB", streams)
        idle, began = ground.cpu(), time.perf_counter()
        await asyncio.sleep(20)
        figure("live.idle.cpu", (ground.cpu() - idle) / (time.perf_counter() - began), "CPU s/s", streams)
        for one in listening:
            one.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def _drain(stream: aiohttp.ClientResponse) -> None:
    async for _ in stream.content:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=20, help="how many votes are measured")
    parser.add_argument("--streams", type=int, default=200, help="how many other pages are open")
    wanted = parser.parse_args()
    with _ground.site(CONFIGURATION) as ground:
        asyncio.run(run(ground, wanted.n, wanted.streams))


if __name__ == "__main__":
    main()
