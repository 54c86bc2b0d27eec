# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's module `setup`, for nodes that are a directory: the home directory is the one that the job has there.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.facts import ansible_collector, default_collectors
from ansible.module_utils.facts.collector import CollectorNotFoundError, CycleFoundInFactDeps, UnresolvedFactDep
from ansible.module_utils.facts.namespace import PrefixFactNamespace

DOCUMENTATION = """
module: setup
short_description: Gathers facts about nodes
description: As C(ansible.builtin.setup); C(ansible_user_dir) is where a login begins.
"""
LEAST = frozenset(
    (
        *("apparmor", "caps", "cmdline", "date_time", "distribution", "dns", "env", "fips", "local", "lsb", "pkg_mgr"),
        *("platform", "python", "selinux", "service_mgr", "ssh_pub_keys", "user"),
    )
)


def main():
    """The module."""
    module = AnsibleModule(
        {
            "gather_subset": {"type": "list", "elements": "str", "default": ["all"]},
            "gather_timeout": {"type": "int", "default": 10},
            "filter": {"type": "list", "elements": "str", "default": []},
            "fact_path": {"type": "path", "default": "/etc/ansible/facts.d"},
        },
        supports_check_mode=True,
    )
    try:
        collector = ansible_collector.get_ansible_collector(
            all_collector_classes=default_collectors.collectors,
            namespace=PrefixFactNamespace(namespace_name="ansible", prefix="ansible_"),
            filter_spec=module.params["filter"],
            gather_subset=module.params["gather_subset"],
            gather_timeout=module.params["gather_timeout"],
            minimal_gather_subset=LEAST,
        )
    except (TypeError, CollectorNotFoundError, CycleFoundInFactDeps, UnresolvedFactDep) as problem:
        module.fail_json(msg=str(problem))
    facts = collector.collect(module=module)
    if "ansible_user_dir" in facts and "SUDO_UID" not in os.environ:
        facts["ansible_user_dir"] = os.environ.get("HOME", facts["ansible_user_dir"])
    module.exit_json(ansible_facts=facts)


if __name__ == "__main__":
    main()
