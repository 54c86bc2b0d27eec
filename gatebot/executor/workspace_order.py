# SPDX-License-Identifier: Apache-2.0
"""What the workspace child is asked to prepare, as values that travel over its socket.

Pure: which repositories go where, which files of variables are read, and the files that tell a job about itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import cast

from ..assignment import NODELESS, Assignment, Checkout, FrozenJob, Json
from .inventory import Way, addresses, inventory, job_variables, squashed, told, untalkative
from .model import Places
from .paths import included, naming, own_files, playbook_checkouts
from .spelling import plain, written
from .variables import secrets_for

#: Zuul's own: playbooks that run elsewhere find the job at home in their own sandbox, and on each node.
_USER_DIR = "{{ inventory_hostname == 'localhost' and zuul.executor.work_root or ansible_user_dir }}"
_PYTHON = "/usr/bin/python3"
#: Where roles are in a repository of several, and what a repository that is itself one consists of.
_OF_ROLES = {
    *("roles", "tasks", "handlers", "templates", "files", "vars", "defaults", "meta"),
    *("library", "module_utils", "lookup_plugins"),
}


@dataclass(frozen=True, slots=True)
class Tree:
    """One work tree: `target` is below the layer; HEAD and `branch` are `commit`, found in the store at `source`.

    `only`: of its files those at the top and those below these directories are checked out; None: all. `others` are
    branches at commits of their own. `public` is the store of the project, where that is another. Where `branch` is the
    full name of a tag, HEAD is detached, and `others` may say what the tag itself is. Where the repository is itself a
    role, it is named in the directory `role`, which is below the layer, too.
    """

    project: str
    source: str
    branch: str
    commit: str
    target: str
    only: tuple[str, ...] | None = None
    others: Mapping[str, str] = field(default_factory=dict[str, str])
    public: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Include:
    """A file of variables, below the layer, that is to be read; `name` is for people."""

    path: str
    name: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """One layer: work trees, empty directories, and files of variables to read."""

    layer: str
    trees: tuple[Tree, ...]
    directories: tuple[str, ...]
    includes: tuple[Include, ...] = ()

    def to_bytes(self) -> bytes:
        """For the socket."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, message: bytes) -> Order:
        """From the socket."""
        value = cast("dict[str, object]", json.loads(message))
        trees = tuple(Tree(**one) for one in cast("list[dict[str, str]]", value["trees"]))  # pyright: ignore[reportArgumentType]
        includes = tuple(Include(**one) for one in cast("list[dict[str, str]]", value["includes"]))  # pyright: ignore[reportArgumentType]
        return cls(str(value["layer"]), trees, tuple(cast("list[str]", value["directories"])), includes)


def order(assignment: Assignment, inside: Places, layer: str, locate: Callable[[str], str]) -> Order:
    """What one build needs. `inside` are where a sandbox sees things: below the layer."""
    trees = [_tree(assignment, group, inside, locate) for group in _by_project(assignment)]
    trees += [
        Tree(
            one.project,
            locate(one.store),
            one.branch,
            one.commit,
            _below(inside.playbooks(one)),
            _only(assignment.job, one.project),
            public=_public(one.project, one.store, locate),
            role=_below(naming(inside, one, apart=True)),
        )
        for one in playbook_checkouts(assignment)
    ]
    directories = (inside.play, inside.artifacts, inside.logs, f"{inside.home}/src", f"{inside.home}/.cache")
    return Order(layer, tuple(trees), tuple(map(_below, directories)), tuple(_includes(assignment, inside)))


def _by_project(assignment: Assignment) -> Iterable[list[Checkout]]:
    """The repositories of the workspace, each with the branches that the job reads; the first is checked out."""
    found: dict[str, list[Checkout]] = {}
    for one in assignment.checkouts:
        if one.required:
            found.setdefault(one.project, []).append(one)
    return found.values()


def _tree(assignment: Assignment, group: list[Checkout], inside: Places, locate: Callable[[str], str]) -> Tree:
    own, only = group[0], _only(assignment.job, group[0].project)
    store = next((one.store for one in group if one.store != one.project), own.store)  # it has what is merged, too
    others = {one.branch: one.commit for one in reversed(group) if one.branch != own.branch}
    if assignment.new_commit and own.branch == assignment.branch and own.project == assignment.project:
        others[own.branch] = assignment.new_commit
    target, public = _below(inside.source(own.project)), _public(own.project, store, locate)
    role = _below(naming(inside, own, apart=False))
    return Tree(own.project, locate(store), own.branch, own.commit, target, only, others, public, role)


def _only(job: FrozenJob, project: str) -> tuple[str, ...] | None:
    """The directories that its playbooks need of a repository, as Zuul has them; None: the job wants all files."""
    if job.checks_out:
        return None
    books = (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run)
    files = [book.path for book in books if book.project == project]
    files += [file.path for file in job.include_vars if file.project in ("", project)]
    found = {file.rpartition("/")[0].strip("/") for file in files}
    if project in {one.project for one in (*job.roles, *books)}:
        found |= _OF_ROLES
    return tuple(sorted(found - {""}))


def _public(project: str, store: str, locate: Callable[[str], str]) -> str:
    return locate(project) if store != project else ""


def _includes(assignment: Assignment, inside: Places) -> Iterable[Include]:
    for file in own_files(assignment):
        path = included(assignment, file, inside)
        name = f"{file.project} {file.path}"
        yield Include(_below(path) if path is not None else f"nowhere/{file.path}", name, file.required)


def files(
    assignment: Assignment,
    places: Places,
    inside: Places,
    read: Iterable[Mapping[str, Json]],
    ways: tuple[Way, ...] = (),
) -> dict[str, str]:
    """The files that tell a job about itself, by their paths below the layer.

    `read` are the included files; `ways` those to its nodes where its playbooks do not run in the only one.
    """
    job = assignment.job
    common = job_variables(assignment, read)
    said = told(assignment, places, job.nodes[0].label if job.nodes else NODELESS, addresses(assignment, ways))
    guarded = cast("dict[str, Json]", untalkative(said))
    if ways:
        guarded["zuul_user_dir"] = _USER_DIR
    found: dict[str, Json] = {
        inside.inventory: inventory(assignment, common, _PYTHON, user=places.user, home=places.home, ways=ways),
        inside.extra(secretive=False): _ours({**job.extra_vars, **guarded}, common, job.extra_vars),
    }
    playbooks = (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run)
    if any(secrets_for(assignment, book) for book in playbooks):
        extra = cast("dict[str, Json]", plain(dict(job.extra_vars)))
        found[inside.secretive_inventory] = inventory(
            assignment, common, _PYTHON, secretive=True, user=places.user, home=places.home, ways=ways
        )
        found[inside.extra(secretive=True)] = _ours({**extra, **guarded}, common, job.extra_vars)
    texts = {_below(path): written(value) for path, value in found.items()}
    if ways:
        texts["etc/hosts"] = _hosts(addresses(assignment, ways))
    return {**texts, _below(inside.variables): json.dumps({**squashed(assignment, common), **said})}


def _hosts(nodes: Mapping[str, str]) -> str:
    """Nodes of this machine know each other by name."""
    lines = (f"{address} {name}\n" for name, address in nodes.items() if address)
    return "127.0.0.1 localhost\n::1 localhost\n" + "".join(lines)


def _ours(values: dict[str, Json], common: Mapping[str, Json], extra: Mapping[str, Json]) -> dict[str, Json]:
    """With `unsafe_vars`: the job's variables as they were written, no text of them a template."""
    return {**values, "unsafe_vars": plain({**common, **extra})}


def _below(path: str) -> str:
    return path.lstrip("/")
