# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tasks become somebody else: by sudo where the node's user may use it without a password, else not at all.

In a sandbox there is one user, whom all its files are of; what really needs another fails by itself.
Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import shlex

from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: gatebot
short_description: sudo, where there is any
description: Tasks run as another user where the node has sudo, and as the only user where it has none.
options:
  become_user:
    default: root
    vars: [{name: ansible_become_user}]
    keyword: [{name: become_user}]
  become_exe:
    keyword: [{name: become_exe}]
  become_flags:
    default: ""
    keyword: [{name: become_flags}]
  become_pass:
    vars: [{name: ansible_become_password}, {name: ansible_become_pass}]
"""


class BecomeModule(BecomeBase):
    """The method C(gatebot)."""

    name = "gatebot"

    def build_become_command(self, cmd, shell):
        super().build_become_command(cmd, shell)
        if not cmd:
            return cmd
        user, told = shlex.quote(self.get_option("become_user")), self._build_success_command(cmd, shell)
        sudo = f"sudo -H -n -u {user}"
        return f"if {sudo} true 2>/dev/null; then {sudo} {told}; else {told}; fi"
