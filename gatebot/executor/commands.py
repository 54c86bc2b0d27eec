# SPDX-License-Identifier: Apache-2.0
"""The command of one step: a playbook through ansible-playbook, anything else as a program.

Pure. What the host offers (Ansible's place, the certificate bundle, a wheelhouse, package indexes) comes in
`Surroundings`, read once at start-up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..assignment import Assignment
from . import paths, variables
from .model import Label, Network, Phase, Places, Step
from .nodes.model import Wanted
from .providers.model import Command
from .spelling import plain, written

#: What has no Python has no terminal, and says so.
_TERMINAL = r"""
command -v python3 > /dev/null || { printf '%s\r\n' "$1"; exit 127; }
shift; exec python3 -c "$@"
"""
_PROXY = "http://127.0.0.1:3128"
#: Kinds of plugins that playbooks get from us.
_PLUGINS = ("action", "become", "callback", "connection", "filter")
_CA_VARIABLES = (
    *("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where things of this machine are, as jobs see them; empty: not there. `near` is reached past the proxy."""

    arch: str
    ansible: tuple[str, ...] = ()
    callbacks: str = ""
    bundle: str = ""
    wheelhouse: str = ""
    indexes: Mapping[str, str] = field(default_factory=dict[str, str])
    proxied: bool = True
    near: tuple[str, ...] = ()


def command_for(
    assignment: Assignment,
    step: Step,
    path: str,
    places: Places,
    label: Label,
    around: Surroundings,
    *,
    success: bool,
    retried: bool = False,
) -> Command:
    """The command that runs a step; `success` is whether all went well before it, `retried` whether it is tried again.

    A step that is given secrets runs apart from all that others started on the node.
    """
    environment = variables.environment(assignment, places) | _network(label, around)
    environment["GATEBOT_SUCCESS"] = "true" if success else "false"
    environment["GATEBOT_PHASE"] = step.phase.value
    secrets = variables.secrets_for(assignment, step.playbook)
    own = any(one.required and one.project == assignment.project for one in assignment.checkouts)
    cwd = places.source(assignment.project) if own else places.home
    if not is_play(path):
        given = {"GATEBOT_SECRETS": json.dumps(secrets)} if secrets else {}
        return Command((path,), environment | given, cwd, apart=bool(secrets))
    argv = [*around.ansible, "-i", places.secretive_inventory if secrets else places.inventory]
    files: dict[str, str] = {}
    if secrets:
        files[f"{places.own}/secrets.json"] = written(plain(secrets))
        argv += ["-e", f"@{places.own}/secrets.json"]
    argv += ["-e", json.dumps(_execution(step, places, success=success, retried=retried))]
    argv += ["-e", f"@{places.extra(secretive=bool(secrets))}", path]
    environment |= _ansible(assignment, step, places, around, apart=bool(secrets))
    return Command(tuple(argv), environment, cwd, apart=bool(secrets), files=files)


def without(command: Command, gone: Iterable[str], around: Surroundings) -> Command:
    """The command of a playbook with the nodes in the group `zuul_unreachable` that an earlier one did not reach."""
    if not gone or not is_play(command.argv[-1]):
        return command
    argv = (*command.argv[:-1], "-i", f"{around.callbacks}/bin/unreachable", command.argv[-1])
    return replace(command, argv=argv, env={**command.env, "GATEBOT_UNREACHABLE": json.dumps(sorted(gone))})


def is_play(path: str) -> bool:
    """Whether it is a playbook; anything else is a program."""
    return path.endswith((".yaml", ".yml"))


def surroundings_of(own: Surroundings, arch: str, places: Places, *, layered: bool) -> Surroundings:
    """What a node has of this machine: all of it where its files are made of ours, else at most the way to packages."""
    if layered:
        return own
    if places.bundle:
        return Surroundings(arch, bundle=places.bundle, indexes=own.indexes)
    return Surroundings(arch, proxied=False)


def login(places: Places, label: Label, around: Surroundings) -> dict[str, str]:
    """The environment of who comes to a node from outside."""
    return variables.person(places) | _network(label, around)


def visiting(wanted: Wanted, program: str, environment: Mapping[str, str], home: str, lacking: str) -> Command:
    """The command of somebody who came to a node; a terminal is made there by `program`, or `lacking` is shown."""
    told = {**environment, "TERM": wanted.term}
    if not wanted.terminal:
        return Command(wanted.argv or ("sh",), told, home)
    given = (lacking, program, str(wanted.rows), str(wanted.columns), *wanted.argv)
    return Command(("sh", "-c", _TERMINAL, "sh", *given), told, home)


def _execution(step: Step, places: Places, *, success: bool, retried: bool) -> dict[str, str | bool | int]:
    """What Zuul tells a playbook about its own run."""
    book = step.playbook
    found: dict[str, str | bool | int] = {
        "zuul_execution_phase": "post" if step.phase is Phase.CLEANUP else step.phase.value.partition("-")[0],
        "zuul_execution_phase_index": step.index,
        "zuul_execution_trusted": book.trusted,
        "zuul_execution_canonical_name_and_path": f"{places.host}/{book.project}/{book.path}",
        "zuul_execution_branch": book.branch,
        "zuul_success": success,
    }
    return found | ({"zuul_will_retry": retried} if step.phase in (Phase.POST, Phase.CLEANUP) else {})


def _ansible(
    assignment: Assignment, step: Step, places: Places, around: Surroundings, *, apart: bool
) -> dict[str, str]:
    """Where Ansible finds what, and the keys and facts that a build's playbooks share.

    Apart from others it takes nothing that they may have left in the home directory.
    """
    ours, installed = around.callbacks, "/usr/share/ansible/collections"
    home = f"{places.own if apart else places.home}/.ansible"
    roles = [find(assignment, step.playbook, places) for find in (paths.role_paths, paths.named_roles)]
    found = {
        "ANSIBLE_HOME": home,
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": f"{home}/facts",
        "SSH_AUTH_SOCK": f"{home}/agent",
        "PATH": f"{ours}/bin:{variables.person(places)['PATH']}",
        "ANSIBLE_CONFIG": f"{ours}/ansible.cfg",
        **{f"ANSIBLE_{kind.upper()}_PLUGINS": f"{ours}/{kind}_plugins" for kind in _PLUGINS},
        "ANSIBLE_LIBRARY": f"{ours}/library",
        "ANSIBLE_COLLECTIONS_PATH": f"{places.home}/.ansible/collections:{installed}:{ours}/collections",
        "ANSIBLE_ROLES_PATH": ":".join((*roles[0], *roles[1])),
    }
    if not apart:
        return found
    return found | {"ANSIBLE_COLLECTIONS_PATH": f"{installed}:{ours}/collections", "PYTHONNOUSERSITE": "1"}


def _network(label: Label, around: Surroundings) -> dict[str, str]:
    """What tells package tools where they may go."""
    found = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    if around.wheelhouse:
        found |= {"PIP_FIND_LINKS": around.wheelhouse, "GATEBOT_WHEELHOUSE": around.wheelhouse}
    if around.bundle:
        found |= dict.fromkeys(_CA_VARIABLES, around.bundle)
    if label.network is Network.NONE:
        return found | {"PIP_NO_INDEX": "1"}
    found |= around.indexes
    if label.network is Network.MIRRORS and around.proxied:
        found |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), _PROXY)
        found |= dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(("localhost", "127.0.0.1", *around.near)))
    return found
