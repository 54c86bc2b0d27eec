# SPDX-License-Identifier: Apache-2.0
"""The tour of the cloud: nova and keystone come from a package index, and each change of nova has to boot a server.

One change of nova is good and one breaks booting. Both are tested in a whole OpenStack that is made of their code: the
first lands, the second is refused with the line of the log that says why.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ... import assets
from ...app import places
from ...errors import GatebotError, Unavailable
from ...executor import images
from ...executor.labels import label_from
from . import ground
from .actors import Person
from .tour import Stage

PARTS = 3
_LABEL = "cloud"
_PLACE = ("jobs", "cloud", "image")
_PROJECTS = {"keystone": "30.0.0", "nova": "34.0.0"}
_PATIENCE = 3600.0  # seconds; two clouds at once on a busy machine
_JOBS = """\
- project:
    queue: integrated
    check: {jobs: []}
    gate: {jobs: [cloud: {required-projects: [keystone]}]}
"""
_DRIVER = "nova/virt/libvirt/driver.py"
_GUILTY = "nova-compute"
#: Lines in the method that boots a server, and what the two changes make of them.
_GOOD = ("        injection_info = InjectionInfo(", "        LOG.info('Its disks are found.', instance=instance)\n{}")
_BAD = ("        disk_info = blockinfo.get_disk_info(", "        disk_info = blockinfo.disk_info_of(")


def require() -> None:
    """Raises `Unavailable` with the next command where there is no image for clouds."""
    found, _ = places.load(assets.path(*_PLACE))
    definition = images.definition_of(label_from(_LABEL, found.labels[_LABEL]))
    if not images.is_built(definition, images.shared()):
        raise Unavailable(
            "There is no image for clouds. Make it, once: gatebot image build cloud --site jobs/cloud/image"
        )


def settings() -> str:
    """The label of cloud jobs."""
    return "\n" + (assets.path(*_PLACE) / places.SETTINGS).read_text("utf-8")


def play(stage: Stage) -> None:
    """All parts in order."""
    _import(stage)
    _push_two(stage)
    _gate(stage)


def _import(stage: Stage) -> None:
    teller, admin = stage.teller, stage.admin
    teller.step("nova and keystone become projects, from their source distributions")
    for name, version in _PROJECTS.items():
        words = ["gatebot", "project", "import-sdist", f"{name}=={version}"]
        teller.ran(" ".join(words))
        signed = {"GATEBOT_URL": admin.url, "GATEBOT_USER": "admin", "GATEBOT_TOKEN": admin.token}
        with teller.working(f"importing {name}"):
            done = subprocess.run(
                [sys.executable, "-P", "-m", *words], env={**os.environ, **signed}, capture_output=True,
                text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            raise GatebotError(f"{name} cannot be imported: {done.stderr.strip()}")
        teller.heard(done.stdout)
    work = stage.alice.clone("nova")
    (work / ".zuul.yaml").write_text(_JOBS, "utf-8")
    stage.alice.git("add", ".zuul.yaml", cwd=work)
    stage.alice.git("commit", "--quiet", "--message", "Boot a server before each merge", cwd=work)
    ground.push_history(work, f"{admin.url}/a/nova", admin.auth_header())
    teller.say("Its gate has the job cloud: all services, keystone and nova from their checkouts, a server that boots.")


def _push_two(stage: Stage) -> None:
    teller = stage.teller
    teller.step("alice and carol change the method of nova that boots servers")
    teller.say("alice logs when the disks of a server are found.")
    stage.changes["good"] = _push(
        stage.alice, stage.alice.home / "nova", _GOOD, "Say when the disks of a server are found"
    )
    teller.say("carol calls a function by a name that it does not have. It compiles, and no unit test of hers sees it.")
    stage.changes["bad"] = _push(stage.carol, stage.carol.clone("nova"), _BAD, "Ask for the disks by a shorter name")


def _push(person: Person, work: Path, edit: tuple[str, str], message: str) -> int:
    """Write something else where the driver boots a server; the number of the change."""
    path, (before, after) = work / _DRIVER, edit
    head, begin, rest = path.read_text("utf-8").partition("    def spawn(")
    path.write_text(head + begin + rest.replace(before, after.format(before), 1), "utf-8")
    person.git("commit", "--quiet", "--all", "--message", message, cwd=work)
    return person.push(work)


def _gate(stage: Stage) -> None:
    teller = stage.teller
    teller.step("bob approves both; a cloud is brought up for each")
    for number in (stage.changes["good"], stage.changes["bad"]):
        teller.ran(f"gatebot change vote {number} Code-Review=+2 Workflow=+1    # as bob")
        stage.bob.review(number, Code_Review=2, Workflow=1)
    teller.say(f"Watch it: {stage.url}/status. A minute on an idle machine, some on a busy one.")
    merged = teller.wait("the gate has ended with the good change", lambda: _outcome(stage, "good"), _PATIENCE)
    teller.heard(merged)
    teller.check("the good change merged: a server booted with its code", _status(stage, "good") == "MERGED")
    refused = teller.wait("the gate has ended with the bad change", lambda: _outcome(stage, "bad"), _PATIENCE)
    teller.heard(refused)
    teller.check("the bad change was refused", _status(stage, "bad") == "NEW")
    named = "disk_info_of" in refused and _GUILTY in refused
    teller.check(f"its comment has the line of {_GUILTY}'s log that says why", named)
    teller.say(f"Its page: {stage.page('bad', 'nova')}")


def _status(stage: Stage, name: str) -> str:
    return str(stage.admin.get(f"/changes/{stage.changes[name]}")["status"])


def _outcome(stage: Stage, name: str) -> str | None:
    """The comment by which the gate ended with a change."""
    messages: list[dict[str, Any]] = stage.admin.get(f"/changes/{stage.changes[name]}/detail")["messages"]
    ended = (
        one["message"] for one in messages if one.get("tag", "").endswith(":gate") and "Verified" in one["message"]
    )
    return next(ended, None)
