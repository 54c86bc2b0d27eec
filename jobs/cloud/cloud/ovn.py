# SPDX-License-Identifier: Apache-2.0
"""The networks of guests: Open vSwitch with its own datapath (`netdev`), for which no kernel module is needed, and OVN.

OVN's databases are on the controller, where the outside is too; each host with guests is a chassis. Between several
hosts go tunnels, over a bridge of Open vSwitch: it sends them by no other way than its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from .configs import OVN_PORT, southbound
from .link import TUNNELS
from .options import Options, Role
from .processes import Processes

_OVS, _OVN = "/usr/share/openvswitch/scripts/ovs-ctl", "/usr/share/ovn/scripts/ovn-ctl"
_OUTSIDE, _BETWEEN = "br-ex", "br-link"


async def begin(options: Options, processes: Processes) -> None:
    """Start what this host has of it."""
    with processes.step("ovn"):
        for place in ("/run", "/var/lib", "/etc", "/var/log"):
            for name in ("openvswitch", "ovn"):
                os.makedirs(f"{place}/{name}", exist_ok=True)
        await _switch(options, processes)
        if options.role is not Role.ALL:
            await _bridge(processes, _BETWEEN, f"{TUNNELS.address(options.index)}/24")
            await processes.run("ovs", "ovs-vsctl", "--may-exist", "add-port", _BETWEEN, TUNNELS.name)
        if options.role is not Role.COMPUTE:
            await _bridge(processes, _OUTSIDE, "172.24.4.1/24")
            await _databases(options, processes)
        if options.role is Role.CONTROLLER:
            # What leaves checksums to a card that computes none does not come through a tunnel.
            await processes.run("ovs", "ethtool", "--offload", _OUTSIDE, "tx", "off")
        await processes.run("ovn", _OVN, "--no-monitor", "start_controller")


def settings(options: Options) -> Mapping[str, str]:
    """What Open vSwitch is told, and what OVN finds there about this chassis."""
    alone = options.role is Role.ALL
    outside = {} if options.role is Role.COMPUTE else {
        "external-ids:ovn-cms-options": "enable-chassis-as-gw",
        "external-ids:ovn-bridge-mappings": f"public:{_OUTSIDE}",
    }  # fmt: skip
    return {
        # Else guests get addresses, but their TCP hangs on checksums that nobody computes.
        "other_config:userspace-tso-enable": "true",
        "external-ids:ovn-remote": southbound(options),
        "external-ids:ovn-encap-type": "geneve",
        "external-ids:ovn-encap-ip": "127.0.0.1" if alone else TUNNELS.address(options.index),
        "external-ids:ovn-bridge-datapath-type": "netdev",
        "external-ids:ovn-bridge": "br-int",
        **outside,
        "external-ids:ovn-remote-probe-interval": "60000",
        "external-ids:hostname": options.host,
    }


async def _switch(options: Options, processes: Processes) -> None:
    # It would write down another name of this host, beside us and at times after us: then nothing is bound here.
    told = ("--no-monitor", "--no-record-hostname", f"--system-id={options.host}", "--no-ovs-vswitchd")
    await processes.run("ovs", _OVS, *told, "start")
    values = (f"{name}={value}" for name, value in settings(options).items())
    await processes.run("ovs", "ovs-vsctl", "--no-wait", "set", "open", ".", *values)
    await processes.run(
        "ovs", "ovs-vswitchd", "unix:/run/openvswitch/db.sock", "--detach",
        "--pidfile=/run/openvswitch/ovs-vswitchd.pid", "--log-file=/var/log/openvswitch/ovs-vswitchd.log",
        "-vconsole:off", "-vfile:info",
    )  # fmt: skip


async def _bridge(processes: Processes, name: str, address: str) -> None:
    made = ("--may-exist", "add-br", name, "--", "set", "bridge", name, "datapath_type=netdev")
    await processes.run("ovs", "ovs-vsctl", *made)
    await processes.run("ovs", "ip", "address", "replace", address, "dev", name)
    await processes.run("ovs", "ip", "link", "set", name, "up")


async def _databases(options: Options, processes: Processes) -> None:
    quiet = ("--no-monitor", "--ovn-manage-ovsdb=yes", "--ovn-northd-log=-vconsole:off -vfile:info")
    await processes.run("ovn", _OVN, *quiet, "start_northd")
    await processes.run("ovn", "ovn-nbctl", "--no-wait", "init")
    if options.role is Role.CONTROLLER:
        await processes.run("ovn", "ovn-sbctl", "set-connection", f"ptcp:{OVN_PORT}:{options.controller}")
