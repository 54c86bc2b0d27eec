# SPDX-License-Identifier: Apache-2.0
"""The configuration files of all services of one cloud, as text by path.

Pure. Every file lies at its standard place, every port is the standard one; why an option is there is said where it
is not obvious. Values that only a measurement explains come from bringing this very cloud up many times.
"""

from __future__ import annotations

from collections.abc import Mapping

from .ini import Sections, merged, text
from .options import Options, Role, Service

PORTS: Mapping[str, int] = {
    "keystone": 5000, "placement": 8778, "glance": 9292, "nova": 8774, "metadata": 8775, "neutron": 9696,
    "cinder": 8776, "swift": 8080,
}  # fmt: skip
METADATA_SECRET = "shared-between-neutron-and-nova"  # noqa: S105 - nobody outside of one cloud asks for it
OVN_NB, OVN_SB, OVS = "unix:/run/ovn/ovnnb_db.sock", "unix:/run/ovn/ovnsb_db.sock", "unix:/run/openvswitch/db.sock"
NEUTRON_FILES = ("/etc/neutron/neutron.conf", "/etc/neutron/plugins/ml2/ml2_conf.ini")
COMPUTE_FILE, METADATA_FILE = "/etc/nova/nova-compute.conf", "/etc/neutron/neutron_ovn_metadata_agent.ini"
#: What OVN's databases are to hosts that have none.
OVN_PORT = 6642
#: The files of a host that has only what guests need.
_OF_COMPUTES = frozenset({COMPUTE_FILE, NEUTRON_FILES[0], METADATA_FILE})
#: The databases of each service.
DATABASES: Mapping[Service, tuple[str, ...]] = {
    Service.KEYSTONE: ("keystone",),
    Service.PLACEMENT: ("placement",),
    Service.GLANCE: ("glance",),
    Service.NOVA: ("nova_api", "nova_cell0", "nova_cell1"),
    Service.NEUTRON: ("neutron",),
    Service.CINDER: ("cinder",),
}


#: libvirt as it must be set where there is nobody but root, and no control groups.
_LIBVIRT = {
    "/etc/libvirt/qemu.conf": (
        'user = "root"\ngroup = "root"\nsecurity_driver = "none"\ncgroup_controllers = []\nnamespaces = []\n'
        'stdio_handler = "logd"\nremember_owner = 0\n'
    ),
    "/etc/libvirt/libvirtd.conf": 'unix_sock_group = "root"\nauth_unix_rw = "none"\n',
}


#: The guest's processor where that must be said: by default QEMU's of arm64 has 32 bits, or is the one that costs most
#: to play. Disks that come later are put into free slots; the machine of arm64 has only as many as it is told.
_PROCESSORS: Mapping[str, dict[str, str]] = {
    "aarch64": {"cpu_mode": "custom", "cpu_models": "cortex-a57", "num_pcie_ports": "12"}
}


def _longer(options: Options, seconds: int) -> str:
    """Seconds that services wait for one another, where everything takes longer."""
    return str(round(seconds * options.patience))


def url(options: Options, name: str) -> str:
    """Where an API answers, for all hosts."""
    return f"http://{options.controller}:{PORTS[name]}"


def southbound(options: Options) -> str:
    """OVN's database of what chassis do."""
    return f"tcp:{options.controller}:{OVN_PORT}" if options.role is Role.COMPUTE else OVN_SB


def database(options: Options, name: str) -> str:
    """The address of a database."""
    return f"mysql+pymysql://os:{options.password}@127.0.0.1/{name}?charset=utf8mb3"


def files(options: Options) -> dict[str, str]:
    """Every file of the cloud by its path."""
    more = options.overrides
    made: dict[str, Sections] = {"/etc/keystone/keystone.conf": _keystone(options)}
    if Service.PLACEMENT in options:
        made["/etc/placement/placement.conf"] = _placement(options)
    if Service.GLANCE in options:
        made["/etc/glance/glance-api.conf"] = _glance(options)
    if Service.NOVA in options:
        made["/etc/nova/nova.conf"] = merged(_nova(options), _nova_databases(options))
        # nova-compute must not know the databases: it complains of every one that it is given.
        made[COMPUTE_FILE] = _nova(options)
    if Service.NEUTRON in options:
        made |= dict(zip(NEUTRON_FILES, (_neutron(options), _ml2(options)), strict=True))
        made[METADATA_FILE] = _metadata_agent(options)
    if Service.CINDER in options:
        made["/etc/cinder/cinder.conf"] = _cinder(options)
    if options.role is Role.COMPUTE:
        made = {path: sections for path, sections in made.items() if path in _OF_COMPUTES}
    return {
        **{path: text(merged(made.get(path, {}), more.get(path, {}))) for path in sorted({*made, *more})},
        "/etc/openstack/clouds.yaml": clouds(options),
        **(_LIBVIRT if Service.NOVA in options and not options.fake else {}),
    }


def clouds(options: Options) -> str:
    """What clients read: the administrator's credentials under the name `admin`."""
    return f"""\
clouds:
  admin:
    auth:
      auth_url: {url(options, "keystone")}
      username: admin
      password: {options.password}
      project_name: admin
      user_domain_id: default
      project_domain_id: default
    region_name: {options.region}
    volume_api_version: 3
"""


def _common(options: Options) -> Sections:
    transport = f"rabbit://openstack:{options.password}@{options.controller}:5672/" if options.broker else "fake://"
    return {
        "DEFAULT": {
            "debug": str(options.debug),
            "use_stderr": "True",
            "transport_url": transport,
            "rpc_response_timeout": _longer(options, 60),
            # With its date, so that a traceback can be told from what stands around it.
            "logging_exception_prefix": "%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s %(instance)s",
        },
        "oslo_messaging_notifications": {"driver": "noop"},
        "oslo_messaging_rabbit": {"heartbeat_timeout_threshold": _longer(options, 60)},
        "oslo_concurrency": {"lock_path": "/run/lock/cloud"},
    }


def _credentials(options: Options, user: str) -> dict[str, str]:
    return {
        "auth_type": "password",
        "auth_url": url(options, "keystone"),
        "project_domain_name": "Default",
        "user_domain_name": "Default",
        "project_name": "service",
        "username": user,
        "password": options.password,
        "region_name": options.region,
    }


def _tokens(options: Options, user: str) -> Sections:
    return {
        "keystone_authtoken": {
            "www_authenticate_uri": url(options, "keystone"),
            "memcached_servers": f"{options.controller}:11211",
            "service_token_roles_required": "True",
            **_credentials(options, user),
        },
        # Without it a volume cannot be attached: cinder wants to know that nova asks, not the person.
        "service_user": {"send_service_user_token": "True", **_credentials(options, user)},
    }


def _cache(options: Options) -> Sections:
    return {
        "cache": {
            "enabled": "True",
            "backend": "dogpile.cache.memcached",
            "memcache_servers": f"{options.controller}:11211",
            # Services of this release warn of that name, those of the one before know no other.
            **({"memcache_socket_timeout": _longer(options, 1)} if options.patience > 1 else {}),
        }
    }


def _keystone(options: Options) -> Sections:
    return merged(
        {"DEFAULT": {"debug": str(options.debug), "use_stderr": "True"}},
        {"database": {"connection": database(options, "keystone")}, "token": {"provider": "fernet"}},
        _cache(options),
    )


def _placement(options: Options) -> Sections:
    return merged(
        _tokens(options, "placement"),
        {
            "DEFAULT": {"debug": str(options.debug), "use_stderr": "True"},
            "api": {"auth_strategy": "keystone"},
            "placement_database": {"connection": database(options, "placement")},
        },
    )


def _glance(options: Options) -> Sections:
    place = "/var/lib/glance"
    return merged(
        _common(options),
        _tokens(options, "glance"),
        {
            "DEFAULT": {
                "bind_host": options.controller,
                "enabled_backends": "fs:file",
                "worker_self_reference_url": url(options, "glance"),
            },
            "database": {"connection": database(options, "glance")},
            "glance_store": {"default_backend": "fs"},
            "fs": {"filesystem_store_datadir": f"{place}/images"},
            "os_glance_staging_store": {"filesystem_store_datadir": f"{place}/staging"},
            "os_glance_tasks_store": {"filesystem_store_datadir": f"{place}/tasks"},
            "paste_deploy": {"flavor": "keystone"},
            "image_format": {"require_image_format_match": "False"},
        },
    )


def _nova(options: Options) -> Sections:
    off = {"enabled": "False"}
    cinder = {"os_region_name": options.region, **_credentials(options, "cinder")} if Service.CINDER in options else {}
    return merged(
        _common(options),
        _tokens(options, "nova"),
        _cache(options),
        {
            "DEFAULT": {
                "my_ip": options.addresses[options.host],
                "compute_driver": "fake.FakeDriver" if options.fake else "libvirt.LibvirtDriver",
                # Else the scheduler waits up to a minute before it looks for compute hosts.
                "periodic_fuzzy_delay": "0",
                # Else the conductor of some releases takes minutes to end, whether it has work or not.
                "manager_shutdown_timeout": "20",
                "state_path": "/var/lib/nova",
                "instances_path": "/var/lib/nova/instances",
                "allow_resize_to_same_host": "True",
                "vif_plugging_timeout": "0" if options.fake else _longer(options, 60),
                "service_down_time": _longer(options, 60),
                "vif_plugging_is_fatal": str(not options.fake),
            },
            "api": {"auth_strategy": "keystone"},
            "conductor": {"workers": "1"},
            "scheduler": {"workers": "1", "discover_hosts_in_cells_interval": "2"},
            "filter_scheduler": {"track_instance_changes": "False"},
            "placement": _credentials(options, "placement"),
            "glance": _credentials(options, "glance"),
            "cinder": cinder,
            "neutron": {
                **_credentials(options, "neutron"),
                "service_metadata_proxy": "True",
                "metadata_proxy_shared_secret": METADATA_SECRET,
            },
            "libvirt": {
                "virt_type": "qemu",
                **_PROCESSORS.get(options.machine, {"cpu_mode": "none"}),
                "connection_uri": "qemu:///system",
                "inject_partition": "-2",
            },
            "vnc": off,
            "spice": off,
            "serial_console": off,
            "os_vif_ovs": {"ovsdb_connection": OVS},
        },
    )


def _nova_databases(options: Options) -> Sections:
    return {
        "api_database": {"connection": database(options, "nova_api")},
        "database": {"connection": database(options, "nova_cell1")},
    }


def _root_helper(options: Options) -> dict[str, str]:
    rootwrap = f"sudo {options.venv}/bin/neutron-rootwrap"
    return {
        "root_helper": f"{rootwrap} /etc/neutron/rootwrap.conf",
        "root_helper_daemon": f"{rootwrap}-daemon /etc/neutron/rootwrap.conf",
    }


def _neutron(options: Options) -> Sections:
    nova = {"nova": _credentials(options, "nova")} if Service.NOVA in options else {}
    return merged(
        _common(options),
        _tokens(options, "neutron"),
        {
            "DEFAULT": {
                "auth_strategy": "keystone",
                "core_plugin": "ml2",
                "service_plugins": "ovn-router",
                "notify_nova_on_port_status_changes": str(Service.NOVA in options),
                "notify_nova_on_port_data_changes": str(Service.NOVA in options),
                "state_path": "/var/lib/neutron",
                "agent_down_time": _longer(options, 75),
                "api_workers": "1",
                "rpc_workers": "0",
            },
            "agent": _root_helper(options),
            "database": {"connection": database(options, "neutron")},
            "placement": _credentials(options, "placement"),
            **nova,
        },
    )


def _ml2(options: Options) -> Sections:
    return {
        "ml2": {
            "type_drivers": "local,flat,geneve",
            "tenant_network_types": "geneve",
            "mechanism_drivers": "ovn",
            "extension_drivers": "port_security",
            "overlay_ip_version": "4",
        },
        "ml2_type_geneve": {"vni_ranges": "1:65536", "max_header_size": "38"},
        "ml2_type_flat": {"flat_networks": "public"},
        "securitygroup": {"enable_security_group": "True"},
        "ovn": {
            "ovn_nb_connection": OVN_NB,
            "ovn_sb_connection": OVN_SB,
            "ovn_metadata_enabled": "True",
            "ovn_l3_scheduler": "leastloaded",
            "ovsdb_connection_timeout": _longer(options, 180),
        },
        "ovs": {"ovsdb_connection": OVS},
    }


def _metadata_agent(options: Options) -> Sections:
    return {
        "DEFAULT": {
            "debug": str(options.debug),
            "nova_metadata_host": options.controller,
            "nova_metadata_port": str(PORTS["metadata"]),
            "metadata_proxy_shared_secret": METADATA_SECRET,
            "state_path": "/var/lib/neutron",
            "metadata_workers": "1",
        },
        "agent": _root_helper(options),
        "ovn": {"ovn_sb_connection": southbound(options), "ovsdb_connection_timeout": _longer(options, 180)},
        "ovs": {"ovsdb_connection": OVS, "ovsdb_connection_timeout": _longer(options, 180)},
    }


def _cinder(options: Options) -> Sections:
    return merged(
        _common(options),
        _tokens(options, "cinder"),
        {
            "DEFAULT": {
                "my_ip": "127.0.0.1",
                "auth_strategy": "keystone",
                "state_path": "/var/lib/cinder",
                "enabled_backends": "nfs",
                "default_volume_type": "files",
                "rootwrap_config": "/etc/cinder/rootwrap.conf",
                "osapi_volume_workers": "1",
                "service_down_time": _longer(options, 60),
            },
            "database": {"connection": database(options, "cinder")},
            "nova": _credentials(options, "nova"),
            "coordination": {"backend_url": "file:///var/lib/cinder/coordination"},
            # Volumes are files: there is no device mapper and no iSCSI in a container. What stands for the NFS
            # client is a helper that binds the directory, see `base.py`; both services run their own code.
            "nfs": {
                "volume_backend_name": "nfs",
                "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
                "nfs_shares_config": "/etc/cinder/nfs_shares",
                "nfs_sparsed_volumes": "True",
                "nfs_snapshot_support": "True",
                "nas_secure_file_operations": "False",
                "nas_secure_file_permissions": "False",
                "nfs_mount_point_base": "/var/lib/cinder/mnt",
            },
        },
    )
