# SPDX-License-Identifier: Apache-2.0
"""Upgrades the services of a cloud that is up to what the build has checkouts of, as OpenStack's documentation says.

Of each service: what its new code adds to the tables while the old one still works with them; then the old processes
end and the new ones begin; then what the old ones needed goes, and rows are brought to the new form. Guests,
Open vSwitch, OVN and libvirt are left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import up
from .configs import NEUTRON_FILES
from .options import Options, Service
from .parts import parts
from .processes import Processes
from .services import Starter, complete

_Lines = tuple[tuple[str, ...], ...]
_NEUTRON = ("neutron-db-manage", *(word for path in NEUTRON_FILES for word in ("--config-file", path)), "upgrade")
#: The services by their packages; any other package is a library, which all of them may use.
_SERVICES: Mapping[str, Service] = {
    **{service.value: service for service in Service},
    "openstack-placement": Service.PLACEMENT,
}


@dataclass(frozen=True, slots=True)
class Steps:
    """Commands of the new code: while the old processes run, while none runs, while the new ones run."""

    before: _Lines = ()
    between: _Lines = ()
    after: _Lines = ()


STEPS: Mapping[Service, Steps] = {
    Service.KEYSTONE: Steps(
        (("keystone-manage", "db_sync", "--expand"), ("keystone-manage", "db_sync", "--migrate")),
        after=(("keystone-manage", "db_sync", "--contract"),),
    ),
    Service.GLANCE: Steps(
        (("glance-manage", "db", "expand"), ("glance-manage", "db", "migrate")),
        after=(("glance-manage", "db", "contract"),),
    ),
    Service.PLACEMENT: Steps(
        (("placement-manage", "db", "sync"),), after=(("placement-manage", "db", "online_data_migrations"),)
    ),
    Service.NOVA: Steps(
        (("nova-manage", "api_db", "sync"), ("nova-manage", "db", "sync")),
        after=(("nova-manage", "db", "online_data_migrations"),),
    ),
    Service.NEUTRON: Steps(((*_NEUTRON, "--expand"),), between=((*_NEUTRON, "--contract"),)),
    Service.CINDER: Steps(
        (("cinder-manage", "db", "sync"),), after=(("cinder-manage", "db", "online_data_migrations"),)
    ),
    Service.SWIFT: Steps(),
}


def touched(packages: Iterable[str], options: Options) -> tuple[Service, ...]:
    """The services that other versions of these packages change, in the order of their upgrade."""
    named = [_SERVICES.get(package) for package in packages]
    return tuple(service for service in STEPS if service in options and (None in named or service in named))


async def upgrade(options: Options, wanted: Iterable[str], processes: Processes) -> None:
    """Upgrade the services behind these packages to what `options` says, and wait until the cloud can be used."""
    processes.environment = up.environment(options)
    up.configure(options)
    for service in touched(wanted, options):
        with processes.step(f"{service} upgraded"):
            await _one(options, service, processes)
    await complete(options, processes)


async def _one(options: Options, service: Service, processes: Processes) -> None:
    steps, ours = STEPS[service], parts(options, service)
    await _run(processes, steps.before)
    # Who does the work lets go of it first; the API, whose silence people notice, ends last.
    for some in ([part for part in ours if not part.url(options)], [part for part in ours if part.url(options)]):
        await asyncio.gather(*(processes.end(part.name) for part in some))
    await _run(processes, steps.between)
    await Starter(options, processes).these(ours)
    for part in ours:
        if where := part.url(options):
            await processes.answers(part.name, where)
    await _run(processes, steps.after)


async def _run(processes: Processes, lines: _Lines) -> None:
    for line in lines:
        await processes.run(line[0], *line)
