# SPDX-License-Identifier: Apache-2.0
"""What the databases hold before services start: tables, keystone's first administrator, users, endpoints.

Each command costs seconds of imports, so services that do not wait for each other go side by side.
"""

from __future__ import annotations

import asyncio

from .configs import NEUTRON_FILES, database, url
from .options import Options, Service
from .processes import Processes

_ROLES = ("service", "member", "reader", "admin", "ResellerAdmin")
#: Type of each service in the catalogue: its name there, and what is asked for behind its address.
_CATALOGUE: dict[Service, tuple[tuple[str, str, str], ...]] = {
    Service.PLACEMENT: (("placement", "placement", ""),),
    Service.GLANCE: (("image", "glance", ""),),
    Service.NOVA: (("compute", "nova", "/v2.1"),),
    Service.NEUTRON: (("network", "neutron", ""),),
    Service.CINDER: (("volumev3", "cinderv3", "/v3"), ("block-storage", "cinder", "/v3")),
    Service.SWIFT: (("object-store", "swift", "/v1/AUTH_%(tenant_id)s"),),
}


async def migrate(options: Options, processes: Processes) -> None:
    """All tables, from nothing."""

    async def chain(*services: Service) -> None:
        for service in services:
            if service in options:
                with processes.step(f"{service} tables"):
                    await _TABLES[service](options, processes)

    await asyncio.gather(
        chain(Service.KEYSTONE, Service.GLANCE, Service.PLACEMENT, Service.CINDER), chain(Service.NEUTRON, Service.NOVA)
    )


async def _keystone(options: Options, processes: Processes) -> None:
    manage = "keystone-manage"
    await processes.run("keystone-manage", manage, "db_sync")
    for keys in ("fernet_setup", "credential_setup"):
        await processes.run("keystone-manage", manage, keys, "--keystone-user", "root", "--keystone-group", "root")
    told = {
        "password": options.password, "username": "admin", "project-name": "admin", "role-name": "admin",
        "service-name": "keystone", "region-id": options.region,
        **{f"{interface}-url": f"{url(options, 'keystone')}/v3" for interface in ("admin", "public", "internal")},
    }  # fmt: skip
    words = (word for name, value in told.items() for word in (f"--bootstrap-{name}", value))
    await processes.run("keystone-manage", manage, "bootstrap", *words)


async def _glance(options: Options, processes: Processes) -> None:
    await processes.run("glance-manage", "glance-manage", "db_sync")


async def _placement(options: Options, processes: Processes) -> None:
    await processes.run("placement-manage", "placement-manage", "db", "sync")


async def _cinder(options: Options, processes: Processes) -> None:
    await processes.run("cinder-manage", "cinder-manage", "db", "sync")


async def _nova(options: Options, processes: Processes) -> None:
    manage = "nova-manage"
    cell0 = ("--database_connection", database(options, "nova_cell0"))
    for words in (("api_db", "sync"), ("cell_v2", "map_cell0", *cell0), ("db", "sync"),
                  ("cell_v2", "create_cell", "--name", "cell1")):  # fmt: skip
        await processes.run("nova-manage", manage, *words)


async def _neutron(options: Options, processes: Processes) -> None:
    files = (word for path in NEUTRON_FILES for word in ("--config-file", path))
    await processes.run("neutron-db-manage", "neutron-db-manage", *files, "upgrade", "heads")


_TABLES = {
    Service.KEYSTONE: _keystone,
    Service.GLANCE: _glance,
    Service.PLACEMENT: _placement,
    Service.CINDER: _cinder,
    Service.NOVA: _nova,
    Service.NEUTRON: _neutron,
}


def people(options: Options) -> None:
    """The services' users and what the catalogue says: one process with one session, not forty commands."""
    import openstack

    identity = openstack.connect(cloud="admin").identity
    project = identity.find_project("service") or identity.create_project(name="service", domain_id="default")
    roles = {role.name: role for role in identity.roles()}
    for name in _ROLES:
        if name not in roles:
            roles[name] = identity.create_role(name=name)
    for service in sorted(options.services - {Service.KEYSTONE}):
        user = identity.find_user(service) or identity.create_user(
            name=service, password=options.password, domain_id="default"
        )
        for role in ("service", "admin"):
            identity.assign_project_role_to_user(project, user, roles[role])
    known = {service.type for service in identity.services()}
    for service in sorted(options.services - {Service.KEYSTONE}):
        for type, name, path in _CATALOGUE[service]:
            if type not in known:
                made, where = identity.create_service(name=name, type=type), url(options, service) + path
                for interface in ("public", "internal", "admin"):
                    identity.create_endpoint(
                        service_id=made.id, interface=interface, url=where, region_id=options.region
                    )
