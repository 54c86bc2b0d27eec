# SPDX-License-Identifier: Apache-2.0
"""The sandbox of a node from its start to its end: made once by bubblewrap, then entered by one command after another.

What a command leaves running lives on until the node is taken away. A command that must be alone (it is given secrets)
gets a sandbox of its own over the same files instead. Only the privileged process uses this; what is entered here
is what bubblewrap made, so everything is given up again before the first byte of the job runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from . import grounds, kernel
from .bubblewrap import INSIDE_UID, MAPPING, Box, options
from .checks import Run

#: In this order: the user namespace last, because until then its rights over the others are needed.
_SPACES = ("mnt", "ipc", "uts", "cgroup", "user")
_PATH = "/usr/bin:/bin"
_PATIENCE = 2.0
#: Waits for ever, after a word that all is mounted.
KEEPER = ("/bin/sh", "-c", "echo; read -r _")


@dataclass(frozen=True, slots=True)
class Streams:
    """Where a command prints to, and what it reads from, open; None: there is nothing to read."""

    output: int
    source: int | None

    def kept(self) -> Streams:
        """The same, to be closed by itself."""
        return Streams(os.dup(self.output), None if self.source is None else os.dup(self.source))

    def close(self) -> None:
        """Let go of both."""
        os.close(self.output)
        if self.source is not None:
            os.close(self.source)

    def three(self) -> tuple[int, int, int]:
        """Standard input, output and error."""
        nothing = os.open("/dev/null", os.O_RDONLY) if self.source is None else self.source
        return nothing, self.output, self.output


@dataclass(frozen=True, slots=True)
class Ground:
    """What every process of a node is, before it is in a sandbox. `enter` puts it into the node's control groups.

    `foreign` tells the kernel of the emulator for the node's programs; only what becomes a sandbox has to. `users` is
    the user namespace of a node that has a range of ids, open.
    """

    uid: int | None
    network: int | None
    alone: tuple[int, int] | None
    enter: Callable[[], None]
    foreign: Callable[[], None] | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """A running sandbox. `spaces` are its namespaces, open; `process` is bubblewrap; closing `kept` would end it.

    `first` is the process that all others in it end with, open.
    """

    process: int
    kept: int
    first: int
    spaces: Mapping[str, int]

    def close(self) -> None:
        """Let go of it; it ends."""
        for descriptor in (self.kept, self.first, *self.spaces.values()):
            os.close(descriptor)

    def kill(self) -> None:
        """End it now: the kernel lets the first process go when all others are gone, and ours there are waited for."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
            select.select([self.first], [], [], _PATIENCE)


@dataclass(frozen=True, slots=True)
class Making:
    """A sandbox that bubblewrap is making: readable on `told` when it is ready, or cannot be made."""

    process: int
    kept: int
    told: int
    info: int

    def said(self) -> str:
        """What bubblewrap said before it ended, as far as it is there."""
        readable, _, _ = select.select([self.told], [], [], 0)
        return _told(os.read(self.told, 4096) if readable else b"")

    def finished(self) -> Inside | str:
        """What was made; a text says why it was not, and nothing of it is open any more."""
        made = self._made()
        os.close(self.told)
        os.close(self.info)
        if isinstance(made, str):
            os.close(self.kept)
        return made

    def _made(self) -> Inside | str:
        said = os.read(self.told, 4096)
        if said != b"\n":
            return _told(said)
        opened: list[int] = []
        try:
            inner = int(json.loads(os.read(self.info, 4096))["child-pid"])
            opened.append(os.pidfd_open(inner))
            opened.extend(os.open(f"/proc/{inner}/ns/{name}", os.O_RDONLY) for name in ("pid", *_SPACES))
        except (OSError, ValueError, KeyError) as problem:
            for descriptor in opened:
                os.close(descriptor)
            return str(problem)
        first, *spaces = opened
        return Inside(self.process, self.kept, first, dict(zip(("pid", *_SPACES), spaces, strict=True)))


def _told(said: bytes) -> str:
    return said.decode("utf-8", "replace").strip() or "bubblewrap ended"


@dataclass(slots=True)
class Node:
    """A node. `waiting` are commands, with their streams, that came before its sandbox was ready.

    `ids` is the first of its range of ids, for nodes that have one. `stopped` are commands that were told to end;
    `robbed`: its sandbox was killed from outside. `unmade` is bubblewrap that ended before its sandbox was ready.
    """

    ground: Ground
    box: Box
    runs: dict[str, int] = field(default_factory=dict[str, int])
    sandbox: Inside | Making | None = None
    waiting: list[tuple[Run, Streams]] = field(default_factory=list[tuple[Run, Streams]])
    ooms: int = 0
    ids: int | None = None
    stopped: set[str] = field(default_factory=set[str])
    robbed: bool = False
    unmade: int | None = None


def begin(box: Box, ground: Ground, calls: bytes) -> Making:
    """Start the sandbox of a node."""
    told, tell = os.pipe()
    waits, kept = os.pipe()
    info, informs = os.pipe()
    process = os.fork()
    if process == 0:
        given, users = _given(ground, {5: informs})
        line = [*options(box, {"PATH": _PATH}, "/", 3, users), "--info-fd", "5"]
        _become(ground, (waits, tell, tell), lambda: _bubblewrap(line, calls, given, KEEPER))
    for descriptor in (tell, waits, informs):
        os.close(descriptor)
    return Making(process, kept, told, info)


def run_apart(
    box: Box, ground: Ground, calls: bytes, argv: tuple[str, ...], env: Mapping[str, str], cwd: str,
    files: Mapping[str, str], streams: Streams,
) -> int:  # fmt: skip
    """Start a command in a sandbox of its own, with files in memory that only it sees; its process."""
    process = os.fork()
    if process == 0:
        contents = {number: grounds.in_memory(text.encode()) for number, text in enumerate(files.values(), start=5)}
        given, users = _given(ground, contents)
        line = options(box, env, cwd, 3, users)
        for number, path in zip(contents, files, strict=True):
            line += ["--perms", "0600", "--file", str(number), path]
        _become(ground, streams.three(), lambda: _bubblewrap(line, calls, given, argv))
    return process


def run_inside(
    inside: Inside, ground: Ground, calls: bytes, argv: tuple[str, ...], env: Mapping[str, str], cwd: str,
    streams: Streams,
) -> int:  # fmt: skip
    """Start a command in the node's sandbox; its process."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    kernel.enter(inside.spaces["pid"])  # meant for children only
    process = -1
    try:
        process = os.fork()
    finally:  # in the parent, whatever happened; the child is where it belongs
        if process != 0:
            kernel.enter(own)
            os.close(own)
    if process == 0:
        kept = () if ground.users is None else tuple(MAPPING.values())
        _become(ground, streams.three(), lambda: _enter(inside, calls, argv, env, cwd, kept), drop=False)
    return process


def _become(ground: Ground, streams: tuple[int, int, int], go: Callable[[], None], *, drop: bool = True) -> None:
    """In the child: into the node's groups and network; never returns."""
    try:
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        ground.enter()
        if ground.network is not None:
            kernel.enter(ground.network)
        grounds.limit(ground.alone)
        if ground.uid is not None:
            os.setgroups([])
            if drop:
                os.setresgid(ground.uid, ground.uid, ground.uid)
                os.setresuid(ground.uid, ground.uid, ground.uid)
        if drop and ground.foreign is not None:
            ground.foreign()
        # Python and the privileged process ignore some, `nohup` and a shell's `&` others; jobs ignore none.
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.umask(0o022)
        go()
    except BaseException as problem:
        os.write(2, f"gatebot: the sandbox could not be started: {problem}\n".encode())
    finally:
        os._exit(125)


def _given(ground: Ground, given: Mapping[int, int]) -> tuple[Mapping[int, int], int | None]:
    """What bubblewrap is given open, from 5 on; and under which number the user namespace is, if there is one."""
    if ground.users is None:
        return given, None
    number = 5 + len(given)
    return {**given, number: ground.users}, number


def _bubblewrap(line: list[str], calls: bytes, given: Mapping[int, int], argv: tuple[str, ...]) -> None:
    """Become bubblewrap; what it is told and given comes through descriptors, never on its command line."""
    told = grounds.in_memory("".join(f"{option}\0" for option in line).encode())
    high = {number: os.dup2(descriptor, 100 + number, inheritable=True) for number, descriptor in given.items()}
    os.dup2(grounds.in_memory(calls), 3)
    os.dup2(told, 4)
    for number, descriptor in high.items():
        os.dup2(descriptor, number)
    os.closerange(5 + len(given), 4096)
    kernel.never_gain_privileges()
    os.execvpe("bwrap", ["bwrap", "--args", "4", "--", *argv], {"PATH": _PATH})  # noqa: S606


def _enter(
    inside: Inside, calls: bytes, argv: tuple[str, ...], env: Mapping[str, str], cwd: str, kept: tuple[int, ...]
) -> None:
    """Become a command in a sandbox that runs: of what this process was allowed to do only `kept` is left then."""
    for name in _SPACES:
        kernel.enter(inside.spaces[name])
    os.closerange(3, 4096)
    kernel.give_up_capabilities(kept)
    os.setresgid(INSIDE_UID, INSIDE_UID, INSIDE_UID)
    os.setresuid(INSIDE_UID, INSIDE_UID, INSIDE_UID)
    kernel.hand_on_capabilities(kept)
    kernel.hide_memory()
    os.setsid()
    kernel.never_gain_privileges()
    kernel.refuse_calls(calls)
    try:
        os.chdir(cwd)
        _execute(argv, env)
    except OSError as problem:
        os.write(2, f"{argv[0]}: {problem.strerror}\n".encode())
        os._exit(127)


def _execute(argv: tuple[str, ...], env: Mapping[str, str]) -> None:
    """Look for the program as a shell does; raises what the last place said."""
    name = argv[0]
    places = [""] if "/" in name else [f"{place}/" for place in env.get("PATH", _PATH).split(":")]
    last = FileNotFoundError(2, "No such file or directory")
    for place in places:
        try:
            os.execve(f"{place}{name}", argv, dict(env))  # noqa: S606
        except (FileNotFoundError, NotADirectoryError):
            continue
    raise last
