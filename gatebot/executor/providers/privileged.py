# SPDX-License-Identifier: Apache-2.0
"""The small process beside the server that may do what the server may not: mounts, groups, job uids.

It runs as root, or as root of a user namespace where the server has no root to give. It knows a few verbs,
read from one socket, and checks every argument again: whoever takes over the server can start jobs in
sandboxes here, and nothing else. It ends, and every job with it, when the server's end of the socket closes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
from typing import Any

from ..model import HOST_IMAGE
from . import grounds, inside, kernel, nesting, processes, seccomp, switch
from .answering import Answer, Answering, Verb
from .cgroups import Cgroups, Limits
from .checks import Config, Create, Refusal, Run, checked_create, checked_run, neighbours_of, node_of, run_of
from .emulation import Emulator, registration
from .owning import Occupied
from .sweeping import Sweeper

#: A private mount over a directory that every system has and no job sees: where the jobs' uids can walk.
ROOM = "/mnt"
#: Where a node's own binfmt_misc is mounted, out of its sight.
FOREIGN = f"{ROOM}/foreign"


class Privileged:
    """All state of the process."""

    def __init__(self, config: Config, channel: socket.socket) -> None:
        self._config = config
        self._server = Answering(channel)
        self._nodes: dict[str, inside.Node] = {}
        self._groups = Cgroups.probe(config.instance)
        self._layers = Sweeper(f"{ROOM}/layers")
        self._filters = {nested: seccomp.compiled(nested=nested) for nested in (False, True)}
        self._emulators = {arch: registration(Emulator(arch, path)) for arch, path in config.emulators}

    def prepare(self) -> None:
        """Lay out the private room and show in it what jobs may be shown."""
        kernel.private_mounts()
        kernel.mount_tmpfs(ROOM, 16 << 20, 65536)
        for name, source in (("layers", self._config.layers), ("images", self._config.images)):
            os.mkdir(f"{ROOM}/{name}")
            kernel.bind(source, f"{ROOM}/{name}", read_only=False)
        os.mkdir(FOREIGN)
        nesting.prepare(ROOM, machine_root=self._config.machine_root)
        os.mkdir(f"{ROOM}/nodes")
        grounds.show(f"{ROOM}/shown", [source for source, _ in self._config.shown])
        for left in self._groups.list() if self._groups else ():
            self._ungrouped(left)
        self._layers.take_all()

    def serve(self) -> None:
        """Answer until the other end closes."""
        verbs: dict[str, Verb] = {
            "hello": self._hello,
            "create": self._create,
            "run": self._run,
            "stop": self._stop,
            "kill": self._kill,
            "freeze": self._freeze,
            "destroy": self._destroy,
            "list": self._list,
            "join": self._join,
        }
        self._server.serve(verbs, self._end)

    # -- verbs ----------------------------------------------------------------------------------

    def _hello(self, _asked: dict[str, Any], _given: list[int]) -> Answer:
        limits = self._groups.version if self._groups else "rlimits"
        return {"limits": limits, "ranges": self._config.range_count}, []

    def _create(self, asked: dict[str, Any], _given: list[int]) -> Answer:
        wanted = checked_create(asked, self._config)
        if wanted.node in self._nodes:
            return {}, []
        uid, ids = self._free_uid(), self._free_range(wanted)
        users: int | None = None
        network: int | None = None
        listening: list[int] = []
        try:
            self._mount(wanted, uid, ranged=ids is not None)
            if self._groups is not None:
                # What jobs write is memory here, and is charged to them.
                self._groups.create(wanted.node, Limits(wanted.memory + wanted.disk, wanted.processes, wanted.cpus))
                if uid is not None and ids is not None:
                    self._groups.delegate(wanted.node, uid)
            if wanted.network != "full":
                network, listens = grounds.network(wanted.network == "mirrors")
                listening = [] if listens is None else [listens]
            if uid is not None and ids is not None:
                users = grounds.users(uid, ids, self._alone(wanted))
        except BaseException:
            self._clear(wanted.node, network, users)
            self._ungrouped(wanted.node)
            raise
        groups = self._groups
        told = self._emulators.get(wanted.emulates)
        foreign = None if told is None else lambda: grounds.foreign(uid, FOREIGN, told)
        enter = lambda: groups.enter(wanted.node) if groups else None  # noqa: E731
        ground = inside.Ground(uid, network, self._alone(wanted), enter, foreign, users)
        shown = [(f"{ROOM}/shown/{index}", target) for index, (_, target) in enumerate(self._config.shown)]
        host, full, lock = wanted.image == HOST_IMAGE, network is None, self._config.lock_namespaces
        root = f"{ROOM}/nodes/{wanted.node}/root"
        box = grounds.box(root, shown, memory=wanted.memory, host=host, full=full, lock=lock)
        if wanted.nested:
            box = nesting.opened(box, ROOM, wanted.node, network)
        node = self._nodes[wanted.node] = inside.Node(ground, box, ids=ids)
        self._begin(node)
        return {}, listening

    def _mount(self, wanted: Create, uid: int | None, *, ranged: bool) -> None:
        """The node's root: the layer over the image, and a memory file system of the promised size on top."""
        room = f"{ROOM}/nodes/{wanted.node}"
        os.makedirs(f"{room}/disk")
        os.mkdir(f"{room}/root")
        with contextlib.ExitStack() as opened:
            # By descriptor, so that neither can be exchanged for a link to somewhere else.
            layer, image = (
                os.open(path, os.O_DIRECTORY | os.O_NOFOLLOW)
                for path in (f"{ROOM}/layers/{wanted.node}", f"{ROOM}/images/{wanted.image}")
            )
            opened.callback(os.close, layer)
            opened.callback(os.close, image)
            if uid is not None:
                grounds.give(layer, self._config.server_uid, uid)
            kernel.mount_tmpfs(f"{room}/disk", wanted.disk, max(wanted.disk // 8192, 4096))
            for name in ("upper", "work", "upper/tmp", "upper/var", "upper/var/tmp"):
                os.mkdir(f"{room}/disk/{name}", 0o755)
            for name in ("tmp", "var/tmp"):
                os.chmod(f"{room}/disk/upper/{name}", 0o1777)  # noqa: S103 - as they are everywhere
            if ranged:
                nesting.tell_range(f"{room}/disk/upper")
            for index, (_, target) in enumerate(self._config.shown):
                grounds.place(f"{room}/disk/upper{target}", os.path.isdir(f"{ROOM}/shown/{index}"))
            lower = [f"/proc/self/fd/{layer}", f"/proc/self/fd/{image}"]
            kernel.mount_overlay(
                f"{room}/root", lower, f"{room}/disk/upper", f"{room}/disk/work", user=not self._config.machine_root
            )

    def _run(self, asked: dict[str, Any], given: list[int]) -> Answer:
        wanted = checked_run(asked)
        node = self._nodes.get(wanted.node)
        if node is None or len(given) not in (1, 2):
            raise Refusal("no such node, or no output given")
        streams = inside.Streams(given[0], given[1] if len(given) > 1 else None)
        if wanted.apart:
            process = inside.run_apart(
                node.box, node.ground, self._calls(node), wanted.argv, wanted.env, wanted.cwd, wanted.files, streams
            )
            self._began(node, wanted, process)
            return {}, []
        if isinstance(node.sandbox, inside.Inside):
            if not self._run_inside(node, node.sandbox, wanted, streams):
                return {}, []
            self._leave(node)  # it has ended, which will be heard of
        if node.sandbox is None:  # it ended with everything in it
            self._begin(node)
        node.waiting.append((wanted, streams.kept()))
        return {}, []

    def _begin(self, node: inside.Node) -> None:
        """Start the node's sandbox; commands wait until it is ready."""
        making = node.sandbox = inside.begin(node.box, node.ground, self._calls(node))
        self._server.watch(making.told, lambda: self._ready(node, making))
        watcher = os.pidfd_open(making.process)
        self._server.watch(watcher, lambda: self._gone(node, making.process, watcher))

    def _ready(self, node: inside.Node, making: inside.Making) -> None:
        self._server.unwatch(making.told)
        made = making.finished()
        if node.sandbox is not making:  # killed meanwhile; another may be begun
            if isinstance(made, inside.Inside):
                made.close()
            return
        if not isinstance(made, inside.Inside):
            node.sandbox, node.unmade = None, making.process
            self._unmade(node, made)
            return
        node.sandbox = made
        waiting, node.waiting = node.waiting, []
        for wanted, streams in waiting:
            if problem := self._run_inside(node, made, wanted, streams):
                self._not_run(node, wanted, streams, problem)
            streams.close()

    def _unmade(self, node: inside.Node, problem: str) -> None:
        """End the commands that waited for a sandbox which there will not be."""
        waiting, node.waiting = node.waiting, []
        for wanted, streams in waiting:
            self._not_run(node, wanted, streams, problem)
            streams.close()

    def _not_run(self, node: inside.Node, wanted: Run, streams: inside.Streams, problem: str) -> None:
        os.write(streams.output, f"gatebot: the sandbox could not be made: {problem}\n".encode())
        self._end_later(node, {"ended": wanted.run, "status": 125, "oom": False, "full": False})

    def _end_later(self, node: inside.Node, ended: dict[str, Any]) -> None:
        """Tell of a command's end when it is known whether somebody killed the sandbox under it."""
        self._server.later(lambda: self._server.send({**ended, "robbed": node.robbed}, []))

    def _gone(self, node: inside.Node, process: int, watcher: int) -> None:
        """The sandbox of a node ended: with the node, or killed from inside, also before it was ready."""
        self._server.unwatch(watcher)
        os.close(watcher)
        _, status = os.waitpid(process, 0)
        current = node.sandbox is not None and node.sandbox.process == process
        if current or node.unmade == process:
            # Jobs cannot see the process that watches over their sandbox: whoever killed it is not one of them.
            node.robbed |= os.WIFSIGNALED(status)
        if current:
            making = node.sandbox if isinstance(node.sandbox, inside.Making) else None
            self._leave(node)
            if making is not None:  # what it had begun may wait for it for ever, and be heard of no more
                self._unmade(node, making.said())

    def _leave(self, node: inside.Node) -> None:
        """The next command begins a new sandbox."""
        if isinstance(node.sandbox, inside.Inside):
            node.sandbox.close()
        node.sandbox = None

    def _run_inside(self, node: inside.Node, sandbox: inside.Inside, wanted: Run, streams: inside.Streams) -> str:
        """Start a command in the node's sandbox; what is in the way where it cannot be."""
        try:
            process = inside.run_inside(
                sandbox, node.ground, self._calls(node), wanted.argv, wanted.env, wanted.cwd, streams
            )
        except OSError as problem:
            return str(problem)
        self._began(node, wanted, process)
        return ""

    def _began(self, node: inside.Node, wanted: Run, process: int) -> None:
        node.runs[wanted.run] = process
        watcher = os.pidfd_open(process)
        self._server.watch(watcher, lambda: self._ended(wanted.node, wanted.run, process, watcher))

    def _stop(self, asked: dict[str, Any], _given: list[int]) -> Answer:
        """End one command and what it started; what left it to live on, lives on."""
        node, run = self._nodes.get(node_of(asked)), run_of(asked)
        if node is not None and run in node.runs:
            node.stopped.add(run)
            processes.kill_tree(node.runs[run])
        return {}, []

    def _kill(self, asked: dict[str, Any], _given: list[int]) -> Answer:
        name = node_of(asked)
        node = self._nodes.get(name)
        if node is not None:
            self._kill_all(name, node)
        return {}, []

    def _freeze(self, asked: dict[str, Any], _given: list[int]) -> Answer:
        name, frozen = node_of(asked), bool(asked.get("frozen"))
        node = self._nodes.get(name)
        if node is None:
            raise Refusal("no such node")
        if self._groups is not None:
            self._groups.freeze(name, frozen)
        else:
            for process in node.runs.values():
                os.kill(process, signal.SIGSTOP if frozen else signal.SIGCONT)
        return {}, []

    def _destroy(self, asked: dict[str, Any], _given: list[int]) -> Answer:
        """Also of a node that is not there any more: what of it could not be taken away is tried again."""
        name = node_of(asked)
        node = self._nodes.pop(name, None)
        if node is not None:
            self._kill_all(name, node)
            self._clear(name, node.ground.network, node.ground.users)
        self._layers.take(name)
        if not self._ungrouped(name):
            raise Refusal("its processes do not end")
        return {}, []

    def _list(self, _asked: dict[str, Any], _given: list[int]) -> Answer:
        return {"nodes": sorted(self._nodes)}, []

    def _join(self, asked: dict[str, Any], _given: list[int]) -> Answer:
        nodes = [self._nodes.get(name) for name in neighbours_of(asked)]
        switch.join([None if node is None else node.ground.network for node in nodes])
        return {}, []

    # -- what the verbs are made of -------------------------------------------------------------

    def _clear(self, name: str, *spaces: int | None) -> None:
        """Take away what a node stands on."""
        for place in ("root", "disk", "sys"):
            with contextlib.suppress(OSError):
                kernel.unmount(f"{ROOM}/nodes/{name}/{place}")
        shutil.rmtree(f"{ROOM}/nodes/{name}", ignore_errors=True)
        for space in spaces:
            if space is not None:
                os.close(space)

    def _ungrouped(self, name: str) -> bool:
        """Take the groups of a node away, with what may still be in them; whether they are gone."""
        if self._groups is None:
            return True
        self._groups.kill(name)
        return self._groups.remove(name)

    def _calls(self, node: inside.Node) -> bytes:
        return self._filters[node.box.nested]

    def _free_uid(self) -> int | None:
        return grounds.free_uid(self._config, {node.ground.uid for node in self._nodes.values()})

    def _free_range(self, wanted: Create) -> int | None:
        """For nested nodes; programs of other architectures are told of in a user namespace that has none."""
        if not wanted.nested or wanted.emulates:
            return None
        return grounds.free_range(self._config, {node.ids for node in self._nodes.values()})

    def _alone(self, wanted: Create) -> tuple[int, int] | None:
        """What its processes are limited to one by one, where no control groups limit them."""
        return None if self._groups else (wanted.memory, wanted.processes)

    def _kill_all(self, name: str, node: inside.Node) -> None:
        for wanted, streams in node.waiting:
            streams.close()
            self._server.send({"ended": wanted.run, "status": -signal.SIGKILL, "oom": False, "full": False}, [])
        node.waiting.clear()
        node.stopped.update(node.runs)
        if self._groups is not None:
            self._groups.kill(name)
        sandbox = [node.sandbox.process] if node.sandbox is not None else []
        for process in (*sandbox, *node.runs.values()):
            processes.kill_tree(process)  # of a sandbox that is being made the parent alone would leave its child
        if self._groups is None and not node.runs and isinstance(node.sandbox, inside.Inside):
            node.sandbox.kill()
        self._leave(node)

    def _ended(self, name: str, run: str, process: int, watcher: int) -> None:
        self._server.unwatch(watcher)
        os.close(watcher)
        _, status = os.waitpid(process, 0)
        node = self._nodes.get(name)
        found: dict[str, Any] = {"status": os.waitstatus_to_exitcode(status), "oom": False, "full": False}
        if node is not None:
            node.runs.pop(run, None)
            if self._groups is not None:
                ooms = self._groups.oom_kills(name)
                found["oom"], node.ooms = ooms > node.ooms, ooms
            disk = os.statvfs(f"{ROOM}/nodes/{name}/disk")
            found["full"] = disk.f_bavail == 0 or disk.f_favail == 0
            if found["status"] == -signal.SIGKILL and not found["oom"] and run not in node.stopped:
                self._end_later(node, {"ended": run, **found})
                return
        self._server.send({"ended": run, **found}, [])

    def _end(self) -> None:
        for name, node in self._nodes.items():
            self._kill_all(name, node)
            self._ungrouped(name)
            self._layers.take(name)
        self._layers.close()
        if self._groups is not None:
            self._groups.close()
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Start with the descriptor of the socket and the configuration as JSON."""
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    for number in (signal.SIGINT, signal.SIGTERM):  # the server decides when to end; a terminal's Ctrl-C reaches it
        signal.signal(number, signal.SIG_IGN)
    config = Config.from_json(json.loads(arguments[1]))
    try:
        privileged = Privileged(config, channel)
        privileged.prepare()
    except (OSError, Occupied) as problem:
        socket.send_fds(channel, [json.dumps({"error": str(problem)}).encode()], [])
        return
    os.dup2(1, 2)  # what went wrong until here was for the one who waits; from here on it is for the server's log
    socket.send_fds(channel, [b"{}"], [])
    privileged.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
