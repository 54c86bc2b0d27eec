# SPDX-License-Identifier: Apache-2.0
"""Brings the cloud up inside its namespaces: files, what services stand on, tables, services, in this order."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import base, configs, data, hosts, services, shims, state, swift
from .options import Options, Role, Service
from .processes import Processes
from .shims import SHIMS

_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PLACES = (
    "/run/lock/cloud", "/etc/keystone/fernet-keys", "/etc/keystone/credential-keys",
    "/var/lib/nova/instances", "/var/lib/neutron", "/var/lib/cinder", base.SHARE,
    *(f"/var/lib/glance/{name}" for name in ("images", "staging", "tasks")),
)  # fmt: skip


def environment(options: Options) -> dict[str, str]:
    """What every process of the cloud gets."""
    return {
        # What the build has checkouts of goes before what the image has.
        "PATH": f"{SHIMS}:{options.projects}/bin:{options.venv}/bin:{_SEARCH}",
        "PYTHONPATH": options.projects,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "ignore",
        "OS_CLOUD": "admin",
        **mark(),
    }


def mark() -> dict[str, str]:
    """What an executor finds all of a build by, on a host that stays when the build ends; elsewhere nothing."""
    return {name: value for name, value in os.environ.items() if name == "GATEBOT_NODE"}


def _shipped(options: Options, name: str, target: Path) -> None:
    """The files for /etc that come with a project, those of its checkout if the build has one."""
    for above in (options.projects, options.venv):
        source = Path(above, "etc", name)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
            return


def _files(options: Options) -> dict[str, str]:
    return configs.files(options) | (swift.files(options) if Service.SWIFT in options else {})


def prepare(options: Options) -> None:
    """Every file that services read, every directory that they write to, and what stands for programs of root."""
    hosts.name(options)
    for place in _PLACES:
        Path(place).mkdir(parents=True, exist_ok=True)
    configure(options)
    shims.write(options)
    shims.accounts()


def configure(options: Options) -> None:
    """Every file that services read; once more, and they are those of other checkouts."""
    for name in ("glance", "nova", "neutron", "cinder"):
        if name in options.services:
            _shipped(options, name, Path("/etc", name))
    for name in ("nova", "cinder"):
        if name in options.services:
            _shipped(options, "os-brick/rootwrap.d", Path("/etc", name, "rootwrap.d"))
    for path, content in _files(options).items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(content)
    for name in ("nova", "neutron", "cinder"):
        rootwrap = Path("/etc", name, "rootwrap.conf")
        if rootwrap.is_file():
            lines = rootwrap.read_text().splitlines()
            places = "exec_dirs=" + environment(options)["PATH"].replace(":", ",")
            told = (places if line.startswith("exec_dirs") else line for line in lines)
            rootwrap.write_text("\n".join((*told, "")))
    Path("/etc/cinder").mkdir(exist_ok=True)
    Path("/etc/cinder/nfs_shares").write_text(f"127.0.0.1:{base.SHARE}\n")


async def bring_up(options: Options, processes: Processes, sockets: Sequence[int] = ()) -> None:
    """The cloud, ready to be used; or one more host of it, over sockets that lead to the controller."""
    if options.role is Role.COMPUTE:
        await _one_more(options, processes, sockets)
    else:
        await _whole(options, processes, sockets)


async def _one_more(options: Options, processes: Processes, sockets: Sequence[int]) -> None:
    with processes.step("configuration"):
        prepare(options)
        await hosts.connect(options, processes, sockets)
    with processes.step("what services stand on"):
        await base.begin(options, processes, known=True)
    await services.join(options, services.Starter(options, processes))


async def _whole(options: Options, processes: Processes, sockets: Sequence[int]) -> None:
    """From a state that was kept, if there is one."""
    kept = _kept()
    if kept is not None:
        with processes.step("kept state"):
            await asyncio.to_thread(state.restore, kept)
    with processes.step("configuration"):
        prepare(options)
        await hosts.connect(options, processes, sockets)
    known = kept is not None
    start = services.Starter(options, processes)
    with processes.step("what services stand on"):
        parts = [base.begin(options, processes, known=known)]
        if known:
            parts.append(services.first(options, start))
        await asyncio.gather(*parts)
    if not known:
        with processes.step("tables"):
            await data.migrate(options, processes)
        await services.first(options, start)
    await services.begin(options, start, known=known)


async def keep_state(options: Options, processes: Processes, target: Path) -> None:
    """Make what a cloud of these services begins with, and write it to a file."""
    with processes.step("configuration"):
        prepare(options)
    with processes.step("what services stand on"):
        await base.begin(options, processes, known=False)
    with processes.step("tables"):
        await data.migrate(options, processes)
    await services.keystone_alone(options, processes)
    with processes.step("everything has ended"):
        await base.end(options, processes)
    with processes.step("state packed"):
        await asyncio.to_thread(state.pack, target)


def _kept() -> Path | None:
    """The state that the job found for this cloud."""
    found = Path("/work/state").glob(f"*{state.SUFFIX}")
    return next(found, None)
