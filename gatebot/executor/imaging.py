# SPDX-License-Identifier: Apache-2.0
"""Builds the images that labels lack in a process beside the server, one after another: never at job time.

The process is started while the server may still be root, and ends with it. What became of an image is told by the
directory of images alone: NAME is there, NAME.new is being built, NAME.failed says why it is not.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from ..architectures import ANY, Execution, canonical
from ..errors import SettingsError, Unavailable
from ..reasons import Reason, reason
from ..words import say
from . import images
from .images import Definition
from .model import LOCAL, Label
from .providers import emulation, kernel
from .providers.processes import kill_tree

log = logging.getLogger(__name__)
_AGAIN = 300.0
#: What labels ask for whose nodes may be those of another architecture.
_EMULATED = ("", ANY, Execution.EMULATED_USER)
#: The builders that this server started; each ends when nobody can write to it any more.
_STARTED: list[subprocess.Popen[bytes]] = []


def wanted(label: Label) -> Definition | None:
    """The image that nodes of a label cannot be without, where this machine can have such nodes.

    Nodes of its own architecture can be without the default one: they show its own programs then.
    """
    if label.provider != LOCAL or label.image != "default":
        return None
    foreign = label.arch not in ("", canonical(platform.machine()))
    if not label.imaged and not foreign:
        return None
    if not is_ours(label) or (foreign and label.arch not in {one.arch for one in emulation.installed()}):
        return None
    try:
        return images.definition_of(label)
    except SettingsError:
        return None  # making the node says it


def is_ours(label: Label) -> bool:
    """Whether this machine can be what a label says, by itself or with an emulator: else no image helps."""
    return label.arch in ("", canonical(platform.machine())) or label.execution in _EMULATED


def lacking(labels: Iterable[Label], place: Path) -> list[Definition]:
    """The images that labels of this machine cannot be without and that are not built, each once."""
    needed = dict.fromkeys(one for label in labels if (one := wanted(label)) is not None)
    return [one for one in needed if not images.is_built(one, place)]


def unready(place: Path, label: Label) -> Reason | None:
    """Why there is no node of a label yet: its image is not there. None: it is, or it needs none."""
    definition = wanted(label)
    if definition is None or images.is_built(definition, place):
        return None
    if (failed := place / f"{definition.name}.failed").exists():
        return reason("executor.label-image-failed", label=label.name, told=failed.read_text("utf-8").strip()[:500])
    if (since := images.begun(definition, place)) is not None:
        return reason("executor.label-image-building", label=label.name, since=f"{since:%H:%M}")
    return reason("executor.label-image-lacks", label=label.name)


def start(labels: Iterable[Label], place: Path) -> None:
    """Begin to build what labels lack, if they lack anything."""
    wanted = lacking(labels, place)
    if not wanted:
        return
    package = Path(__file__).resolve().parents[2]
    line = [sys.executable, "-P", "-m", "gatebot.executor.imaging", str(place)]
    process = subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(package)}, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps([asdict(one) for one in wanted]).encode() + b"\n")
    process.stdin.flush()
    _STARTED.append(process)


def main(place: Path, wanted: list[Definition]) -> None:
    """Build until all are there; what fails is tried again later."""
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    while wanted:
        for one in tuple(wanted):
            log.info("the image %s is being built", one.name)
            try:
                images.build(one, place, lambda _: None)
            except (Unavailable, OSError, subprocess.CalledProcessError) as problem:
                told = say(problem.reason) if isinstance(problem, Unavailable) and problem.reason else str(problem)
                log.warning("the image %s could not be built, again in %d seconds: %s", one.name, _AGAIN, told)
                (place / f"{one.name}.failed").write_text(told, "utf-8")
            else:
                log.info("the image %s is built", one.name)
                wanted.remove(one)
        if wanted:
            time.sleep(_AGAIN)


def watch(builder: int) -> None:
    """Until all is built; when the server is gone before, the builder and what it started are ended.

    A server that gave up its rights cannot end them, and the kernel does not in its name.
    """
    ended = os.pidfd_open(builder)
    if ended not in select.select([ended, sys.stdin], [], [])[0]:
        kill_tree(builder)


if __name__ == "__main__":
    os.nice(10)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    asked = [Definition(**one) for one in json.loads(sys.stdin.readline())]
    if (builder := os.fork()) == 0:
        if os.geteuid() == 0:  # what is mounted for an image goes with whoever builds it, however that ends
            kernel.unshare(kernel.NEW_MOUNTS)
            kernel.private_mounts()
        main(Path(sys.argv[1]), asked)
    else:
        watch(builder)
