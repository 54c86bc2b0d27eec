# SPDX-License-Identifier: Apache-2.0
"""A local.conf of DevStack, and the variables that jobs of DevStack have instead, as options of a cloud."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

Module = Callable[[str], ModuleType]
CONF = """\
[[local|localrc]]
# Nothing that is shell is run.
ADMIN_PASSWORD="of the conf"
LOGDAYS=1
enable_service rabbit q-svc
disable_service s-proxy,tempest c-api
if [[ $HOST ]]; then exit; fi

[[post-config|$NOVA_CONF]]
[DEFAULT]
cpu_allocation_ratio = 16
[libvirt]
images_type: raw
[[post-config|/$Q_PLUGIN_CONF_FILE]]
[ml2]
path_mtu = 1400
"""


def test_a_local_conf_switches_services_and_sets_what_has_a_meaning_here(module: Module) -> None:
    options = module("variables").options_of({"cloud_local_conf": CONF})
    assert sorted(options.services) == ["glance", "keystone", "neutron", "nova", "placement"]
    assert options.password == "of the conf"


def test_what_it_says_of_files_wins_over_what_the_cloud_would_say(module: Module) -> None:
    files = module("configs").files(module("variables").options_of({"cloud_local_conf": CONF}))
    for path in ("/etc/nova/nova.conf", "/etc/nova/nova-compute.conf"):
        assert "cpu_allocation_ratio = 16\n" in files[path]
        assert "images_type = raw\n" in files[path]
    assert "path_mtu = 1400\n" in files["/etc/neutron/plugins/ml2/ml2_conf.ini"]
    assert "compute_driver = libvirt.LibvirtDriver\n" in files["/etc/nova/nova.conf"]


def test_variables_of_a_devstack_job_win_over_the_lines_of_a_local_conf(module: Module) -> None:
    config = {"post-config": {"$NOVA_CONF": {"libvirt": {"images_type": "qcow2", "cpu_mode": "host-model"}}}}
    options = module("variables").options_of(
        {
            "cloud_local_conf": CONF,
            "devstack_localrc": {"ADMIN_PASSWORD": "of the job", "VIRT_DRIVER": "fake"},
            "devstack_services": {"c-api": True, "g-api": True},
            "devstack_local_conf": config,
        }
    )
    assert (options.password, options.fake) == ("of the job", True)
    assert "cinder" in options.services
    libvirt = {"images_type": "qcow2", "cpu_mode": "host-model"}
    assert options.overrides["/etc/nova/nova.conf"]["libvirt"] == libvirt
    assert options.overrides["/etc/nova/nova.conf"]["DEFAULT"] == {"cpu_allocation_ratio": "16"}
