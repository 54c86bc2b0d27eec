# SPDX-License-Identifier: Apache-2.0
"""How fast logs of meetings become minutes: lines a second, for logs of three lengths, one line in nine a command.

The four files that OpenDev's bot writes are made, from the text of the log on. CPU seconds of this process.
Usage: `python -m bench.replay [LINES ...]`.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time

from gatebot.meetbot.model import Setting
from gatebot.meetbot.replay import replay

FILES = (".html", ".txt", ".log.html", ".log.txt")
GOAL = 50_000
PEER = 16_000  # MeetBot on a machine of this kind, 14-18 thousand
ROUNDS = 5
COMMANDS = (
    "#info something was said about the queue {n}",
    "#action {nick} to fix the thing number {n}",
    "#link https://example.org/x/{n}",
    "#idea maybe we can do it all in one go, {n} times",
    "#help wanted for {n}",
)


def log(lines: int) -> str:
    """A log of so many lines by twenty people."""
    dice = random.Random(lines)
    nicks = [f"nick{number}" for number in range(20)]
    second = 12 * 3600
    told = ["12:00:00 <ann> #startmeeting Replay"]
    for n in range(lines - 2):
        second += dice.random() < 0.3
        text = f"some words about nothing in particular, {n} of them, and a few more: that is chat"
        if n % 9 == 0:
            text = dice.choice(COMMANDS).format(n=n, nick=dice.choice(nicks))
        told.append(f"{_clock(second)} <{dice.choice(nicks)}> {text}")
    return "\n".join([*told, f"{_clock(second)} <ann> #endmeeting"])


def _clock(second: int) -> str:
    return f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"


def main(lengths: list[int]) -> None:
    """Measure and print."""
    for length in lengths:
        text = log(length)
        taken: list[float] = []
        for _ in range(ROUNDS):
            began = time.process_time()
            replay(text, Setting(), formats=FILES)
            taken.append(time.process_time() - began)
        speed = round(length / statistics.median(taken))
        figure = {"figure": f"replay-of-{length}-lines", "value": speed, "unit": "lines/s", "n": ROUNDS, "goal": GOAL}
        print(json.dumps({**figure, "peer": PEER, "ratio": round(speed / PEER, 1)}), flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1_000, 10_000, 50_000])
