# SPDX-License-Identifier: Apache-2.0
"""What a cloud is to be, by the variables of a job: our own and DevStack's."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

Module = Callable[[str], ModuleType]
LIGHT = ["keystone", "placement", "glance", "neutron"]


def test_without_a_word_a_cloud_has_every_service_and_a_broker(module: Module) -> None:
    options = module("variables").options_of({"cloud_services": []})
    assert sorted(options.services) == ["cinder", "glance", "keystone", "neutron", "nova", "placement", "swift"]
    assert options.broker


def test_a_cloud_whose_services_are_one_process_each_needs_no_broker(module: Module) -> None:
    options = module("variables").options_of({"cloud_services": LIGHT})
    assert not options.broker


@pytest.mark.parametrize(
    ("variables", "without"),
    [
        ({"devstack_services": {"s-proxy": False, "c-api": "false"}}, {"swift", "cinder"}),
        ({"cloud_local_conf": "disable_service c-api c-vol c-sch\nLOGFILE=stack.log"}, {"cinder"}),
        ({"devstack_services": {"swift": False, "q-dhcp": False, "c-sch": False}}, {"swift"}),
        ({"devstack_services": {"n-cpu": True}}, set()),
    ],
)
def test_devstacks_switches_turn_off_what_others_cannot_do_without(
    module: Module, variables: dict[str, object], without: set[str]
) -> None:
    options = module("variables").options_of(variables)
    assert set(module("options").WHOLE) - set(options.services) == without


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"cloud_services": ["nova"]}, "nova cannot be without glance, neutron, placement. Turn it off too, or leave"),
        ({"cloud_services": ["sahara"]}, "'sahara' is not a valid Service. There are: keystone, placement"),
        ({"cloud_services": "nova"}, "cloud_services is a list of services."),
        ({"cloud_virt_driver": "xen"}, "cloud_virt_driver: 'xen' is not there. There are: libvirt, fake."),
        ({"cloud_guest": {"ram": 1}}, "cloud_guest.ram is not known. There are: image, memory, ready, user."),
        ({"cloud_guest": {"memory": "much"}}, "cloud_guest.memory is a number of MiB, not 'much'."),
        ({"cloud_patience": 0.5}, "cloud_patience is how many times as long all may take, at least 1, not '0.5'."),
        ({"cloud_release": "../x"}, "cloud_release is the name of a directory in /opt/cloud of the image"),
        ({"devstack_services": {"swift": "maybe"}}, "devstack_services.swift is true or false, not 'maybe'."),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write_instead(
    module: Module, variables: dict[str, object], said: str
) -> None:
    with pytest.raises(module("options").Impossible) as refused:
        module("variables").options_of(variables)
    assert str(refused.value).startswith(said)


def test_options_are_the_same_after_one_process_told_another(module: Module) -> None:
    given = {
        "cloud_guest": {"image": "x.qcow2", "memory": 512},
        "cloud_services": LIGHT,
        "cloud_debug": False,
        "cloud_patience": 20,
        "devstack_localrc": {"ADMIN_PASSWORD": "x"},
    }
    options = module("variables").options_of(given, "aarch64")
    assert module("options").Options.from_json(options.to_json()) == options
    assert (options.debug, options.password) == (False, "x")
    assert (options.machine, options.deadline) == ("aarch64", 20 * module("options").Options().deadline)
    assert (options.guest.format, options.guest.memory, options.guest.user) == ("qcow2", 512, "root")
