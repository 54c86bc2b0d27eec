# SPDX-License-Identifier: Apache-2.0
"""Prepares workspaces, in a process of its own that has GitPython loaded and waits for orders.

The server never runs git on a stranger's tree; this child does, as the server's uid, without configuration,
hooks or filters, one fork for each order. A work tree gets the objects that its branches need and no others:
packs of the public branches are copied from a mirror, the rest (speculative commits) is packed for this build.
Nothing refers to other repositories afterwards.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import math
import os
import select
import shutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import cast

import yaml

from .fetching import copy_of, fetched
from .paths import names_of_role
from .workspace_order import Include, Order, Tree

#: git as a tool and nothing else: no configuration of the machine or of people, no protocol but files.
_GIT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:https:http",
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_CONFIG_KEY_1": "core.hooksPath",
    "GIT_CONFIG_VALUE_1": "/dev/null",
    "GIT_CONFIG_KEY_2": "pack.threads",
    "GIT_CONFIG_VALUE_2": "1",
    "GIT_REFRESH": "quiet",
    "GIT_PYTHON_REFRESH": "quiet",
}
#: There is an origin, as programs expect, that leads nowhere, as Zuul's: what is there is what is tested.
_CONFIG = (
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"
    '[remote "origin"]\n\turl = file:///dev/null\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
)
_STAMP = "gatebot-heads"
#: Locked by whoever prepares workspaces here.
_IN_USE = "in-use.lock"
_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_MUCH = 4 * 1024 * 1024
_MOST_READ = 8 * 1024 * 1024  # bytes of a file of variables


class Unusable(Exception):
    """A file of variables that a job needs is missing, or no table; or a work tree has no place of its own."""


def prepare(order: Order, mirrors: Path) -> list[dict[str, object]]:
    """Make the layer of a build; the tables that its files of variables have."""
    layer = Path(order.layer)
    for name in order.directories:
        (layer / name).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(4) as pool:
        for trees in _outer_first(order.trees):
            for done in [pool.submit(_work_tree, _place(layer, tree), tree, mirrors) for tree in trees]:
                done.result()
    for tree in order.trees:
        _name_role(layer, tree)
    return [_table(layer, include) for include in order.includes]


def _outer_first(trees: Iterable[Tree]) -> list[list[Tree]]:
    """In rounds: a tree that lies inside another, whose name its own begins with, comes after that is there."""
    rounds: dict[int, list[Tree]] = {}
    places = {PurePosixPath(tree.target) for tree in trees}
    for tree in trees:
        rounds.setdefault(len(places & set(PurePosixPath(tree.target).parents)), []).append(tree)
    return [rounds[number] for number in sorted(rounds)]


def _place(layer: Path, tree: Tree) -> Path:
    """Where a tree goes; a link that another tree has in its way could lead anywhere."""
    place = layer / tree.target
    for above in (place, *place.parents):
        if above == layer:
            return place
        if above.is_symlink():
            raise Unusable(f"{tree.project}: its place in the workspace is a link of another repository")
    raise Unusable(f"{tree.project}: its place is not in the workspace")


def _name_role(layer: Path, tree: Tree) -> None:
    """Give a repository that is itself a role its names. Links say where it lies from there, wherever that is."""
    if (layer / tree.target / "tasks").is_dir() and tree.role:
        role = layer / tree.role
        role.mkdir(parents=True, exist_ok=True)
        for name in names_of_role(tree.project):
            (role / name).symlink_to(os.path.relpath(layer / tree.target, role))


def _table(layer: Path, include: Include) -> dict[str, object]:
    """A file of variables, YAML or JSON, as JSON can say it."""
    path = (layer / include.path).resolve()
    if not path.is_relative_to(layer.resolve()) or not path.is_file():
        if include.required:
            raise Unusable(f"{include.name}: there is no such file")
        return {}
    try:
        found: object = json.loads(json.dumps(_read(path), default=str))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as problem:
        raise Unusable(f"{include.name}: {problem}") from None
    if found is not None and not isinstance(found, dict):
        raise Unusable(f"{include.name}: its content is no table")
    return cast("dict[str, object]", found or {})


def _read(path: Path) -> object:
    """What YAML says, where that is no more than a file may hold. Raises `ValueError` for more."""
    loader = yaml.CSafeLoader(path.read_bytes() if path.stat().st_size <= _MOST_READ else b"")
    try:
        node = loader.get_single_node()
        if path.stat().st_size > _MOST_READ or (node is not None and _written(node, {}) > _MOST_READ):
            raise ValueError(f"written out, it has more than {_MOST_READ} bytes")
        construct = cast("Callable[[yaml.Node], object]", loader.construct_document)  # pyright: ignore[reportUnknownMemberType]
        return None if node is None else construct(node)
    finally:
        loader.dispose()


def _written(node: yaml.Node, known: dict[int, float]) -> float:
    """How much it is when it is written out: in YAML one thing can be said a billion times by its name."""
    if id(node) not in known:
        known[id(node)] = math.inf  # until it is known: nothing can be inside itself
        inner = [] if isinstance(node, yaml.ScalarNode) else _flat(cast("list[object]", node.value))
        own = len(str(node.value)) if isinstance(node, yaml.ScalarNode) else 1
        known[id(node)] = 1 + own + sum(_written(one, known) for one in inner)
    return known[id(node)]


def _flat(value: list[object]) -> list[yaml.Node]:
    """What a list has, and of a table the names and the values."""
    pairs = (cast("tuple[yaml.Node, ...]", one if isinstance(one, tuple) else (one,)) for one in value)
    return [one for pair in pairs for one in pair]


def _work_tree(target: Path, tree: Tree, mirrors: Path) -> None:
    from git import Repo

    source = fetched(tree, mirrors, _GIT) if "://" in tree.source else Path(tree.source)
    references = _references(source, tree)
    _skeleton(target / ".git", source)
    repository = Repo(target)
    copied = _copy_packs(_main_store(tree, source), mirrors / f"{tree.project}.git", target)
    new = dict.fromkeys(id for id in references.values() if id not in copied)
    wanted = [*new, *(f"^{id}" for id in copied)]
    with repository.git.custom_environment(**_GIT):
        # Refused by git only when an object is missing: then the build must not start at all.
        repository.git.pack_objects(
            "--revs", "-q", "--delta-base-offset", str(target / ".git/objects/pack/pack"), istream=_lines(wanted)
        )
        (target / ".git/objects/info/alternates").unlink()
        _write_refs(target / ".git", tree, references)
        if tree.only is not None:
            repository.git.sparse_checkout("set", "--cone", "--skip-checks", "--stdin", istream=_lines([*tree.only]))
        repository.git.read_tree("-u", "--reset", tree.commit)
    repository.close()


def _lines(lines: list[str]) -> int:
    """A pipe or file that holds the lines."""
    readable = os.memfd_create("revisions")
    os.write(readable, ("\n".join(lines) + "\n").encode())
    os.lseek(readable, 0, os.SEEK_SET)
    return readable


def _references(source: Path, tree: Tree) -> dict[str, str]:
    """What the job sees: branches and tags of the project, and what is tested in its speculative state."""
    tested = {tree.branch: tree.commit, **tree.others}
    full = {name if name.startswith("refs/") else f"{_HEADS}{name}": id for name, id in tested.items()}
    return {**_refs(_main_store(tree, source), _HEADS, _TAGS), **full}


def _refs(repository: Path, *below: str) -> dict[str, str]:
    """References by their full names: packed ones, and loose ones over them; read from the files, without a process."""
    found: dict[str, str] = {}
    packed = repository / "packed-refs"
    if packed.exists():
        for line in packed.read_text().splitlines():
            id, _, name = line.partition(" ")
            if name.startswith(below):
                found[name] = id
    loose = (path for prefix in below for path in (repository / prefix).rglob("*"))
    for path in loose:
        if path.is_file() and not path.name.endswith(".lock"):
            found[str(path.relative_to(repository))] = path.read_text().strip()
    return {name: id for name, id in found.items() if len(id) in (40, 64)}


def _skeleton(git: Path, source: Path) -> None:
    """What `git init` makes, without a process; objects are borrowed until the pack is written."""
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (git / name).mkdir(parents=True, exist_ok=True)
    (git / "HEAD").write_text("ref: refs/heads/none\n")
    (git / "config").write_text(_CONFIG)
    (git / "objects/info/alternates").write_text(f"{source / 'objects'}\n")


def _write_refs(git: Path, tree: Tree, references: dict[str, str]) -> None:
    lines = [f"{id} {name}" for name, id in sorted(references.items())]
    (git / "packed-refs").write_text("# pack-refs with: sorted\n" + "\n".join(lines) + "\n")
    head = tree.commit if tree.branch.startswith("refs/") else f"ref: {_HEADS}{tree.branch}"
    (git / "HEAD").write_text(f"{head}\n")


def _copy_packs(store: Path, mirror: Path, target: Path) -> list[str]:
    """Copy the packs of the mirror, made first if need be; the commits that the work tree has then."""
    mirror.parent.mkdir(parents=True, exist_ok=True)
    with (mirror.parent / f"{mirror.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not (mirror / _STAMP).exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (mirror / _STAMP).exists():
                _make_mirror(store, mirror)
            fcntl.flock(lock, fcntl.LOCK_SH)
        for path in (mirror / "objects/pack").iterdir():
            shutil.copyfile(path, target / ".git/objects/pack" / path.name)
        return (mirror / _STAMP).read_text().split()


def _make_mirror(store: Path, mirror: Path) -> None:
    """Pack the public branches and tags of a project."""
    from git import Git

    heads = list(dict.fromkeys(_refs(store, _HEADS, _TAGS).values()))
    shutil.rmtree(mirror, ignore_errors=True)
    _skeleton(mirror, store)
    git = Git(str(mirror))  # not in the store: packs are moved from where they were begun, which may be another disk
    if heads:
        with git.custom_environment(**_GIT, GIT_DIR=str(mirror)):
            pack = str(mirror / "objects/pack/pack")
            git.pack_objects("--revs", "-q", "--delta-base-offset", pack, istream=_lines(heads))
    (mirror / _STAMP).write_text("\n".join(heads))


def renew(order: Order, mirrors: Path) -> None:
    """After a build got its workspace: make mirrors anew that left it much to pack."""
    for tree in order.trees:
        mirror = mirrors / f"{tree.project}.git"
        own = list(Path(order.layer, tree.target, ".git/objects/pack").iterdir())
        extra = sum(path.stat().st_size for path in own if not (mirror / "objects/pack" / path.name).exists())
        if extra < _MUCH:
            continue
        source = copy_of(tree, mirrors) if "://" in tree.source else Path(tree.source)
        with (mirror.parent / f"{mirror.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _make_mirror(_main_store(tree, source), mirror)


def _main_store(tree: Tree, source: Path) -> Path:
    """Where what is public of a project is: a speculation repository only borrows it."""
    return Path(tree.public) if tree.public and "://" not in tree.public else source


def _serve(channel: socket.socket, mirrors: Path) -> None:
    """Fork for each order; the answer goes back on the connection that came with it."""
    importlib.import_module("git")  # loaded once, before the forks
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with (mirrors / _IN_USE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # forks share it: what a server that was killed had prepared is at its end
        while True:
            message, descriptors, _, _ = socket.recv_fds(channel, 16, 1)
            if not message:
                return
            if os.fork() == 0:
                channel.close()
                os.setpgid(0, 0)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                with socket.socket(fileno=descriptors[0]) as answer:
                    _answer(answer, mirrors)
                os._exit(0)
            os.close(descriptors[0])


def _answer(answer: socket.socket, mirrors: Path) -> None:
    pieces: list[bytes] = []
    while piece := answer.recv(65536):
        pieces.append(piece)
    answered = threading.Event()
    threading.Thread(target=_end_with_asker, args=(answer.fileno(), answered), daemon=True).start()
    try:
        order = Order.from_bytes(b"".join(pieces))
        told = json.dumps({"included": prepare(order, mirrors)}).encode()
        answered.set()
        answer.sendall(told)
        answer.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):  # the build may be over and its layer gone
            renew(order, mirrors)
    except ConnectionError:
        return  # whoever asked is gone
    except Unusable as problem:
        _say(answer, {"unusable": str(problem)})
    except Exception as problem:
        if not pieces:
            return
        from git.exc import GitCommandError

        known = isinstance(problem, GitCommandError)  # which says what it was
        _say(answer, {"failed": str(problem)[:4000], "trace": "" if known else traceback.format_exc()[-8000:]})


def _end_with_asker(answer: int, answered: threading.Event) -> None:
    """End, and every git that was begun, when the server is no more: the next one begins anew.

    They are asked to end, not killed, because what they lock in the copies of stores is locked for the next one, too.
    """
    hearing = select.poll()
    hearing.register(answer, 0)
    hearing.poll()
    if not answered.is_set():
        os.killpg(0, signal.SIGTERM)


def _say(answer: socket.socket, told: dict[str, str]) -> None:
    with contextlib.suppress(ConnectionError):
        answer.sendall(json.dumps(told).encode())


if __name__ == "__main__":
    os.environ.update(_GIT)
    _serve(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]))
