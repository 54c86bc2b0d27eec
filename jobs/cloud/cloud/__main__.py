# SPDX-License-Identifier: Apache-2.0
"""What runs in a cloud: `python -m cloud serve`, `prove`, `upgrade PACKAGES`, `smoke REGEX`, `collect`, `keep FILE`.

`serve SOCKETS` is given what leads to other hosts of the cloud, if it has some (`link.py`).
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from . import first_error
from .collecting import collect
from .options import Options, Role
from .processes import Failed, Processes
from .timings import Timings
from .up import bring_up, environment, keep_state
from .upgrade import upgrade

WORK, LOGS = Path("/work"), Path("/logs")
#: The packages whose services are to be upgraded, as another process asks for it; and that it is done.
_UPGRADE, _UPGRADED = WORK / "upgrade", WORK / "upgraded"


async def serve(options: Options, timings: Timings, sockets: Sequence[int]) -> int:
    """Bring the cloud up and stay, also when it failed: it can be looked at until the node goes.

    `sockets` lead to its other hosts, if it has some.
    """
    shown = f"{options.shown}/services"
    processes = Processes(LOGS / "services", environment(options), timings, options.patience, shown)
    try:
        await bring_up(options, processes, sockets)
        (WORK / "ready").touch()
        while True:
            await processes.asked(str(_UPGRADE))
            wanted = _UPGRADE.read_text().split()
            _UPGRADE.unlink()
            await upgrade(Options.from_json((WORK / "options.json").read_text()), wanted, processes)
            _UPGRADED.touch()
    except Exception as problem:  # whatever it is that a library of OpenStack raises
        _put(WORK / "failed", _told(options, problem))
    await asyncio.Event().wait()
    return 1


def _put(path: Path, text: str) -> None:
    """Write a file that another process waits for: it is there as a whole, or not at all."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def prove(options: Options, timings: Timings) -> int:
    """Use the cloud."""
    from .proof import Proof

    return _proven(options, timings, Proof(options, timings, WORK, LOGS).all)


def upgraded(options: Options, timings: Timings, packages: list[str]) -> int:
    """Have the services behind these packages upgraded, say what that cost, and use the cloud again."""
    from .proof import Proof

    proof = Proof(options, timings, WORK, LOGS)

    def ask() -> None:
        said = WORK / "said"
        before = said.stat().st_size
        _put(_UPGRADE, " ".join(packages))
        try:
            proof.waits(_UPGRADED)
        finally:
            print(said.read_bytes()[before:].decode(errors="replace"), end="", flush=True)

    return _proven(options, timings, lambda: proof.across(ask))


def _proven(options: Options, timings: Timings, use: Callable[[], None]) -> int:
    """Whether the cloud works; a service that ended is the reason for whatever does not."""
    try:
        use()
    except Exception as problem:  # as above
        ended = WORK / "failed"
        told = ended.read_text() if ended.exists() else _with_reason(options, _told(options, problem), timings.since)
        print(f"error: {told}", flush=True)
        return 1
    return 0


def _first_error(options: Options, since: str = "") -> first_error.FirstError | None:
    return first_error.read(LOGS / "services", f"{options.shown}/services", since)


def _with_reason(options: Options, told: str, since: str) -> str:
    """What does not work, and what a service logged about it, if one did."""
    found = _first_error(options, since)
    return f"{told.rstrip('.')}. The first error of a service is of {found}" if found else told


def _told(options: Options, problem: Exception) -> str:
    """What is wrong, in a line; of what nobody expected also where, in a file: in the log it would come first."""
    if isinstance(problem, Failed):
        return str(problem)
    with (LOGS / "traceback.log").open("a") as file:
        traceback.print_exception(problem, file=file)
    return f"{type(problem).__name__}: {problem} ({options.shown}/traceback.log)"


async def keep(options: Options, timings: Timings, target: Path) -> int:
    """Write the state that clouds with these options begin with."""
    processes = Processes(LOGS / "services", environment(options), timings, options.patience)
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
        case ["serve", *sockets]:
            return asyncio.run(serve(options, timings, [int(one) for one in sockets]))
        case ["keep", target]:
            return asyncio.run(keep(options, timings, Path(target)))
        case ["collect"]:
            collect(options, LOGS)
            where = "" if options.role is Role.ALL else f" on {options.host}"
            print(f"First error of a service{where}: {_first_error(options) or 'none'}", flush=True)
            return 0
        case ["prove"]:
            return prove(options, timings)
        case ["upgrade", *packages]:
            return upgraded(options, timings, packages)
        case ["smoke", wanted]:
            from .smoke import smoke

            with timings.step("tempest"):
                return smoke(options, LOGS, wanted)
        case _:
            print("serve SOCKET..., prove, upgrade PACKAGE..., smoke REGEX, collect, or keep FILE", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
