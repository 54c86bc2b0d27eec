# SPDX-License-Identifier: Apache-2.0
"""`python -m cloud serve`, `prove`, `collect`: what runs inside the namespaces that `enter` makes."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from .collecting import collect
from .options import Options
from .processes import Failed, Processes
from .timings import Timings
from .up import bring_up, environment

WORK, LOGS = Path("/work"), Path("/logs")


async def serve(options: Options, timings: Timings) -> int:
    """Bring the cloud up and stay, also when it failed: it can be looked at until the node goes."""
    processes = Processes(LOGS / "services", environment(options), timings)
    try:
        await bring_up(options, processes)
        (WORK / "ready").touch()
        await processes.first_end()
    except Failed as problem:
        new = WORK / "failed.new"
        new.write_text(str(problem))
        new.rename(WORK / "failed")
    await asyncio.Event().wait()
    return 1


def main(words: list[str]) -> int:
    """One of the three."""
    options = Options.from_json((WORK / "options.json").read_text())
    os.environ.update(environment(options))
    timings = Timings(LOGS / "timings.tsv")
    match words:
        case ["serve"]:
            return asyncio.run(serve(options, timings))
        case ["collect"]:
            collect(options, LOGS)
            return 0
        case ["prove"]:
            from .proof import Proof

            try:
                Proof(options, timings, WORK, LOGS).all()
            except Failed as problem:
                print(f"error: {problem}", flush=True)
                return 1
            return 0
        case _:
            print("serve, prove or collect", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
