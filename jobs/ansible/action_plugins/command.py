# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's `command`, and with it `shell`: where its output may be seen, the module says it while the command runs.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import os

from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash


class ActionModule(ActionBase):
    """The task. What is started in the background, or must not be logged, tells nothing meanwhile."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        place = os.environ.get("GATEBOT_LIVE")
        if place and not self._task.no_log and not self._task.async_val:
            host = task_vars["inventory_hostname"]
            several = len(task_vars.get("ansible_play_hosts_all", ())) > 1
            key = f"{self._task._uuid}-{host}"
            self._task.args["_live"] = {"place": place, "key": key, "name": host if several else ""}
        behind = self._task.async_val and not self._connection.has_native_async
        told = self._execute_module(module_name="ansible.legacy.command", task_vars=task_vars, wrap_async=behind)
        if not behind:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return merge_hash(result, told)
