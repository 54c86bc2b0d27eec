# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks on the node that the playbook itself runs on, as if it had come there: in the home directory.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import os

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: gatebot
short_description: the node that the playbook runs on
description: As the connection C(local), but commands start in the home directory, as after a login.
options:
  become_success_timeout:
    type: int
    default: 10
    description: Seconds to wait for become to succeed.
    vars: [{name: ansible_local_become_success_timeout}]
  become_strip_preamble:
    type: bool
    default: true
    description: Strip what become prints before the command.
    vars: [{name: ansible_local_become_strip_preamble}]
extends_documentation_fragment: [connection_pipelining]
"""


class Connection(Local):
    """The connection C(gatebot)."""

    transport = "gatebot"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cwd = os.environ["HOME"]
