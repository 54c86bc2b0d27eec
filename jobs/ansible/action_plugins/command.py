# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's `command`, and with it `shell`: where its output may be seen, the module says it while the command runs.

Where the playbook is on the node itself, the module runs in a child of the task's own process, which has imported all
that it needs: nothing is packed, brought and started, which takes ten times as long as a short command.
Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from types import SimpleNamespace

from ansible.module_utils import basic
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import module_loader
from ansible.utils.vars import merge_hash

PROFILE = "legacy"


class ActionModule(ActionBase):
    """The task. What is started in the background, or must not be logged, tells nothing meanwhile."""

    _supports_check_mode = True
    _supports_async = True
    _near = None

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

    def _configure_module(self, module_name, module_args, task_vars):
        """What is brought to the node: nothing, where this is the node and the task stays who it is."""
        alone = self._connection.become is not None or self._task.async_val
        if self._connection.transport != "gatebot" or alone:
            return super()._configure_module(module_name, module_args, task_vars)
        path = module_loader.find_plugin(module_name)
        self._near = path, dict(module_args)
        return SimpleNamespace(
            module_style="new", shebang=f"#!{sys.executable}", b_module_data=b"", serialization_profile=PROFILE
        ), path

    def _low_level_execute_command(self, cmd, *args, **kwargs):
        if self._near is None:
            return super()._low_level_execute_command(cmd, *args, **kwargs)
        (path, given), self._near, environment = self._near, None, {}
        self._compute_environment_string(environment)
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(readable)
            become_module(path, given, {**os.environ, **environment}, writable)
        os.close(writable)
        with open(readable, encoding="utf-8", errors="surrogateescape") as file:
            printed = file.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"rc": status, "stdout": printed, "stdout_lines": printed.splitlines(), "stderr": ""}


def become_module(path, given, environment, writable):
    """In the child: be the module, as if it had been started by a login."""
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number, descriptor in enumerate((nothing, writable, nothing)):
            os.dup2(descriptor, number)
        os.chdir(environment["HOME"])
        os.environ.clear()
        os.environ.update({name: str(value) for name, value in environment.items()})
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape")
        encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": given}, cls=encoder).encode()
        basic._ANSIBLE_PROFILE = PROFILE
        runpy.run_path(path, run_name="__main__")
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:
        traceback.print_exc(file=sys.stdout)
    finally:
        sys.stdout.flush()
        os._exit(status)
