# SPDX-License-Identifier: Apache-2.0
"""Swift: its four servers, their configuration and their rings. One device, one copy of everything.

Its files are unlike those of the other projects: filters of a pipeline instead of options, so they are here.
"""

from __future__ import annotations

import os
from typing import Any

from .configs import PORTS, url
from .ini import Sections, text
from .options import Options

_STORAGE = {"account": 6202, "container": 6201, "object": 6200}
_DEVICES = "/srv/node"
_DEVICE = "d1"
#: Who may do what is asked of keystone before quotas count, and large objects are put together behind both.
_PIPELINE = (
    "catch_errors gatekeeper healthcheck proxy-logging cache bulk tempurl authtoken keystoneauth account-quotas "
    "container-quotas slo dlo proxy-logging proxy-server"
)
_FILTERS = {
    "catch_errors": "catch_errors", "gatekeeper": "gatekeeper", "healthcheck": "healthcheck",
    "proxy-logging": "proxy_logging", "bulk": "bulk", "tempurl": "tempurl", "account-quotas": "account_quotas",
    "container-quotas": "container_quotas", "slo": "slo", "dlo": "dlo",
}  # fmt: skip


def files(options: Options) -> dict[str, str]:
    """Its files by their paths."""
    made: dict[str, Sections] = {
        "swift.conf": {
            "swift-hash": {"swift_hash_path_suffix": "cloud"},
            "storage-policy:0": {"name": "default", "default": "yes"},
        },
        "proxy.conf": _proxy(options),
        **{f"{name}.conf": _storage(name, port) for name, port in _STORAGE.items()},
    }
    return {f"/etc/swift/{name}": text(sections) for name, sections in made.items()}


def _common(port: int, address: str = "127.0.0.1") -> dict[str, str]:
    # It logs to the system's log unless told otherwise; what it prints is kept.
    told = {"user": "root", "swift_dir": "/etc/swift", "log_level": "DEBUG", "log_address": "/dev/null"}
    return {"bind_ip": address, "bind_port": str(port), "workers": "0", **told}


def _storage(name: str, port: int) -> Sections:
    return {
        "DEFAULT": {**_common(port), "devices": _DEVICES, "mount_check": "false"},
        "pipeline:main": {"pipeline": f"{name}-server"},
        f"app:{name}-server": {"use": f"egg:swift#{name}"},
    }


def _proxy(options: Options) -> Sections:
    return {
        "DEFAULT": _common(PORTS["swift"], options.controller),
        "pipeline:main": {"pipeline": _PIPELINE},
        "app:proxy-server": {"use": "egg:swift#proxy", "account_autocreate": "true"},
        **{f"filter:{name}": {"use": f"egg:swift#{entry}"} for name, entry in _FILTERS.items()},
        "filter:cache": {"use": "egg:swift#memcache", "memcache_servers": f"{options.controller}:11211"},
        "filter:keystoneauth": {
            "use": "egg:swift#keystoneauth",
            "operator_roles": "admin, member",
            "reseller_admin_role": "ResellerAdmin",
        },
        "filter:authtoken": {
            "paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
            "www_authenticate_uri": url(options, "keystone"),
            "auth_url": url(options, "keystone"),
            "auth_type": "password",
            "project_domain_id": "default",
            "user_domain_id": "default",
            "project_name": "service",
            "username": "swift",
            "password": options.password,
            "delay_auth_decision": "True",
            "cache": "swift.cache",
            "service_token_roles_required": "True",
        },
    }


def rings() -> None:
    """Where everything is: on the one device. By its library in this process, as each command costs a second."""
    from swift.common.ring import RingBuilder

    os.makedirs(f"{_DEVICES}/{_DEVICE}", exist_ok=True)
    os.makedirs("/var/cache/swift", exist_ok=True)
    for name, port in _STORAGE.items():
        builder: Any = RingBuilder(part_power=4, replicas=1, min_part_hours=1)
        device = {"id": 0, "region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "port": port, "device": _DEVICE}
        builder.add_dev({**device, "replication_ip": "127.0.0.1", "replication_port": port, "meta": ""})
        builder.rebalance()
        builder.get_ring().save(f"/etc/swift/{name}.ring.gz")
