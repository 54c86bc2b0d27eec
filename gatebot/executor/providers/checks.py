# SPDX-License-Identifier: Apache-2.0
"""What the privileged process believes: every argument of every verb, checked from nothing.

Pure. A server that was taken over can send anything here; whatever does not fit exactly is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

from .bubblewrap import OWN
from .model import NODE_ID

_IMAGE = re.compile(r"[a-z0-9][a-z0-9._-]{0,100}")
_RUN = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_FILE = re.compile(rf"{OWN}/[a-z][a-z.-]{{0,40}}")
_FILES = 8
_MANY = 4096
_NEIGHBOURS = 100
_LARGEST = 1 << 44


class Refusal(Exception):
    """An argument is not what it may be."""


@dataclass(frozen=True, slots=True)
class Config:
    """What is fixed when the process starts, before the server reads anything from anybody.

    `shown` are (source, target) pairs that every job sees read-only. `full` allows the host's network. `emulators` are
    (architecture, path) of those that run foreign programs. There are `range_count` ranges of ids for nested nodes.
    """

    instance: str
    layers: str
    images: str
    shown: tuple[tuple[str, str], ...]
    server_uid: int
    uid_first: int
    uid_count: int
    range_first: int
    range_count: int
    machine_root: bool
    lock_namespaces: bool
    full: bool
    emulators: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, object]:
        """For the command line."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Config:
        """From the command line, which only the server's start writes."""
        shown = cast("list[list[str]]", value["shown"])
        emulators = cast("list[list[str]]", value["emulators"])
        rest = {name: item for name, item in value.items() if name not in ("shown", "emulators")}
        return cls(shown=_pairs(shown), emulators=_pairs(emulators), **rest)  # pyright: ignore[reportArgumentType]


def _pairs(given: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((pair[0], pair[1]) for pair in given)


@dataclass(frozen=True, slots=True)
class Create:
    """`emulates` is the architecture that the node's programs are of, where it is not this machine's.

    `nested`: it may make namespaces and mounts of its own.
    """

    node: str
    image: str
    memory: int
    disk: int
    processes: int
    cpus: float
    network: str
    emulates: str = ""
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    node: str
    run: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    apart: bool
    files: Mapping[str, str]


def _text(asked: Mapping[str, object], name: str, shape: re.Pattern[str]) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise Refusal(f"{name}: not allowed")
    return value


def _number(asked: Mapping[str, object], name: str, least: int, most: int) -> int:
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Refusal(f"{name}: not between {least} and {most}")
    return value


def _plain(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise Refusal("not a text without zero bytes")
    return value


def node_of(asked: Mapping[str, object]) -> str:
    """The node that a verb is about."""
    return _text(asked, "node", NODE_ID)


def neighbours_of(asked: Mapping[str, object]) -> tuple[str, ...]:
    """The nodes that are to be connected: of one build, which the first is named after."""
    nodes = asked.get("nodes")
    if not isinstance(nodes, list) or not 1 < len(cast("list[object]", nodes)) <= _NEIGHBOURS:
        raise Refusal("nodes: not a list of nodes")
    names = tuple(_text({"node": node}, "node", NODE_ID) for node in cast("list[object]", nodes))
    if len(set(names)) < len(names) or len({name.partition("-")[0] for name in names}) > 1:
        raise Refusal("nodes: not of one build")
    return names


def run_of(asked: Mapping[str, object]) -> str:
    """The command that a verb is about."""
    return _text(asked, "run", _RUN)


def checked_create(asked: Mapping[str, object], config: Config) -> Create:
    """The arguments of `create`."""
    network = asked.get("network")
    if network not in ("none", "mirrors", "full") or (network == "full" and not config.full):
        raise Refusal("network: not allowed")
    cpus = asked.get("cpus")
    if not isinstance(cpus, (int, float)) or isinstance(cpus, bool) or not 0.01 <= cpus <= 4096:
        raise Refusal("cpus: not between 0.01 and 4096")
    return Create(
        node_of(asked),
        _text(asked, "image", _IMAGE),
        _number(asked, "memory", 1 << 20, _LARGEST),
        _number(asked, "disk", 1 << 20, _LARGEST),
        _number(asked, "processes", 4, 1 << 22),
        float(cpus),
        str(network),
        _emulates(asked, config),
        asked.get("nested") is True,
    )


def _emulates(asked: Mapping[str, object], config: Config) -> str:
    arch = asked.get("emulates", "")
    if arch != "" and arch not in dict(config.emulators):
        raise Refusal("emulates: not an architecture that is emulated here")
    return str(arch)


def checked_run(asked: Mapping[str, object]) -> Run:
    """The arguments of `run`."""
    argv, env, cwd = asked.get("argv"), asked.get("env"), _plain(asked.get("cwd"))
    if not isinstance(argv, list) or not 0 < len(cast("list[object]", argv)) <= _MANY:
        raise Refusal("argv: not a list of texts")
    if not isinstance(env, dict) or len(cast("dict[str, object]", env)) > _MANY:
        raise Refusal("env: not a table of texts")
    variables = {_plain(name): _plain(value) for name, value in cast("dict[str, object]", env).items()}
    if not all(_NAME.fullmatch(name) for name in variables):
        raise Refusal("env: not a name")
    if not cwd.startswith("/"):
        raise Refusal("cwd: not absolute")
    words = tuple(_plain(word) for word in cast("list[object]", argv))
    return Run(node_of(asked), run_of(asked), words, variables, cwd, asked.get("apart") is True, _files(asked))


def _files(asked: Mapping[str, object]) -> Mapping[str, str]:
    """Files in memory of a command that runs apart."""
    files = asked.get("files", {})
    if not isinstance(files, dict) or len(cast("dict[str, object]", files)) > _FILES:
        raise Refusal("files: not a table of a few texts")
    found = {_plain(path): _plain(content) for path, content in cast("dict[str, object]", files).items()}
    if not all(_FILE.fullmatch(path) for path in found) or (found and asked.get("apart") is not True):
        raise Refusal("files: not for this command, or not there")
    return found
