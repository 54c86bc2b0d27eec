# SPDX-License-Identifier: Apache-2.0
"""The provider `container`: containers of podman on this machine, for images that a registry has.

A node is one container: a read-only root, memory file systems of the promised size for what a job writes, no
capabilities, podman's own filter of system calls, a process that reaps what is left. Its store and its settings are its
own, apart from those of the people on this machine. Nothing is pulled but what a label names, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from uuid import uuid4

from ...architectures import canonical
from ...errors import Unavailable
from ...reasons import Reason, reason
from ..model import MIB, Label, Network, Places
from . import rootless, seccomp
from .bubblewrap import HOME, OWN, PLAY
from .container_ids import remedies
from .making import Making
from .model import Broker, Capacity, NodeRequest, Platform
from .pausing import Pauses
from .ports import Output
from .remote_shell import BOOT
from .shells import Line, ProcessChannel, ShellConnection

_INIT = "catatonit"
_USER = "1000:1000"
_LABEL = "org.gatebot.instance"
_NAME = "gatebot-"
#: What a job may write to, each up to the disk of its label.
_WRITABLE = (HOME, PLAY, "/tmp", "/var/tmp")  # noqa: S108 - in the container
_PROBE = Label("probe", network=Network.NONE, memory=64 * MIB, disk=16 * MIB, cpus=1.0, processes=64)


@dataclass(frozen=True, slots=True)
class Podman:
    """The program with settings of its own below `root`: it raises no limit, and keeps its images there."""

    root: Path
    program: str = "podman"

    def write(self) -> None:
        """Put its settings there."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        runtime = 'runtime = "runc"\n' if shutil.which("runc", path=_PATH) else ""
        (self.root / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n'
            f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\ntmp_dir = "{self.root}/of"\n{runtime}'
        )
        (self.root / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{self.root}/store"\nrunroot = "{self.root}/run"\n'
        )
        if (given := next(filter(Path.exists, _PROFILES), None)) is not None:
            self.calls.write_text(json.dumps(seccomp.profile(json.loads(given.read_bytes()))))

    @property
    def calls(self) -> Path:
        """The filter of system calls, where podman brings the profile that it is made of."""
        return self.root / "seccomp.json"

    @property
    def environment(self) -> dict[str, str]:
        """What makes it use these settings."""
        return {
            "PATH": _PATH,
            "HOME": str(self.root),
            "CONTAINERS_CONF": f"{self.root}/containers.conf",
            "CONTAINERS_STORAGE_CONF": f"{self.root}/storage.conf",
            "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", str(self.root / "of")),
            "XDG_CONFIG_HOME": str(self.root),
        }

    async def ask(self, *argv: str) -> str:
        """Run it to its end; what it printed. Raises `Unavailable` with the end of what it complained of.

        It leaves files where it is called: a container whose memory runs out one with the name `oom`.
        """
        process = await asyncio.create_subprocess_exec(
            self.program,
            *argv,
            env=self.environment,
            cwd=self.root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        printed, said = await process.communicate()
        if process.returncode:
            told = said.decode("utf-8", "replace").strip()[-500:]
            raise Unavailable(reason=reason("executor.container-failed", verb=argv[0], told=told))
        return printed.decode("utf-8", "replace").strip()


#: Where podman's own profile is; /etc is its administrator's word.
_PROFILES = (Path("/etc/containers/seccomp.json"), Path("/usr/share/containers/seccomp.json"))
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(slots=True)
class Containers:
    """Nodes that are containers. `image` is what labels without one of their own get."""

    podman: Podman
    instance: str
    site: str
    image: str
    slots: int = 0
    layered: bool = field(default=False, init=False)
    _limited: bool = field(default=True, init=False)
    _begun: bool = field(default=False, init=False)
    _making: Making = field(default_factory=Making, init=False)
    _pulling: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"], init=False)
    _pauses: Pauses = field(default_factory=lambda: Pauses(time.monotonic), init=False)
    _lines: dict[str, Line] = field(default_factory=dict[str, Line], init=False)

    async def probe(self) -> Capacity | Reason:
        """Run a container of the usual image for real; where limits cannot be had, that is said.

        What failed is tried again ever more seldom, at once only where the user has other ids than then.
        """
        ids = rootless.ids()
        if (failed := self._pauses.still(ids)) is not None:
            return failed
        for program, package in ((self.podman.program, "podman"), (_INIT, "catatonit")):
            if shutil.which(program, path=_PATH) is None:
                return reason("executor.program-missing", program=program, package=package)
        self.podman.write()
        node = uuid4().hex
        try:
            if not self._begun:
                await self._let_go()
                self._begun = True
            await self._pull(self.image)
            limits = await self._limits(node)
        except Unavailable as problem:
            return self._pauses.still(ids) or self._pauses.failed(self._why(problem), ids)
        finally:
            with contextlib.suppress(Unavailable):  # what cannot be removed was not made, or is found by `list_owned`
                await self.destroy(node)
        self._pauses.over()
        slots = self.slots or max(os.cpu_count() or 1, 2)
        return Capacity((Platform(canonical(platform.machine())),), slots, limits)

    def _why(self, problem: Unavailable) -> Reason:
        """The same with what helps, where the user of the server has too few ids for what images hold."""
        why = problem.reason or reason("executor.provider-failed", told=str(problem))
        if os.geteuid() == 0:
            return why
        told = (str(why.get("told")), rootless.user(), rootless.ids(), rootless.unused(), self.podman.environment)
        return Reason(why.kind, why.params, (*why.because, *remedies(*told)))

    async def _limits(self, node: str) -> str:
        """Make a container with limits, or else without; the name of what limits it."""
        self._limited = True
        told = cast("dict[str, dict[str, str]]", json.loads(await self.podman.ask("info", "--format", "json")))
        try:
            await self._run(node, _PROBE)
            rootless = os.geteuid() != 0 and told["host"].get("cgroupVersion") == "v1"
            self._limited = not rootless
        except Unavailable:
            await self.destroy(node)
            self._limited = False
            await self._run(node, _PROBE)
        return f"cgroup{told['host'].get('cgroupVersion', '')[-1:]}" if self._limited else "none"

    async def create(self, request: NodeRequest) -> None:
        """Begin to make the container; an image that is not there is pulled first."""
        self._making.begin(request.node, lambda: self._make(request.node, request.label))

    async def _make(self, node: str, label: Label) -> None:
        await self._pull(self._image(label))
        await self._run(node, label)

    async def wait_ready(self, node: str, deadline: float) -> None:
        """Return when the container runs; a pull that takes longer goes on, for the next attempt."""
        await self._making.ready(node, deadline)

    def places(self, node: str) -> Places:
        """The same in every container."""
        return Places(HOME, PLAY, self.site, OWN)

    def connect(self, node: str) -> ShellConnection:
        """Run commands in the container."""

        async def opened(first: bytes, source: int | None, output: Output) -> ProcessChannel:
            argv = (self.podman.program, "exec", "-i", "--user", _USER, f"{_NAME}{node}", *BOOT)
            root = self.podman.root
            return await ProcessChannel.open(argv, self.podman.environment, first, source, output, root)

        return ShellConnection(self._lines.setdefault(node, Line(node, opened, Broker(), whole=True)))

    async def freeze(self, node: str, frozen: bool = True) -> None:
        """Stop all its processes, or let them go on; by signals where there is no control group to stop them."""
        if self._limited:
            await self.podman.ask("pause" if frozen else "unpause", f"{_NAME}{node}")
        else:
            await self.connect(node).signal("STOP" if frozen else "CONT")

    async def destroy(self, node: str) -> None:
        """Take the container away with all that is in it."""
        await self._making.end(node, cancel=True)
        await self.podman.ask("rm", "--force", "--ignore", "--time", "0", f"{_NAME}{node}")
        line = self._lines.pop(node, None)
        if line is not None:
            await line.close()

    async def close(self) -> None:
        """Let go of what is open, and of pulls."""
        for line in self._lines.values():
            await line.close()
        for pulling in self._pulling.values():
            pulling.cancel()
        if self._pulling:
            await asyncio.wait(self._pulling.values())
        if self._begun:
            with contextlib.suppress(Unavailable):
                await self._let_go()

    async def list_owned(self) -> tuple[str, ...]:
        """The containers that carry the mark of this executor."""
        filters = ("--filter", f"label={_LABEL}={self.instance}")
        told = await self.podman.ask("ps", "--all", *filters, "--format", "{{.Names}}")
        return tuple(sorted(name.removeprefix(_NAME) for name in told.split()))

    # -- what these are made of -----------------------------------------------------------------

    async def _let_go(self) -> None:
        """Where no container needs them, end what podman leaves running, and let it look at the user's ids again."""
        if os.geteuid() != 0 and not await self.list_owned():
            await self.podman.ask("system", "migrate")

    def _image(self, label: Label) -> str:
        return self.image if label.image == "default" else label.image

    async def _pull(self, image: str) -> None:
        """Have an image, once for all who want it."""
        known = self._pulling.get(image)
        if known is None or (known.done() and (known.cancelled() or known.exception() is not None)):
            known = self._pulling[image] = asyncio.create_task(self._have(image))
        await asyncio.shield(known)

    async def _have(self, image: str) -> None:
        try:
            await self.podman.ask("image", "exists", image)
        except Unavailable:
            try:
                await self.podman.ask("pull", "--quiet", image)
            except Unavailable as problem:
                if image == self.image:  # whoever probed may have given up waiting
                    self._pauses.failed(self._why(problem), rootless.ids())
                raise

    async def _run(self, node: str, label: Label) -> None:
        options = _options(label, limited=self._limited)
        await self.podman.ask("run", *options, *self._marks(node), self._image(label), "-P")
        # A memory file system over a directory of the image has what that allows, whatever is asked for.
        await self.podman.ask("exec", "--user", "0:0", f"{_NAME}{node}", "chmod", "1777", *_WRITABLE, OWN)

    def _marks(self, node: str) -> Sequence[str]:
        init = f"{shutil.which(_INIT, path=_PATH)}:/run/gatebot-init:ro"
        calls = ("--security-opt", f"seccomp={self.podman.calls}") if self.podman.calls.exists() else ()
        return (
            *calls,
            *("--name", f"{_NAME}{node}", "--label", f"{_LABEL}={self.instance}"),
            *("--volume", init, "--entrypoint", "/run/gatebot-init"),
        )


def _options(label: Label, *, limited: bool) -> list[str]:
    """What keeps a container apart; what a job writes is memory, and charged to it."""
    line = ["--detach", "--pull", "never", "--hostname", "node", "--read-only", "--cap-drop", "all"]
    line += ["--security-opt", "no-new-privileges", "--user", "0:0", "--workdir", "/"]
    line += ["--network", "none" if label.network is Network.NONE else "slirp4netns"]
    for place in _WRITABLE:
        line += ["--tmpfs", f"{place}:rw,exec,nosuid,nodev,size={label.disk}"]
    line += ["--tmpfs", f"/run:rw,nosuid,nodev,size={16 * MIB}"]
    line += ["--tmpfs", f"{OWN}:rw,noexec,nosuid,nodev,size={16 * MIB}"]
    if limited:
        line += ["--memory", str(label.memory + label.disk), "--pids-limit", str(label.processes)]
        line += ["--cpus", str(label.cpus)]
    return line
