# SPDX-License-Identifier: Apache-2.0
"""Watches a guest and the APIs while `serve` upgrades the services, and says what that cost whom."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from .downtime import Asked, Pings, downtime, pings
from .processes import Failed, answers

_PAUSE = 0.2
#: How long an API may take to answer; slow is not down.
_SLOW = 60.0


class Watch:
    """A guest that is pinged, and APIs that are asked, each several times a second until `end`."""

    def __init__(self, guest: str, apis: Mapping[str, str], log: Path) -> None:
        """Begin. `apis`: addresses by name; `log` gets each ping."""
        self._log = log
        self._over = threading.Event()
        self._asked: dict[str, list[Asked]] = {name: [] for name in apis}
        with log.open("wb") as said:
            line = ["ping", "-n", "-D", "-i", str(_PAUSE), guest]
            self._ping = subprocess.Popen(line, stdout=said, stderr=said)
        self._threads = [threading.Thread(target=self._ask, args=one, daemon=True) for one in apis.items()]
        for thread in self._threads:
            thread.start()

    def _ask(self, name: str, url: str) -> None:
        while not self._over.is_set():
            begin = time.monotonic()
            good = answers(url, _SLOW)
            self._asked[name].append(Asked(begin, time.monotonic(), good))
            self._over.wait(_PAUSE)

    def end(self, target: Path) -> None:
        """Say what was seen, to the log and, as JSON, to a file; `Failed` if the guest never answered."""
        self._over.set()
        self._ping.send_signal(signal.SIGINT)  # it tells how many were answered
        self._ping.wait()
        for thread in self._threads:
            thread.join()
        guest = pings(self._log.read_text())
        _tell(guest, self._asked, target)
        if guest is None or not guest.answered:
            raise Failed(f"The guest answered no ping while the services were upgraded. See cloud/{self._log.name}.")


def _tell(guest: Pings | None, asked: Mapping[str, Sequence[Asked]], target: Path) -> None:
    apis = {name: downtime(seen) for name, seen in sorted(asked.items())}
    print(f"  The guest: {guest or 'ping did not say'}", flush=True)
    for name, seen in apis.items():
        print(f"  API {name}: {seen}", flush=True)
    found = {"guest": asdict(guest) if guest else {}, "apis": {name: asdict(seen) for name, seen in apis.items()}}
    target.write_text(json.dumps(found, indent=2) + "\n")
