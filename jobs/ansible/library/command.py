# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's module `command`, which says what the command prints while it runs; in all else it is the same.

It says so to a socket of the playbook's machine. Where that is another machine, it prints frames before its result,
each a line that begins with the socket's name; the program `ssh` of the playbook's sandbox brings them there.
"""

from __future__ import annotations

import codecs
import datetime
import glob
import json
import os
import shlex
import socket
import sys

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_text

DOCUMENTATION = """
module: command
short_description: Execute commands on targets
description: As C(ansible.builtin.command), with its output seen while it runs.
"""
PIECE = 8192
SPEC = {
    "_raw_params": {},
    "_uses_shell": {"type": "bool", "default": False},
    "_live": {"type": "dict"},
    "cmd": {},
    "argv": {"type": "list", "elements": "str"},
    "chdir": {"type": "path"},
    "executable": {},
    "expand_argument_vars": {"type": "bool", "default": True},
    "creates": {"type": "path"},
    "removes": {"type": "path"},
    "stdin": {},
    "stdin_add_newline": {"type": "bool", "default": True},
    "strip_empty_ends": {"type": "bool", "default": True},
}


class Live:
    """Where the output of one command is said."""

    def __init__(self, place, key, name):
        self._head = [key, name]
        self._token = os.path.basename(place)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.connect(place)
        except OSError:
            self._socket = None

    def say(self, stream, text):
        """Some of a stream; None: that was all of the command."""
        frame = json.dumps([*self._head, stream, text])
        try:
            if self._socket is None:
                sys.stdout.write(f"\x1f{self._token} {frame}\n")
                sys.stdout.flush()
            else:
                self._socket.send(frame.encode())
        except OSError:  # nobody listens any more
            pass


class Heard:
    """The readable end of a pipe, of which all that is read is said."""

    def __init__(self, file, stream, live):
        self._file = file
        self._stream = stream
        self._live = live
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def fileno(self):
        return self._file.fileno()

    def close(self):
        self._file.close()

    def read(self, size=-1):
        """What the module reads."""
        piece = self._file.read(size)
        if piece is not None:
            text = self._decoder.decode(piece, final=not piece)
            for start in range(0, len(text), PIECE):
                self._live.say(self._stream, text[start : start + PIECE])
        return piece


def needless(params):
    """What it names that makes it needless, and how that is; empty: it has to run."""
    for name, there in (("creates", True), ("removes", False)):
        if params[name] and bool(glob.glob(params[name])) is there:
            return params[name], "exists" if there else "does not exist"
    return ()


def run(module, words, result):
    """Run it, and complete the result."""
    params, live = module.params, None
    if params["_live"] and not module.no_log:
        live = Live(**params["_live"])

    def begun(process):
        if live is not None:
            process.stdout, process.stderr = (
                Heard(process.stdout, "stdout", live),
                Heard(process.stderr, "stderr", live),
            )

    began = datetime.datetime.now()
    result["rc"], *printed = module.run_command(
        words,
        executable=params["executable"] if params["_uses_shell"] else None,
        use_unsafe_shell=params["_uses_shell"],
        encoding=None,
        data=params["stdin"],
        binary_data=not params["stdin_add_newline"],
        expand_user_and_vars=params["expand_argument_vars"],
        before_communicate_callback=begun,
    )
    ended = datetime.datetime.now()
    if live is not None:
        live.say("", None)
    texts = [to_text(text) for text in printed]
    result["stdout"], result["stderr"] = [text.rstrip("\r\n") if params["strip_empty_ends"] else text for text in texts]
    result.update(start=str(began), end=str(ended), delta=str(ended - began))


def main():
    """The module."""
    only_one = [["_raw_params", "cmd", "argv"]]
    module = AnsibleModule(SPEC, required_one_of=only_one, mutually_exclusive=only_one, supports_check_mode=True)
    params = module.params
    words = params["_raw_params"] or params["cmd"]
    if words and not params["_uses_shell"]:
        words = shlex.split(words)
    words = words or params["argv"]
    result = dict.fromkeys(("rc", "start", "end", "delta"))
    result.update(changed=False, stdout="", stderr="", msg="", cmd=words)
    if params["chdir"]:
        try:
            os.chdir(params["chdir"])
        except OSError as problem:
            result["msg"] = "Unable to change directory before execution."
            module.fail_json(exception=problem, **result)
    reason = needless(params)
    if reason:
        (path, how), would = reason, "Would" if module.check_mode else "Did"
        told = f"{would} not run command since '{path}' {how}"
        result.update(rc=0, msg=told, stdout=f"skipped, since {path} {how}")
    elif module.check_mode:
        skipped = params["creates"] is None and params["removes"] is None
        result.update(rc=0, changed=not skipped, msg="Command would have run if not in check mode")
        result.update({"skipped": True} if skipped else {})
    else:
        result["changed"] = True
        run(module, words, result)
    if result["rc"]:
        result["msg"] = "non-zero return code"
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
