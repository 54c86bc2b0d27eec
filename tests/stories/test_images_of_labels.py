# SPDX-License-Identifier: Apache-2.0
"""A whole `gatebot serve` that makes the image which a label asks for: a build waits for it, another does not.

A Debian is made from its packages, for a sandbox and for a virtual machine, which takes minutes: `make test-image` runs
it.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.app.places import SETTINGS
from gatebot.executor import images
from tests.fakes.irc import free_port
from tests.fakes.served import Served
from tests.fakes.site import Person, Template, eventually
from tests.programs import need

pytestmark = [
    pytest.mark.skipif("GATEBOT_IMAGES" not in os.environ, reason="minutes: make test-image"),
    pytest.mark.timeout(3600),
]
#: What a busy machine may take for a Debian.
PATIENCE = 3000.0
ZUUL = """\
- job: {name: plain, run: ci/plain, nodeset: {nodes: [{name: node, label: offline}]}}
- job: {name: equipped, run: ci/equipped, nodeset: {nodes: [{name: node, label: equipped}]}}
- project:
    check: {jobs: [equipped, plain]}
"""
EQUIPPED = "#!/bin/sh\nset -e\ncat /etc/made\necho '{\"answer\": 42}' | jq .answer\n"


LABEL = """\
[labels.equipped]
network = "none"
packages = ["jq"]
script = "{script}"
"""
MACHINES = """\
[providers.vm]
kind = "qemu"

[labels.machine]
provider = "vm"
network = "none"
cpus = 1
memory = "512M"
disk = "1G"
"""
ON_MACHINE = """\
- job: {name: plain, run: ci/plain, nodeset: {nodes: [{name: node, label: offline}]}}
- job: {name: rooted, run: ci/rooted, nodeset: {nodes: [{name: node, label: machine}]}}
- project:
    check: {jobs: [rooted, plain]}
"""
ROOTED = "#!/bin/sh\nset -e\nsudo mount -t tmpfs none /mnt && echo mounted as $(sudo id -un)\n"

PLAIN = "#!/bin/sh\necho plain\n"


@pytest.fixture
def served(template: Template, place: Path) -> Iterator[Served]:
    """A site with a label that wants more than the default image has."""
    with serving(template, place, LABEL.format(script=_script())) as made:
        yield made


@pytest.fixture
def machines(template: Template, place: Path) -> Iterator[Served]:
    """A site with a label of virtual machines."""
    for program, package in (("qemu-system-x86_64", "qemu-system-x86"), ("qemu-img", "qemu-utils")):
        need(program, package)
    with serving(template, place, MACHINES) as made:
        yield made


@contextmanager
def serving(template: Template, place: Path, labels: str) -> Generator[Served]:
    """A site whose images are nowhere yet; what it made is taken away."""
    need("mmdebstrap")
    need("bwrap", "bubblewrap")
    changes: dict[str, object] = {
        "executor.enabled": True, "executor.sandbox": "auto", "executor.images": str(place / "images")
    }  # fmt: skip
    directory = template.copy(place / "site", free_port(), changes)
    with (directory / SETTINGS).open("a") as settings:
        settings.write(labels)
    made = Served(directory, place / "homes")
    made.start()
    try:
        made.answers()
        yield made
    finally:
        made.stop()
        for held in (place / "images").glob("*.lock"):
            with held.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # whoever still builds ends with the server
        for left in (place / "images").iterdir():
            images.removed(left)


def _script() -> str:
    """Another one each time, so that no image is there that another run made."""
    return f"jq --version > /etc/made; echo {uuid4().hex} >> /etc/made"


def gatebot(served: Served, template: Template, *words: str) -> str:
    """What the command prints, for ann."""
    told = {"GATEBOT_URL": served.url, "GATEBOT_USER": "ann", "GATEBOT_TOKEN": template.tokens["ann"]}
    line = [sys.executable, "-P", "-m", "gatebot", *words]
    return subprocess.run(line, env={**os.environ, **told}, capture_output=True, text=True, check=True).stdout


def test_a_build_waits_with_its_reason_while_the_server_makes_its_image_and_then_runs_on_it(
    served: Served, template: Template
) -> None:
    ann = Person.of(served, "ann", template.tokens)
    files = {".zuul.yaml": ZUUL, "ci/equipped": EQUIPPED, "ci/plain": PLAIN}
    change = ann.propose("api", "Ask for more", files)
    waits = _waits(served, template, change, "equipped")
    log = _others_ran_first(ann, change, "equipped")
    assert f"gatebot: {waits}" in log
    assert re.search(r"^.*jq-1\.\d", log, re.MULTILINE), log
    assert re.search(r"^.*\b42$", log, re.MULTILINE), log
    assert waits not in gatebot(served, template, "why", str(change))
    listed = _listed(served, template)
    assert any("equipped" in line and "not built" not in line for line in listed.splitlines()), listed


def test_a_build_waits_with_its_reason_for_the_image_of_its_virtual_machine_and_gets_its_node_without_a_restart(
    machines: Served, template: Template
) -> None:
    ann = Person.of(machines, "ann", template.tokens)
    files = {".zuul.yaml": ON_MACHINE, "ci/rooted": ROOTED, "ci/plain": PLAIN}
    change = ann.propose("api", "Be root", files)
    waits = _waits(machines, template, change, "machine")
    listed = _listed(machines, template)
    assert re.search(r"^vm-\S+\tbeing built since \d\d:\d\d UTC\t\tmachine$", listed, re.MULTILINE), listed
    log = _others_ran_first(ann, change, "rooted")
    assert f"gatebot: {waits}" in log
    assert "mounted as root" in log
    listed = _listed(machines, template)
    assert re.search(r"^vm-\S+\t\d+ MB\t[^\t]+\tmachine$", listed, re.MULTILINE), listed


def _waits(served: Served, template: Template, change: int, label: str) -> str:
    """The sentence by which a change waits for the image of a label, once it is said."""
    waits = f"Waits for the image of the label {label}, which is being built"
    eventually(lambda: waits in gatebot(served, template, "why", str(change)), waits, 600)
    return waits


def _others_ran_first(ann: Person, change: int, job: str) -> str:
    """Another job of the change ends while this one waits, then it passes; its log."""
    eventually(lambda: _ended(ann, "plain") == ["SUCCESS"], "the other job has ended")
    assert _ended(ann, job) == []
    told = ann.hears(change, "Build succeeded.", PATIENCE)
    build = re.findall(rf"{job} \S+/build/(\w+)", told)[-1]
    return "".join(ann.rest.text_lines(f"/logs/{build}/job-output.txt"))


def _listed(served: Served, template: Template) -> str:
    return gatebot(served, template, "image", "list", "--site", str(served.places.directory))


def _ended(person: Person, job: str) -> list[str]:
    """How builds of a job have ended, of those that have."""
    return [one["result"] for one in person.rest.get("/api/builds", job_name=job) if one["result"]]
