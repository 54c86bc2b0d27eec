# SPDX-License-Identifier: Apache-2.0
"""What the services stand on: database, broker, memcached, libvirt; all as root of the namespace.

No kernel module is needed: QEMU emulates, volumes are files. Networks are in `ovn.py`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

from . import ovn
from .configs import DATABASES
from .options import Options, Role, Service
from .processes import Processes
from .shims import for_groups

MYSQL_SOCKET = "/run/mysqld/mysqld.sock"
_MYSQL = "/var/lib/mysql-cloud"
_RABBIT = "/usr/lib/rabbitmq/bin"
_RABBIT_ENVIRONMENT = {
    "HOME": "/var/lib/rabbitmq",
    "RABBITMQ_NODENAME": "rabbit@localhost",
    # Schedulers that spin cost more than they bring on a few cores.
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
}
SHARE = "/srv/volumes"


def _make(*places: str) -> None:
    for place in places:
        os.makedirs(place, exist_ok=True)


async def begin(options: Options, processes: Processes, *, known: bool) -> None:
    """Start all of it, side by side. `known`: the database and the broker have what services expect in them."""
    parts: list[Coroutine[Any, Any, None]] = []
    if options.role is not Role.COMPUTE:
        parts += [memcached(options, processes), mariadb(options, processes, known=known)]
        if options.broker:
            parts.append(rabbitmq(options, processes, known=known))
    if Service.NEUTRON in options:
        parts.append(ovn.begin(options, processes))
    if Service.NOVA in options and not options.fake:
        parts.append(libvirt(processes))
    await asyncio.gather(*parts)


async def end(options: Options, processes: Processes) -> None:
    """End what has a state, so that it finds all of it whole when it begins again."""
    if Service.NOVA in options and not options.fake:
        # What libvirt finds out about each QEMU at its first question takes seconds, and it keeps that.
        await processes.run("virsh", "virsh", "--connect", "qemu:///system", "domcapabilities")
        await processes.end("libvirtd")
    if options.broker:
        await processes.end("rabbitmq")
    await processes.run(
        "mariadb-end", "mariadb", "-uroot", "-S", MYSQL_SOCKET, "-e", "SET GLOBAL innodb_fast_shutdown=0;"
    )
    await processes.end("mariadb")


async def memcached(options: Options, processes: Processes) -> None:
    """Tokens and lookups of the services."""
    place = ("-l", options.controller, "-p", "11211")
    await processes.start("memcached", "memcached", "-u", "root", *place, "-m", "64")
    await processes.listens("memcached", 11211, options.controller)


async def mariadb(options: Options, processes: Processes, *, known: bool) -> None:
    """MariaDB without what makes it survive a power cut: the cloud does not."""
    with processes.step("mariadb"):
        _make("/run/mysqld")
        if not known:
            await processes.run(
                "mariadb-install", "mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={_MYSQL}",
                "--skip-test-db", "--auth-root-authentication-method=normal",
            )  # fmt: skip
        await processes.start(
            "mariadb", "mariadbd", "--no-defaults", "--user=root", f"--datadir={_MYSQL}", f"--socket={MYSQL_SOCKET}",
            "--bind-address=127.0.0.1", "--port=3306", "--max-connections=1024", "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0", "--skip-log-bin", "--innodb-flush-method=nosync", "--performance-schema=OFF",
            "--character-set-server=utf8mb3", "--innodb-buffer-pool-size=128M", "--skip-name-resolve",
        )  # fmt: skip
        await processes.listens("mariadb", 3306)
        if not known:
            names = [name for service in options.services for name in DATABASES.get(service, ())]
            lines = [f"CREATE DATABASE {name} CHARACTER SET utf8mb3;" for name in sorted(names)]
            grant = "GRANT ALL ON *.* TO 'os'@'{}' IDENTIFIED BY '" + options.password + "';"
            lines += [grant.format(host) for host in ("%", "localhost")]
            statements = " ".join((*lines, "FLUSH PRIVILEGES;"))
            await processes.run("mariadb-create", "mariadb", "-uroot", "-S", MYSQL_SOCKET, "-e", statements)


async def rabbitmq(options: Options, processes: Processes, *, known: bool) -> None:
    """RabbitMQ, started past its wrapper, which wants to become another user."""
    with processes.step("rabbitmq"):
        _make("/var/lib/rabbitmq", "/var/log/rabbitmq")
        told = {**_RABBIT_ENVIRONMENT, "RABBITMQ_NODE_IP_ADDRESS": options.controller}
        await processes.start("rabbitmq", f"{_RABBIT}/rabbitmq-server", environment=told)
        await processes.listens("rabbitmq", 5672, options.controller)
        if not known:
            control = f"{_RABBIT}/rabbitmqctl"
            for words in (("add_user", "openstack", options.password), ("set_permissions", "openstack", *(".*",) * 3)):
                await processes.run("rabbitmqctl", control, *words, environment=_RABBIT_ENVIRONMENT)


async def libvirt(processes: Processes) -> None:
    """libvirt as it must be set where there is nobody but root, and no control groups."""
    with processes.step("libvirt"):
        _make("/run/libvirt")
        await processes.start("virtlogd", "virtlogd")
        await processes.start("libvirtd", "libvirtd", environment=for_groups())
        await processes.appears("libvirtd", "/run/libvirt/libvirt-sock")
