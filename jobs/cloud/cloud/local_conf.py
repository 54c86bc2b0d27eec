# SPDX-License-Identifier: Apache-2.0
"""A local.conf of DevStack, and what jobs that are written for DevStack say instead of one.

Pure. Of `[[local|localrc]]` the assignments and the switches of services are understood, `[[post-config|FILE]]` as
options of a file of the cloud. Shell in it is passed over: nothing of it is run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .ini import merged

#: The files of the cloud behind DevStack's names.
FILES: Mapping[str, tuple[str, ...]] = {
    "$KEYSTONE_CONF": ("/etc/keystone/keystone.conf",),
    "$PLACEMENT_CONF": ("/etc/placement/placement.conf",),
    "$GLANCE_API_CONF": ("/etc/glance/glance-api.conf",),
    "$NOVA_CONF": ("/etc/nova/nova.conf", "/etc/nova/nova-compute.conf"),
    "$NOVA_CPU_CONF": ("/etc/nova/nova-compute.conf",),
    "$NEUTRON_CONF": ("/etc/neutron/neutron.conf",),
    "/$NEUTRON_CORE_PLUGIN_CONF": ("/etc/neutron/plugins/ml2/ml2_conf.ini",),
    "/$Q_PLUGIN_CONF_FILE": ("/etc/neutron/plugins/ml2/ml2_conf.ini",),
    "$CINDER_CONF": ("/etc/cinder/cinder.conf",),
}
_HEADING = re.compile(r"^\[\[\s*(?P<phase>[\w-]+)\s*\|\s*(?P<file>[^\]]+?)\s*\]\]$")
_SECTION = re.compile(r"^\[(?P<name>[^\[\]]+)\]$")
_SWITCH = re.compile(r"^(?P<what>enable_service|disable_service)\s+(?P<names>.+)$")
_ASSIGNED = re.compile(r"^(?:export\s+)?(?P<name>[A-Za-z_]\w*)=(?P<value>.*)$")
_OPTION = re.compile(r"^(?P<name>[\w.-]+)\s*[=:]\s*(?P<value>.*)$")

Overrides = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(slots=True)
class LocalConf:
    """What a local.conf says: assignments, switches of services by DevStack's names, options by file and section."""

    assigned: dict[str, str] = field(default_factory=dict[str, str])
    switches: dict[str, bool] = field(default_factory=dict[str, bool])
    options: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict[str, dict[str, dict[str, str]]])


def read(text: str) -> LocalConf:
    """Read one; lines before the first heading are those of `[[local|localrc]]`."""
    found = LocalConf()
    phase, file, section = "local", "localrc", "DEFAULT"
    for line in (row.strip() for row in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if heading := _HEADING.match(line):
            phase, file, section = heading["phase"], heading["file"], "DEFAULT"
        elif phase == "local":
            _local(found, line)
        elif named := _SECTION.match(line):
            section = named["name"]
        elif phase == "post-config" and (option := _OPTION.match(line)):
            found.options.setdefault(file, {}).setdefault(section, {})[option["name"]] = option["value"].strip()
    return found


def _local(found: LocalConf, line: str) -> None:
    if switch := _SWITCH.match(line):
        on = switch["what"] == "enable_service"
        found.switches |= {name: on for name in re.split(r"[\s,]+", switch["names"].strip()) if name}
    elif assigned := _ASSIGNED.match(line):
        found.assigned[assigned["name"]] = assigned["value"].strip().strip("\"'")


def by_path(options: Overrides) -> dict[str, dict[str, dict[str, str]]]:
    """Options of files by the paths of these files, however they were named."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name, sections in options.items():
        for path in FILES.get(name, (name,)):
            found[path] = merged(found.get(path, {}), sections)
    return found
