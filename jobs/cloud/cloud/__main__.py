# SPDX-License-Identifier: Apache-2.0
"""`python -m cloud serve`, `prove`, `smoke REGEX`, `collect`, `keep FILE`: what runs in the namespaces of `enter`."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from pathlib import Path

from . import first_error
from .collecting import collect
from .options import Options
from .processes import Failed, Processes
from .timings import Timings
from .up import bring_up, environment, keep_state

WORK, LOGS = Path("/work"), Path("/logs")


async def serve(options: Options, timings: Timings) -> int:
    """Bring the cloud up and stay, also when it failed: it can be looked at until the node goes."""
    processes = Processes(LOGS / "services", environment(options), timings)
    try:
        await bring_up(options, processes)
        (WORK / "ready").touch()
        await processes.first_end()
    except Exception as problem:  # whatever it is that a library of OpenStack raises
        new = WORK / "failed.new"
        new.write_text(_told(problem))
        new.rename(WORK / "failed")
    await asyncio.Event().wait()
    return 1


def prove(options: Options, timings: Timings) -> int:
    """Use the cloud; a service that ended is the reason for whatever does not work."""
    from .proof import Proof

    try:
        Proof(options, timings, WORK, LOGS).all()
    except Exception as problem:  # as above
        ended = WORK / "failed"
        print(f"error: {ended.read_text() if ended.exists() else _with_reason(_told(problem))}", flush=True)
        return 1
    return 0


def _with_reason(told: str) -> str:
    """What does not work, and what a service logged about it, if one did."""
    found = first_error.read(LOGS / "services")
    return f"{told.rstrip('.')}. The first error of a service is of {found}" if found else told


def _told(problem: Exception) -> str:
    """What is wrong, in a line; of what nobody expected also where, in a file: in the log it would come first."""
    if isinstance(problem, Failed):
        return str(problem)
    with (LOGS / "traceback.log").open("a") as file:
        traceback.print_exception(problem, file=file)
    return f"{type(problem).__name__}: {problem} (cloud/traceback.log)"


async def keep(options: Options, timings: Timings, target: Path) -> int:
    """Write the state that clouds with these options begin with."""
    processes = Processes(LOGS / "services", environment(options), timings)
    try:
        await keep_state(options, processes, target)
    except Failed as problem:
        print(f"error: {problem}", flush=True)
        return 1
    return 0


def main(words: list[str]) -> int:
    """One of them."""
    options = Options.from_json((WORK / "options.json").read_text())
    os.environ.update(environment(options))
    timings = Timings(LOGS / "timings.tsv")
    match words:
        case ["serve"]:
            return asyncio.run(serve(options, timings))
        case ["keep", target]:
            return asyncio.run(keep(options, timings, Path(target)))
        case ["collect"]:
            collect(options, LOGS)
            print(f"First error of a service: {first_error.read(LOGS / 'services') or 'none'}", flush=True)
            return 0
        case ["prove"]:
            return prove(options, timings)
        case ["smoke", wanted]:
            from .smoke import smoke

            with timings.step("tempest"):
                return smoke(options, LOGS, wanted)
        case _:
            print("serve, prove, smoke REGEX, collect, or keep FILE", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
