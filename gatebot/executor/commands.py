# SPDX-License-Identifier: Apache-2.0
"""The command of one step: a playbook through ansible-playbook, anything else as a program.

Pure. What the host offers (Ansible's place, the certificate bundle, a wheelhouse, package indexes) comes in
`Surroundings`, read once at start-up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..assignment import Assignment
from . import variables
from .model import Label, Network, Places, Step
from .providers.model import Command

_PROXY = "http://127.0.0.1:3128"
_CA_VARIABLES = (
    *("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where things of this machine are, as jobs see them; empty: not there."""

    arch: str
    ansible: tuple[str, ...] = ()
    callbacks: str = ""
    bundle: str = ""
    wheelhouse: str = ""
    indexes: Mapping[str, str] = field(default_factory=dict[str, str])
    proxied: bool = True


def command_for(
    assignment: Assignment,
    step: Step,
    path: str,
    places: Places,
    label: Label,
    around: Surroundings,
    *,
    success: bool,
) -> Command:
    """The command that runs a step; `success` is whether all went well before it."""
    environment = variables.environment(assignment, places) | _network(label, around)
    environment["GATEBOT_SUCCESS"] = "true" if success else "false"
    environment["GATEBOT_PHASE"] = step.phase.value
    secrets = variables.secrets_for(assignment, step.playbook)
    if secrets:
        environment["GATEBOT_SECRETS"] = json.dumps(secrets)
    own = any(one.required and one.project == assignment.project for one in assignment.checkouts)
    cwd = places.source(assignment.project) if own else places.home
    if not path.endswith((".yaml", ".yml")):
        return Command((path,), environment, cwd, apart=bool(secrets))
    argv = [*around.ansible, "-i", f"{places.play}/inventory.json", path]
    extra: dict[str, str | bool] = {"zuul_success": success, "zuul_execution_phase": step.phase.value.partition("-")[0]}
    # By name only: the values stay in the environment, out of every process list.
    extra |= {name: f"{{{{ (lookup('env', 'GATEBOT_SECRETS') | from_json)['{name}'] }}}}" for name in secrets}
    argv += ["--extra-vars", json.dumps(extra)]
    return Command(tuple(argv), environment | _ansible(assignment, step, places, around), cwd, apart=bool(secrets))


def _ansible(assignment: Assignment, step: Step, places: Places, around: Surroundings) -> dict[str, str]:
    roles = variables.role_paths(assignment, step.playbook, places)
    return {
        "ANSIBLE_CONFIG": f"{around.callbacks}/ansible.cfg",
        "ANSIBLE_CALLBACK_PLUGINS": f"{around.callbacks}/callback_plugins",
        "ANSIBLE_LIBRARY": f"{around.callbacks}/library",
        "ANSIBLE_ROLES_PATH": ":".join(roles),
    }


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
        found |= dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1")
    return found
