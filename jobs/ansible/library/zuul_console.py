# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zuul's `zuul_console`: nothing has to be started here, what commands print comes by itself.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: zuul_console
short_description: Do nothing
description: There for roles that start Zuul's console.
"""


def main():
    """The module."""
    AnsibleModule({"path": {}, "port": {"type": "int"}, "state": {}}).exit_json(changed=False)


if __name__ == "__main__":
    main()
