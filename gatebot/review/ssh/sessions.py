# SPDX-License-Identifier: Apache-2.0
"""What one channel does: git, a command of Gerrit's, the hook by scp, or a greeting where nothing is asked.

Refusals are told in the reader's language behind Gerrit's `fatal: `, and end with its exit statuses.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Protocol

from ... import words as sentences
from ...errors import GatebotError
from ...identity import Account
from ..git_process import RECEIVE, UPLOAD
from ..operating.tasks import Tasks
from . import git, hook_files, tokens
from .model import Call, Command, Commands, Failed, Terminal

_SERVICES = {
    UPLOAD: UPLOAD, RECEIVE: RECEIVE, "git upload-pack": UPLOAD, "git receive-pack": RECEIVE,
    "gerrit receive-pack": RECEIVE, "gatebot receive-pack": RECEIVE,
}  # fmt: skip
_NAMES = ("gerrit", "gatebot")
QUEUE = "SSH"
"""What tasks are told to be of."""


class Pipe(git.Stream, Terminal, Protocol):
    """Both kinds of ends of a channel."""


class Sessions:
    """Runs what comes over a channel; `address` is where people reach this server, HOST:PORT."""

    def __init__(self, serving: git.GitOverSsh, commands: Commands, address: str, tasks: Tasks) -> None:
        self._git = serving
        self._commands = commands
        self._address = address
        self._tasks = tasks

    async def run(self, pipe: Pipe, account: Account, line: str | None, env: Mapping[str, str]) -> int:
        """The exit status."""
        language = "ko" if env.get("LANG", "").startswith("ko") else "en"
        if not line:
            await pipe.complain(self._welcome(account))
            return 127
        if "\0" in line:
            await pipe.complain("fatal: there is a zero character in the command, which no name and no text here has\n")
            return 1
        try:
            words = tokens.split(line)
            with self._tasks.running(line, QUEUE, account=account.id):
                return await self._run(pipe, account, words, env.get("GIT_PROTOCOL", ""), language)
        except Failed as failed:
            await pipe.complain(failed.text.rstrip("\n") + "\n" if failed.text else "")
            return failed.status
        except GatebotError as error:
            text = sentences.say(error.reason, language) if error.reason else str(error)
            await pipe.complain(f"fatal: {text}\n")
            return 1
        except TimeoutError:
            with contextlib.suppress(OSError):
                await pipe.complain("fatal: nothing moved for too long; try again\n")
            return 128

    async def _run(self, pipe: Pipe, account: Account, words: tuple[str, ...], version: str, language: str) -> int:
        if (wanted := hook_files.scp_source(words)) is not None:
            return await hook_files.send(wanted, pipe.read, pipe.write)
        for length in (1, 2):
            service = _SERVICES.get(" ".join(words[:length]))
            if service is not None:
                if len(words) != length + 1:
                    raise Failed(f"fatal: {service} needs exactly one argument, the project", 128)
                return await self._git.serve(pipe, account, service, words[length], version=version, language=language)
        command, rest = self._command(words)
        await command.run(Call(account, rest, pipe, language))
        return 0

    def _command(self, words: tuple[str, ...]) -> tuple[Command, tuple[str, ...]]:
        """The command that the words begin with, and the words behind its name."""
        name, *behind = words or ("",)
        if name not in _NAMES:
            raise Failed(f"fatal: Gerrit Code Review: {name}: not found")
        for length in (2, 1):
            wanted = " ".join(behind[:length])
            if len(behind) >= length and wanted in self._commands:
                return self._commands[wanted], tuple(behind[length:])
        if not behind or behind[0] in ("--help", "-h"):
            raise Failed(self._overview(name), 0 if behind else 1)
        in_two = len(behind) > 1 and any(known.startswith(f"{behind[0]} ") for known in self._commands)
        missing = f"{behind[0]}: {behind[1]}" if in_two else behind[0]
        raise Failed(f"fatal: {name}: {missing}: not found\nWhat commands there are is told by: {name} --help")

    def _overview(self, name: str) -> str:
        width = max(map(len, self._commands), default=0)
        lines = [f"   {known:{width}}   {command.about}" for known, command in sorted(self._commands.items())]
        head = [f"{name} COMMAND [ARG] ... [--] [--help (-h)]", "", "Available commands are:", ""]
        return "\n".join([*head, *lines, "", f"See '{name} COMMAND --help' for more information.", ""])

    def _welcome(self, account: Account) -> str:
        return (
            "\n  ****    Welcome to Gerrit Code Review    ****\n\n"
            f"  Hi {account.name or account.username}, you have successfully connected over SSH.\n\n"
            "  Unfortunately, interactive shells are disabled.\n"
            "  To clone a hosted Git repository, use:\n\n"
            f"  git clone ssh://{account.username}@{self._address}/REPOSITORY_NAME.git\n\n"
        )
