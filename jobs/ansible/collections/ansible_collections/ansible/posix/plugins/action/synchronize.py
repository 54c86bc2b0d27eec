# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""`synchronize`: copies trees of files between the machine of the playbook and a node, over the connection to it.

As the action of this name in the collection ansible.posix, which takes over where it is installed; neither side needs
the program rsync. Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import os

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.ansible.posix.plugins.module_utils import trees

#: Connections to where the playbook itself runs.
NEAR = ("local", "gatebot", "ansible.builtin.local")


class There:
    """One end: a node, asked by `ask`, with files brought by the connection."""

    def __init__(self, ask, connection, temporary):
        self._ask = ask
        self._connection = connection
        self._place = connection._shell.join_path(temporary, "tree.tar")

    def listed(self, base, name):
        return self._ask(op="list", base=base, name=name)["found"]

    def pack(self, base, paths, archive):
        self._ask(op="pack", base=base, paths=paths, archive=self._place)
        self._connection.fetch_file(self._place, archive)

    def unpack(self, archive, base, paths, removed):
        self._connection.put_file(archive, self._place)
        self._ask(op="unpack", archive=self._place, base=base, paths=dict.fromkeys(paths, ""), removed=removed)


class ActionModule(ActionBase):
    """The task."""

    TRANSFERS_FILES = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        given, host = self._task.args, task_vars["inventory_hostname"]
        delegate = self._task.delegate_to
        connection = task_vars["hostvars"].get(host, {}).get("ansible_connection", self._connection.transport)
        try:
            end = trees.Here(trees.options(given.get("rsync_opts") or []), self._yes("copy_links"))
            if connection in NEAR or host == "localhost":
                changes = self._moved(end, end, os.environ["HOME"])
            elif delegate == host:
                changes = self._asking(task_vars)(op="copy", src=given["src"], dest=given["dest"])["changes"]
            elif delegate:
                told = (
                    f"synchronize cannot copy between {delegate} and {host}: leave delegate_to out, or copy by way of"
                )
                raise trees.Refused(f"{told} the playbook's own machine, in two tasks.")
            else:
                there = There(self._asking(task_vars), self._connection, self._make_tmp_path())
                pull = given.get("mode") == "pull"
                changes = self._moved(there, end) if pull else self._moved(end, there)
                self._remove_tmp_path(self._connection._shell.tmpdir)
        except KeyError as missing:
            return {**result, "failed": True, "msg": f"synchronize needs {missing.args[0]}."}
        except (OSError, trees.Refused) as problem:
            return {**result, "failed": True, "msg": str(problem)}
        lines = changes[:1000]
        return {**result, "changed": bool(changes), "rc": 0, "stdout_lines": lines, "msg": "\n".join(lines)}

    def _yes(self, name):
        return boolean(self._task.args.get(name, False))

    def _moved(self, source, target, node=""):
        """Synchronize. Of relative paths those on this machine are found as files of the role or the playbook are.

        `node` is where those of a node begin that is this machine; on others that is the home directory.
        """
        src, dest = self._task.args["src"], self._task.args["dest"]
        pull = self._task.args.get("mode") == "pull"
        near, far = (dest, src) if pull else (src, dest)
        if not os.path.isabs(os.path.expanduser(near)):
            role = self._task._role
            top = role._role_path if role else self._loader.get_basedir()
            near = self._loader.path_dwim_relative(top, "files", near) + ("/" if near.endswith("/") else "")
        near, far = os.path.expanduser(near), os.path.join(node, os.path.expanduser(far) if node else far)
        src, dest = (far, near) if pull else (near, far)
        return trees.synchronized(source, target, src, dest, self._yes("delete"))

    def _asking(self, task_vars):
        """A way to ask the module on the node."""
        given = {
            "rules": trees.options(self._task.args.get("rsync_opts") or []),
            "follow": self._yes("copy_links"),
            "delete": self._yes("delete"),
        }

        def ask(**more):
            name = "ansible.posix.synchronize"
            told = self._execute_module(module_name=name, module_args={**given, **more}, task_vars=task_vars)
            if told.get("failed"):
                raise trees.Refused(told.get("msg") or told.get("module_stderr") or "The node did not answer.")
            return told

        return ask
