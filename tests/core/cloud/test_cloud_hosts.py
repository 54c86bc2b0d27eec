# SPDX-License-Identifier: Apache-2.0
"""A cloud on several hosts: what each of them has, how it finds the others, and where its logs are."""

from __future__ import annotations

import configparser
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Module = Callable[[str], ModuleType]
NODES = {"controller": "172.24.0.1", "compute1": "172.24.0.2"}
COMPUTE = "/etc/nova/nova-compute.conf"


def host(module: Module, name: str) -> Any:
    """The options of one of two hosts."""
    return module("options").Options(host=name, hosts=NODES)


def read(text: str) -> configparser.RawConfigParser:
    """A file, as its service reads it."""
    found = configparser.RawConfigParser(default_section="none")
    found.read_string(text)
    return found


def test_a_host_that_is_no_controller_has_only_what_guests_need(module: Module) -> None:
    parts, files = module("parts"), module("configs").files
    controller, compute = host(module, "controller"), host(module, "compute1")
    assert [part.name for part in parts.parts(compute)] == ["nova-compute", "neutron-ovn-metadata-agent"]
    assert parts.parts(controller) == parts.parts(module("options").Options())
    assert {path for path in files(compute) if not path.startswith("/etc/libvirt")} == {
        COMPUTE,
        "/etc/neutron/neutron.conf",
        "/etc/neutron/neutron_ovn_metadata_agent.ini",
        "/etc/openstack/clouds.yaml",
    }


def test_all_hosts_find_the_services_on_the_card_to_the_controller(module: Module) -> None:
    configs, compute = module("configs"), host(module, "compute1")
    files = configs.files(compute)
    assert not [path for path, text in files.items() if "127.0.0.1:" in text]
    nova = read(files[COMPUTE])
    assert nova["DEFAULT"]["my_ip"] == "192.0.2.2"
    assert nova["DEFAULT"]["transport_url"] == "rabbit://openstack:secret@192.0.2.1:5672/"
    agent = read(files["/etc/neutron/neutron_ovn_metadata_agent.ini"])
    assert agent["DEFAULT"]["nova_metadata_host"] == "192.0.2.1"
    assert agent["ovn"]["ovn_sb_connection"] == "tcp:192.0.2.1:6642"
    keystone = next(part for part in module("parts").parts(host(module, "controller")) if part.name == "keystone")
    assert keystone.line(compute, 7)[:3] == ("uwsgi", "--http-socket", "192.0.2.1:5000")


def test_tunnels_end_on_their_own_card_and_only_the_controller_leads_outside(module: Module) -> None:
    told = {name: module("ovn").settings(host(module, name)) for name in NODES}
    assert [one["external-ids:ovn-encap-ip"] for one in told.values()] == ["198.51.100.1", "198.51.100.2"]
    assert told["controller"]["external-ids:ovn-cms-options"] == "enable-chassis-as-gw"
    assert not [name for name in told["compute1"] if "cms-options" in name or "bridge-mappings" in name]


def test_each_host_knows_all_by_their_names(module: Module) -> None:
    known = module("hosts").known
    assert known(host(module, "compute1")) == "127.0.0.1 localhost compute1\n192.0.2.1 controller\n"
    assert known(module("options").Options()) == "127.0.0.1 localhost gate\n"


def test_options_of_a_host_are_the_same_after_one_process_told_another(module: Module) -> None:
    options = host(module, "compute1")
    again = module("options").Options.from_json(options.to_json())
    assert again == options
    assert (again.role, list(again.hosts), again.shown) == ("compute", ["controller", "compute1"], "cloud/compute1")


def test_a_state_of_a_cloud_on_one_host_is_none_for_several(module: Module) -> None:
    name, alone = module("state").name, module("options").Options(venv="/none")
    several = module("options").Options(venv="/none", host="controller", hosts=NODES)
    assert name(alone, module("state").Path("/none")) != name(several, module("state").Path("/none"))


def test_a_host_that_is_no_node_of_the_build_is_refused_by_its_name(module: Module) -> None:
    told = {"gatebot": {"nodes": NODES}}
    assert module("variables").nodes(told, ["compute1"]) == {"compute1": "172.24.0.2"}
    with pytest.raises(module("options").Impossible) as refused:
        module("variables").nodes(told, ["controller", "compute2"])
    assert str(refused.value) == "There is no node compute2 in this build. There are: controller, compute1."


def test_a_node_that_others_cannot_reach_is_refused_with_what_to_take_instead(module: Module) -> None:
    told = {"gatebot": {"nodes": {**NODES, "compute1": ""}}}
    with pytest.raises(module("options").Impossible) as refused:
        module("variables").nodes(told, ["controller", "compute1"])
    assert str(refused.value) == (
        "The node compute1 cannot be a host of this cloud: the other nodes of the build have no way to it, as it is a"
        " virtual machine that nobody but gatebot gets into, or on another machine than they. Give all nodes of the"
        " nodeset labels of one provider whose nodes share a network."
    )
