# SPDX-License-Identifier: Apache-2.0
"""What a cloud is to be: services, hypervisor, places, said by a job's variables in DevStack's words or in ours.

Pure. Everything listens at the standard ports, on 127.0.0.1 or, where a cloud has several hosts, on the card between
them: the cloud has network namespaces of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from .link import SERVICES


class Service(StrEnum):
    """What can be part of a cloud. Keystone is always."""

    KEYSTONE = "keystone"
    PLACEMENT = "placement"
    GLANCE = "glance"
    NOVA = "nova"
    NEUTRON = "neutron"
    CINDER = "cinder"
    SWIFT = "swift"


class Role(StrEnum):
    """What a host of a cloud has: all of it, all of it and others beside it, or only what guests need."""

    ALL = "all"
    CONTROLLER = "controller"
    COMPUTE = "compute"


#: What a service cannot be without.
NEEDS: Mapping[Service, frozenset[Service]] = {
    Service.NOVA: frozenset({Service.PLACEMENT, Service.GLANCE, Service.NEUTRON}),
    Service.CINDER: frozenset({Service.GLANCE}),
}
#: The services behind DevStack's names (`enable_service`, `devstack_services`); other names are of no concern here.
DEVSTACK: Mapping[str, Service] = {
    "key": Service.KEYSTONE, "keystone": Service.KEYSTONE,
    "placement-api": Service.PLACEMENT, "placement-client": Service.PLACEMENT, "placement": Service.PLACEMENT,
    "g-api": Service.GLANCE, "glance": Service.GLANCE,
    "n-api": Service.NOVA, "n-cpu": Service.NOVA, "n-cond": Service.NOVA, "n-sch": Service.NOVA, "nova": Service.NOVA,
    "q-svc": Service.NEUTRON, "neutron": Service.NEUTRON, "neutron-api": Service.NEUTRON,
    "c-api": Service.CINDER, "c-vol": Service.CINDER, "c-sch": Service.CINDER, "cinder": Service.CINDER,
    "s-proxy": Service.SWIFT, "s-object": Service.SWIFT, "s-container": Service.SWIFT, "s-account": Service.SWIFT,
    "swift": Service.SWIFT,
}  # fmt: skip
WHOLE = frozenset(Service)
LIGHT = frozenset({Service.KEYSTONE, Service.PLACEMENT, Service.GLANCE, Service.NEUTRON})

PASSWORD = "secret"  # noqa: S105 - as DevStack's examples have it; nobody outside reaches this cloud
REGION = "RegionOne"
HOST = "gate"
#: How long anything is waited for, in seconds, where the patience is 1.
DEADLINE = 900.0


class Impossible(Exception):
    """The variables contradict each other; the message says which and what to write instead."""


@dataclass(frozen=True, slots=True)
class Guest:
    """What is booted in the cloud: an image below the job's home, or, where that is empty, the one that we make.

    `ready` is what its console says when it is up, `user` whom it lets in with the server's key, `memory` in MiB.
    """

    image: str = ""
    ready: str = "GATEBOT READY"
    user: str = "root"
    memory: int = 128

    @property
    def format(self) -> str:
        """The format of the disk, by the name of its file."""
        return "qcow2" if self.image.endswith(".qcow2") else "raw"


@dataclass(frozen=True, slots=True)
class Options:
    """One cloud. `fake`: nova's fake driver instead of libvirt. `venv` is the environment that holds all services.

    `hosts` are all hosts by their names, with the addresses of their nodes; the first one is the controller, and `host`
    is this one. `projects` has what the build has checkouts of, which goes before `venv`. `overrides` are options of
    files by path and section, which win over ours. `machine` is what the kernel says that the node is; all that is
    waited for may take `patience` times as long as on a processor that is not emulated.
    """

    services: frozenset[Service] = WHOLE
    fake: bool = False
    password: str = PASSWORD
    host: str = HOST
    hosts: Mapping[str, str] = field(default_factory=lambda: {HOST: ""})
    region: str = REGION
    venv: str = "/opt/cloud/venv"
    projects: str = "/work/projects"
    debug: bool = True
    machine: str = "x86_64"
    patience: float = 1.0
    guest: Guest = Guest()
    overrides: Mapping[str, Mapping[str, Mapping[str, str]]] = field(
        default_factory=dict[str, Mapping[str, Mapping[str, str]]]
    )

    def to_json(self) -> str:
        """As one process tells it another."""
        return json.dumps(asdict(self) | {"services": sorted(self.services)})

    @classmethod
    def from_json(cls, told: str) -> Options:
        """What `to_json` said."""
        found = json.loads(told)
        values = {"services": frozenset(map(Service, found["services"])), "guest": Guest(**found["guest"])}
        return cls(**(found | values))

    @property
    def role(self) -> Role:
        """What this host has."""
        if len(self.hosts) == 1:
            return Role.ALL
        return Role.COMPUTE if self.index else Role.CONTROLLER

    @property
    def index(self) -> int:
        """The place of this host among them."""
        return list(self.hosts).index(self.host)

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where hosts are for each other, by their names."""
        if self.role is Role.ALL:
            return {self.host: "127.0.0.1"}
        return {name: SERVICES.address(index) for index, name in enumerate(self.hosts)}

    @property
    def controller(self) -> str:
        """The address of the services."""
        return next(iter(self.addresses.values()))

    @property
    def shown(self) -> str:
        """Where the logs of this host are among the artifacts of the build."""
        return f"cloud/{self.host}" if self.role is Role.COMPUTE else "cloud"

    @property
    def broker(self) -> bool:
        """Whether services talk over RabbitMQ: those with several processes do."""
        return bool(self.services & {Service.NOVA, Service.CINDER})

    @property
    def deadline(self) -> float:
        """How long anything is waited for, in seconds."""
        return DEADLINE * self.patience

    def __contains__(self, service: Service) -> bool:
        """Whether the cloud has a service."""
        return service in self.services


def chosen(wanted: Iterable[str], devstack: Mapping[str, bool]) -> frozenset[Service]:
    """The services that are named, as DevStack's switches change them.

    A switch turns off a service when it names the one that others cannot do without (`n-api`, `c-api`, ...).
    """
    try:
        found = {Service(name) for name in wanted}
    except ValueError as error:
        raise Impossible(f"{error}. There are: {', '.join(Service)}.") from None
    for name, on in devstack.items():
        service = DEVSTACK.get(name)
        if service is not None and on:
            found.add(service)
        elif service is not None and (name.endswith(("-api", "-svc", "-proxy")) or name in {"key", *Service}):
            found.discard(service)
    found.add(Service.KEYSTONE)
    for service in sorted(found):
        lacking = NEEDS.get(service, frozenset()) - found
        if lacking:
            names = ", ".join(sorted(lacking))
            raise Impossible(f"{service} cannot be without {names}. Turn it off too, or leave {names} on.")
    return frozenset(found)
