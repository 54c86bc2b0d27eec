# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what a playbook does as a log that people read: each task once, what it printed, what went wrong.

What commands print comes while they run, by a socket: see `library/command.py`.

Loaded by ansible-playbook only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

from ansible.playbook.block import Block
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: gatebot_stream
type: stdout
short_description: readable output for build logs
description: Each task once, its output line by line, errors first in the line.
"""
#: Other spellings of what `action_plugins/command.py` does.
COMMANDS = ("ansible.builtin.command", "ansible.legacy.command")


class Listener:
    """Hears what commands print, and shows it line by line."""

    def __init__(self, display):
        self._display = display
        directory = tempfile.mkdtemp(prefix="gatebot-")
        self.place = os.path.join(directory, secrets.token_hex(16))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.place)
        self._lock = threading.Lock()
        self._rests = {}
        self._whole = set()
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def heard(self, key):
        """Whether all that the command of a task printed is written; asked when the task has ended, and once."""
        self.take()
        with self._lock:
            whole = key in self._whole
            self._whole.discard(key)
            return whole

    def take(self):
        """Write all that was said until now."""
        with self._lock:
            while True:
                try:
                    frame = self._socket.recv(1 << 18, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return
                try:
                    self._write(*json.loads(frame))
                except (TypeError, ValueError):  # it is no frame of ours
                    continue

    def _listen(self):
        while True:
            self._socket.recv(1, socket.MSG_PEEK)
            self.take()

    def _write(self, key, name, stream, text):
        if text is None:
            self._whole.add(key)
        begin = f"    {name} | " if name else "    "
        ended = {(key, one): "" for one in ("stdout", "stderr")} if text is None else {(key, stream): text}
        for place, more in ended.items():
            *lines, rest = (self._rests.pop(place, "") + more).split("\n")
            if text is None:
                lines += [rest] if rest else []
            elif rest:
                self._rests[place] = rest
            if lines:
                self._display.display("\n".join(f"{begin}{line}" for line in lines))


def start_agent():
    """An agent for ssh where `SSH_AUTH_SOCK` says, unless one is there, as jobs of Zuul's have one; empty at first."""
    place = os.environ.get("SSH_AUTH_SOCK")
    if not place:
        return
    try:
        socket.socket(socket.AF_UNIX).connect(place)
        return
    except OSError:
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
    with contextlib.suppress(OSError):
        os.unlink(place)
    try:
        subprocess.run(["ssh-agent", "-a", place], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):  # there is none, or it cannot be where the node's files are
        del os.environ["SSH_AUTH_SOCK"]


def is_rescuable(task):
    """Whether a block around the task goes on when it fails."""
    parent = task._parent
    while parent is not None:
        if isinstance(parent, Block) and parent.rescue:
            return True
        parent = parent._parent
    return False


class CallbackModule(CallbackBase):
    """The `stdout` callback."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "gatebot_stream"

    def v2_playbook_on_start(self, playbook):
        self._listener = Listener(self._display)
        os.environ["GATEBOT_LIVE"] = self._listener.place
        start_agent()

    def v2_playbook_on_play_start(self, play):
        name = play.get_name().strip()
        self._display.display(f"PLAY [{name}]" if name else "PLAY")

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._begin("TASK", task)

    def v2_playbook_on_handler_task_start(self, task):
        self._begin("RUNNING HANDLER", task)

    def v2_runner_on_ok(self, result):
        changed = result._result.get("changed", False)
        self._tell(result, "changed" if changed else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._tell(result, "failed, ignored" if ignore_errors else "fatal", failed=not ignore_errors)
        if not ignore_errors and not is_rescuable(result._task):
            self._signal("failing")

    def v2_runner_on_unreachable(self, result):
        self._tell(result, "fatal", failed=True)
        if not result._task.ignore_unreachable:
            self._signal(f"unreachable {result._host.get_name()}")

    def v2_runner_on_skipped(self, result):
        self._display.display(f"  {result._host.get_name()}: skipped")

    def v2_runner_item_on_ok(self, result):
        self._tell(result, f"ok ({self._get_item_label(result._result)})")

    def v2_runner_item_on_failed(self, result):
        item, ignored = self._get_item_label(result._result), bool(result._task_fields.get("ignore_errors"))
        self._tell(result, f"failed, ignored ({item})" if ignored else "fatal", failed=not ignored, item=item)

    def v2_playbook_on_stats(self, stats):
        for host in sorted(stats.processed):
            told = stats.summarize(host)
            counts = ", ".join(
                f"{told[name]} {name}" for name in ("ok", "changed", "failures", "unreachable", "skipped")
            )
            self._display.display(f"RECAP {host}: {counts}")

    def _begin(self, word, task):
        if task.action in COMMANDS:
            task.action = "command"
        self._display.display(f"{word} [{task.get_name().strip()}]")

    def _signal(self, what):
        """Tell the executor, which does not show the line."""
        sys.stdout.flush()
        os.write(1, f"\x1fgatebot {what}\n".encode())

    def _tell(self, result, word, failed=False, item=None):
        found = result._result
        host = result._host.get_name()
        hidden = found.get("_ansible_no_log", False)
        heard = self._listener.heard(f"{result._task._uuid}-{host}")
        if failed:
            which = f"({item}) " if item is not None and not hidden else ""
            self._display.display(f"fatal: [{host}]: {which}FAILED! {self._why(found, hidden)}")
        else:
            self._display.display(f"  {host}: {word}")
        if hidden:
            return
        if not failed and result._task.action.rpartition(".")[2] in ("debug", "assert", "fail"):
            self._lines(self._said(found))
        for stream in () if heard else ("stdout", "stderr"):
            if isinstance(found.get(stream), str):
                self._lines(found[stream])

    def _why(self, found, hidden):
        """Why a task failed; of a command the last that it said of it."""
        code = f"exit code {found['rc']}" if "rc" in found else "no reason given"
        message = "" if hidden else str(found.get("msg") or found.get("module_stderr") or "")
        if message != "non-zero return code":
            return message or code
        said = str(found.get("stderr") or found.get("stdout") or "").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        return f"{code}: {last}" if last else code

    def _said(self, found):
        """What a task was to show: its message, or the value of a variable by its name."""
        if "msg" in found:
            return self._shown(found["msg"])
        shown = {name: value for name, value in found.items() if name[0] != "_" and name not in self._hide_in_debug}
        return "\n".join(f"{name}: {self._shown(value)}" for name, value in shown.items())

    def _shown(self, value):
        return value if isinstance(value, str) else json.dumps(value, indent=2, default=str, ensure_ascii=False)

    def _lines(self, text):
        for line in text.splitlines():
            self._display.display(f"    {line}")
