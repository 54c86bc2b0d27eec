# SPDX-License-Identifier: Apache-2.0
"""A site and the machines that run its builds, all of them real processes, with wires between them that can be cut.

Jobs run in the real sandbox. What a machine must not leave behind is looked for from outside: control groups,
processes that carry the id of a build, layers of nodes.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import verdicts
from tests.chaos.wire import Wire
from tests.fakes.git import WorkTree
from tests.fakes.irc import free_port
from tests.fakes.machines import Machine, begin, enrol
from tests.fakes.served import Served
from tests.fakes.site import Person, Template, eventually

HURRIED = "tests.chaos.hurried"
JOBS = ("unit", "style")
ZUUL = """\
- job: {name: unit, run: ci/unit}
- job: {name: style, run: ci/unit}
- project:
    queue: integrated
    check: {jobs: [noop]}
    gate: {jobs: [unit, style]}
"""
JOB = """\
#!/bin/sh
echo "begins on $(git rev-parse HEAD)"
for step in 1 2 3 4 5 6 7 8 9 10; do echo "step $step"; sleep 0.25; done
echo "has tested $(git rev-parse HEAD)"
"""


@dataclass
class Station:
    """A machine of the field. What it says to the site goes by two wires, that of NATS with others."""

    machine: Machine
    http: Wire
    nats: Wire
    name: str
    program: str

    @property
    def data(self) -> Path:
        return self.machine.directory / "data"

    def kill(self) -> None:
        """As a power cut, but for the machine itself."""
        self.machine.signal(signal.SIGKILL)
        self.machine.process.wait(180)

    def again(self) -> None:
        """It starts again, and is known."""
        old = self.machine
        self.machine = begin(
            old.site, old.directory.parent, self.name, sandbox="auto", program=self.program,
            url=f"http://127.0.0.1:{self.http.port}",
        )  # fmt: skip

    def leave(self) -> None:
        """It is asked to end."""
        self.go_on()
        self.machine.signal(signal.SIGTERM)

    def gone(self) -> None:
        """It has ended."""
        self.machine.end()

    def stop(self) -> None:
        self.machine.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.machine.signal(signal.SIGCONT)


@dataclass
class Field:
    """All of it, while the server may be there or not. `tokens` are those of people."""

    served: Served
    homes: Path
    tokens: dict[str, str]
    stations: list[Station] = field(default_factory=list)
    trees: dict[str, WorkTree] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.served.url

    @property
    def places(self) -> list[Path]:
        """Where all keep their things."""
        return [self.served.places.data, *(one.data for one in self.stations)]

    def person(self, name: str) -> Person:
        return Person.of(self, name, self.tokens)

    def all_live(self) -> None:
        """Every machine is heard of, and none has a build."""
        admin = self.person("admin")

        def quiet() -> bool:
            shown = {one["name"]: one for one in admin.rest.get("/api/executors")}
            return all(shown[one.name]["alive"] and not shown[one.name]["running"] for one in self.stations)

        eventually(quiet, "all machines live and are idle", 180)

    def all_decided(self, changes: list[int]) -> None:
        """Each has merged, or was told why not."""
        ann = self.person("ann")

        def undecided() -> list[int]:
            return [
                change
                for change in changes
                if ann.status(change) != "MERGED" and ann.votes(change, "Verified").get("gatebot", 0) >= 0
            ]

        with suppress(AssertionError):
            eventually(lambda: not undecided(), seconds=300)
        assert (left := undecided()) == [], {change: (ann.status(change), ann.said(change)) for change in left}

    def approved(self, subject: str) -> int:
        """A change that adds a file, pushed and approved."""
        ann = self.person("ann")
        work = self.trees.setdefault("api", self.trees.get("api") or ann.clone("api"))
        work.git("fetch", "-q", "origin", "main")
        work.git("reset", "-q", "--hard", "FETCH_HEAD")
        work.put(f"{re.sub(r'[^a-z0-9]', '.', subject.lower())}.txt", f"{subject}\n")
        work.commit(subject)
        change = ann.push(work)
        self.person("bob").approve(change)
        return change


@contextmanager
def the_field(
    place: Path, machines: int, changes: dict[str, object] | None = None, program: str = HURRIED
) -> Iterator[Field]:
    """A site with `machines` beside it."""
    template = Template.make(place / "template" / "site")
    web, nats = free_port(), free_port()
    with ExitStack() as ends:
        wire = ends.enter_context(Wire(nats).strung())
        settings: dict[str, object] = {
            "executor.enabled": False, "dispatch.nats": "embedded", "dispatch.listen": f"127.0.0.1:{nats}",
            "dispatch.url": f"nats://127.0.0.1:{wire.port}", **(changes or {}),
        }  # fmt: skip
        served = Served(template.copy(place / "site", web, settings), place / "homes", program)
        made = Field(served, place / "homes", template.tokens)
        ends.callback(served.stop)
        served.start()
        served.answers()
        work = made.person("admin").clone("api")
        work.put(".zuul.yaml", ZUUL)
        work.put("ci/unit", JOB)
        work.commit("Test for a while")
        work.git("push", "-q", "origin", "HEAD:refs/heads/main")
        for number in range(machines):
            http, name = ends.enter_context(Wire(web).strung()), f"far-{number}"
            machine = begin(
                made, place, name, token=enrol(made, name), sandbox="auto", program=program,
                url=f"http://127.0.0.1:{http.port}",
            )  # fmt: skip
            made.stations.append(Station(machine, http, wire, name, program))
            ends.callback(made.stations[-1].gone)
        for station in made.stations:
            ends.callback(station.leave)  # all of them at once, before anybody waits
        made.all_live()
        yield made
    for data in made.places:
        assert [*owned_groups(data), *spaces_of(data)] == [], "an executor that has ended left something"


def owned_groups(data: Path) -> list[Path]:
    """The control groups of whoever keeps his things there, one in each hierarchy."""
    instance = f"gatebot-{hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]}"
    walked = os.walk("/sys/fs/cgroup")  # others' groups may vanish meanwhile
    return [Path(above, name) for above, names, _ in walked for name in names if name == instance]


def groups_of(data: Path) -> list[Path]:
    """Those of his nodes."""
    walked = (next(os.walk(group), ("", [], [])) for group in owned_groups(data))
    return [Path(above, name) for above, names, _ in walked for name in names]


def spaces_of(data: Path) -> list[str]:
    """The spaces in which his sandboxes are made: no process of a sandbox is in any other."""
    found: set[str] = set()
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            line = Path(entry.path, "cmdline").read_bytes() if entry.name.isdigit() else b""
            if b"providers.privileged" in line and f"{data}/".encode() in line:
                found.add(os.readlink(f"{entry.path}/ns/pid"))
    return sorted(found - {os.readlink("/proc/self/ns/pid")})


def processes_of(builds: Collection[str]) -> list[int]:
    """The processes of this machine that are of a build."""
    found: list[int] = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):
                environment = Path(entry.path, "environ").read_bytes().decode("utf-8", "replace")
                if any(f"ZUUL_UUID={build}" in environment for build in builds):
                    found.append(int(entry.name))
    return found


def left_behind(data: Path, builds: Collection[str]) -> list[str]:
    """What nodes that are not wanted any more have left; empty: nothing."""
    layers = data / "executor" / "layers"
    return [
        *(f"group {path}" for path in groups_of(data)),
        *(f"process {number}" for number in processes_of(builds)),
        *(f"layer {path.name}" for path in (layers.iterdir() if layers.exists() else ())),
        *(f"space {space} of an executor before this one" for space in spaces_of(data)[1:]),
    ]


def nothing_is_wrong(field: Field, good: Collection[int]) -> None:
    """All that must hold while nothing runs; `good` changes must have merged, but where a job used its attempts."""
    places = field.served.places
    assert places.database_file is not None
    with verdicts.looking(places.database_file) as session:
        results = verdicts.every_build_has_one_verdict(session)
        verdicts.what_merged_passed_all_its_jobs(session, JOBS, places.data / "logs")
        builds, tried = verdicts.builds_of(session), verdicts.out_of_attempts(session)
    for change in set(good) - tried:
        assert field.person("ann").status(change) == "MERGED", field.person("ann").said(change)
    for data in field.places:
        with suppress(AssertionError):
            eventually(lambda data=data: not left_behind(data, builds), seconds=60)
        left = left_behind(data, builds)
        assert left == [], f"{data}: {left}"
    print(f"  {sum(results.values())} builds so far: {dict(results)}")
