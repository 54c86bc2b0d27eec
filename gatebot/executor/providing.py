# SPDX-License-Identifier: Apache-2.0
"""Makes the providers that the settings describe; nothing is spoken to before they are probed.

The only module that knows which class stands for which kind of `[providers.NAME]`.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..architectures import Execution, canonical
from ..errors import SettingsError
from ..settings_providers import Container
from ..settings_providers import Kubernetes as KubernetesSettings
from ..settings_providers import OpenStack as OpenStackSettings
from ..settings_providers import Provider as Wanted
from ..settings_providers import Qemu as QemuSettings
from ..settings_providers import Static as StaticSettings
from .clouds.asking import Cloud
from .clouds.entering import Way
from .clouds.holding import Holding
from .clouds.looking import Looking
from .clouds.model import Server
from .clouds.starting import Starting
from .providers.cluster import Cluster
from .providers.container import Containers, Podman
from .providers.kubernetes import Kubernetes
from .providers.openstack import OpenStack
from .providers.qemu import Qemu
from .providers.ssh import Address, SshHost, control_directory
from .providers.static import Policy, Static
from .supply import Source

#: A machine that is played by software takes its time, above all where it starts from its kernel.
_PLAYED = 600.0


def kinds(wanted: Mapping[str, Wanted]) -> dict[str, str]:
    """The kind of each provider, by its name."""
    return {name: type(one).__name__.lower() for name, one in wanted.items()}


def machines(wanted: Mapping[str, Wanted]) -> dict[str, tuple[str, ...]]:
    """The providers whose nodes are virtual machines of this one, with their architectures; none: all."""
    return {
        name: tuple(map(canonical, one.architectures)) for name, one in wanted.items() if isinstance(one, QemuSettings)
    }


@dataclass(frozen=True, slots=True)
class Around:
    """What providers are told of this executor: its directory, where images are, the site's host name.

    `site` stands for the site in workspaces; `resolve` makes paths of the settings absolute.
    """

    directory: Path
    images: Path
    site: str
    resolve: Callable[[str], str]

    @property
    def instance(self) -> str:
        """What marks nodes elsewhere as this executor's: no other one has it, on this machine or another."""
        told = f"{socket.gethostname()}:{self.directory.resolve()}"
        return hashlib.sha256(told.encode()).hexdigest()[:12]


def sources(wanted: Mapping[str, Wanted], around: Around) -> dict[str, Source]:
    """The providers by name."""
    return {name: _source(name, one, around) for name, one in wanted.items()}


def _source(name: str, wanted: Wanted, around: Around) -> Source:
    match wanted:
        case StaticSettings():
            return _static(name, wanted, around)
        case Container() as container:
            podman = Podman(around.directory / "containers" / name)
            made = Containers(podman, around.instance, around.site, container.image, container.slots)
            return Source(made, lasting=True)
        case QemuSettings() as qemu:
            architectures = tuple(map(canonical, qemu.architectures))
            machines = Qemu(around.directory / "machines" / name, around.images, around.site, qemu.slots, architectures)
            return Source(machines, making=_PLAYED)
        case KubernetesSettings():
            return Source(_kubernetes(name, wanted, around), changing=True, lasting=True)
        case OpenStackSettings() as openstack:
            made = _openstack(name, openstack, around)
            return Source(made, changing=True, lasting=True, making=openstack.boot_timeout)


def _static(name: str, static: StaticSettings, around: Around) -> Source:
    resolve = around.resolve
    if not static.directory.startswith("/"):
        raise SettingsError(f"providers.{name}.directory: write a path from / on; it is the same on all hosts.")
    control = control_directory()
    hosts = [
        SshHost(Address.read(text, static.user), Path(resolve(static.key)), Path(resolve(static.known_hosts)), control)
        for text in static.hosts
    ]
    playbook = static.cleanup.endswith((".yaml", ".yml"))
    policy = Policy(
        directory=static.directory,
        slots=static.slots if static.reuse else 1,
        cleanup=resolve(static.cleanup) if playbook else static.cleanup,
        alone=static.alone,
        reuse=static.reuse,
    )
    return Source(
        Static(hosts, policy, site=around.site), trusted=static.jobs == "post-review", changing=True, lasting=True
    )


def _kubernetes(name: str, kubernetes: KubernetesSettings, around: Around) -> Kubernetes:
    if not kubernetes.server.startswith(("https://", "http://127.0.0.1")):
        raise SettingsError(f"providers.{name}.server: the token is sent there, so write an address with https://.")
    ca = Path(around.resolve(kubernetes.ca)) if kubernetes.ca else None
    cluster = Cluster(kubernetes.server.rstrip("/"), kubernetes.namespace, Path(around.resolve(kubernetes.token)), ca)
    archs = kubernetes.architectures
    return Kubernetes(cluster, around.instance, around.site, kubernetes.image, kubernetes.slots, archs)


def _openstack(name: str, openstack: OpenStackSettings, around: Around) -> OpenStack:
    if not openstack.directory.startswith("/"):
        raise SettingsError(f"providers.{name}.directory: write a path from / on; it is the same on all servers.")
    cloud = Cloud(openstack.cloud, Path(around.resolve(openstack.clouds)), openstack.rate)
    server = Server(
        flavor=openstack.flavor,
        network=openstack.network,
        floating_network=openstack.floating_network,
        security_groups=openstack.security_groups,
        zone=openstack.zone,
        volume=openstack.volume,
        user=openstack.user,
    )
    return OpenStack(
        Starting(Looking(cloud), Holding(cloud, around.instance), openstack.image, around.site),
        server,
        Way(openstack.directory, openstack.port, openstack.trust_first_host_key),
        around.directory / "servers" / name,
        around.site,
        openstack.slots,
        openstack.architectures,
        Execution(openstack.execution),
    )
