# SPDX-License-Identifier: Apache-2.0
"""The configuration of a cloud's services, how it may be shown, and what a service's log says is wrong."""

from __future__ import annotations

import configparser
from collections.abc import Callable
from types import ModuleType

import pytest

Module = Callable[[str], ModuleType]
LIGHT: dict[str, object] = {"cloud_services": ["keystone", "placement", "glance", "neutron"]}


def written(module: Module, variables: dict[str, object]) -> dict[str, str]:
    """Every file of a cloud, by its path."""
    return module("configs").files(module("variables").options_of(variables))


def read(text: str) -> configparser.RawConfigParser:
    """A file, as its service reads it."""
    found = configparser.RawConfigParser(default_section="none")
    found.read_string(text)
    return found


def test_only_the_services_of_a_cloud_get_files(module: Module) -> None:
    places = {path.split("/")[2] for path in written(module, LIGHT)}
    assert places == {"keystone", "placement", "glance", "neutron", "openstack"}


def test_nova_compute_knows_no_database(module: Module) -> None:
    files = written(module, {})
    assert read(files["/etc/nova/nova.conf"])["database"]["connection"].startswith("mysql+pymysql://")
    assert "database" not in read(files["/etc/nova/nova-compute.conf"])


def test_without_a_broker_services_talk_to_nobody(module: Module) -> None:
    neutron = read(written(module, LIGHT)["/etc/neutron/neutron.conf"])
    assert neutron["DEFAULT"]["transport_url"] == "fake://"


def test_services_wait_for_one_another_as_many_times_as_long_as_their_cloud_is_given_patience(module: Module) -> None:
    plain, patient = (written(module, {"cloud_patience": times}) for times in (1, 20))
    for file, section, name in (
        ("nova/nova.conf", "DEFAULT", "rpc_response_timeout"),
        ("nova/nova-compute.conf", "DEFAULT", "vif_plugging_timeout"),
        ("neutron/neutron.conf", "DEFAULT", "agent_down_time"),
        ("cinder/cinder.conf", "DEFAULT", "service_down_time"),
        ("neutron/neutron_ovn_metadata_agent.ini", "ovn", "ovsdb_connection_timeout"),
    ):
        short, long = (int(read(files[f"/etc/{file}"])[section][name]) for files in (plain, patient))
        assert long == 20 * short, name


def test_a_guest_of_arm64_has_a_processor_of_64_bits_and_room_for_disks_that_come_later(module: Module) -> None:
    options = module("variables").options_of({}, "aarch64")
    found = read(module("configs").files(options)["/etc/nova/nova-compute.conf"])["libvirt"]
    assert (found["cpu_mode"], found["cpu_models"]) == ("custom", "cortex-a57")
    assert int(found["num_pcie_ports"]) > 8
    assert read(written(module, {})["/etc/nova/nova-compute.conf"])["libvirt"]["cpu_mode"] == "none"


def test_no_credential_of_any_file_is_shown(module: Module) -> None:
    files = written(module, {"devstack_localrc": {"ADMIN_PASSWORD": "hunter2"}})
    shown = {path: module("masking").masked(text) for path, text in files.items()}
    assert any("hunter2" in text for text in files.values())
    assert not [path for path, text in shown.items() if "hunter2" in text or "shared-between" in text]
    nova = read(shown["/etc/nova/nova.conf"])
    assert nova["placement"]["password"] == "***"
    assert nova["database"]["connection"] == "mysql+pymysql://os:***@127.0.0.1/nova_cell1?charset=utf8mb3"
    assert nova["placement"]["username"] == "placement"


TRACEBACK = """\
2026-11-28 12:54:21.123 4711 DEBUG oslo_service [-] logging_exception_prefix = ERROR x log_opt_values /x.py:1
2026-11-28 12:54:22.123 4711 ERROR nova [-] Unhandled: ImportError: no
2026-11-28 12:54:22.123 4711 ERROR nova Traceback (most recent call last):
2026-11-28 12:54:22.123 4711 ERROR nova   File "/x.py", line 1, in main
2026-11-28 12:54:22.123 4711 ERROR nova ImportError: cannot import name 'boot' from 'nova.virt'
2026-11-28 12:54:22.123 4711 ERROR nova
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TRACEBACK, "ImportError: cannot import name 'boot' from 'nova.virt'"),
        ("Traceback (most recent call last):\n  File\nmodule.errors.NotFound: x\n", "module.errors.NotFound: x"),
        ("x y 1 ERROR nova.service [-] The host is gone\nx y 1 INFO nova [-] bye\n", "[-] The host is gone"),
        ("starting\nfatal: bad thing\nbye\n", "fatal: bad thing"),
        ("starting\nbye\n\n", "bye"),
        ("", ""),
    ],
)
def test_of_a_log_the_line_is_told_that_says_why_the_service_ended(module: Module, text: str, said: str) -> None:
    assert module("errors").why(text.splitlines()) == said


def test_where_libvirt_does_not_answer_no_server_is_looked_for(module: Module) -> None:
    domains = module("collecting").domains
    assert domains("instance-00000001\ninstance-00000002\n\n") == ["instance-00000001", "instance-00000002"]
    assert domains("[Errno 2] No such file or directory: 'virsh'\n") == []
    assert domains("error: failed to connect to the hypervisor\nerror: no connection driver available\n") == []
