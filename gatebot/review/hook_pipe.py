# SPDX-License-Identifier: Apache-2.0
"""The server's end of the two pipes to git's hooks: one push, from the first hook to the last.

git starts the small shell script `hooks/receive` twice, as `pre-receive` and as `proc-receive`; it
inherits the pipes through git, tells what git says and repeats what it is answered. Nothing is
decided here: `push.py` checks and performs, `push_says.py` words it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .. import words
from ..access import Actor
from ..errors import GatebotError
from ..identity import Account
from ..reasons import Reason
from . import push_says
from .push import Checked, Receiver, Reviewed
from .push_facts import Push
from .receive import Command, ForReview, Refused, refused

_SCRIPTS = Path(__file__).parent / "hooks"
_PIPE_HOLDS = 200  # commands of which git may write all before the hook reads any


class Submitted(Protocol):
    """What became of a submit; `says` tells."""

    @property
    def says(self) -> Reason:
        """In a sentence."""
        ...


class Submits(Protocol):
    """Submitting by a person, for `%submit`."""

    async def submit(self, actor: Actor, number: int) -> Submitted:
        """Submit one change; an error says why not."""
        ...


def install(directory: Path) -> Path:
    """Write the hooks that git shall run, executable, into a directory of the server's own."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("pre-receive", "proc-receive"):
        draft = directory / f".{name}"
        shutil.copyfile(_SCRIPTS / "receive", draft)
        draft.chmod(0o755)
        draft.replace(directory / name)
    return directory


class HookPipe:
    """Answers the hooks of one push. Use: `fds` and `environment` for git's start, then `serve` beside it."""

    def __init__(self, receiver: Receiver, submits: Submits, project: str, account: Account, language: str) -> None:
        self._receiver = receiver
        self._submits = submits
        self._loop = asyncio.get_running_loop()
        self._project = project
        self._account = account
        self._language = language
        self._events, self._hook_events = os.pipe()
        self._hook_answers, self._answers = os.pipe()
        self._checked: Checked | None = None
        self.refused: Refused | None = None

    @property
    def fds(self) -> tuple[int, int]:
        """What git inherits."""
        return self._hook_events, self._hook_answers

    @property
    def environment(self) -> dict[str, str]:
        """How the hooks find their ends of the pipes."""
        return {"GATEBOT_EVENTS": str(self._hook_events), "GATEBOT_ANSWERS": str(self._hook_answers)}

    def started(self) -> None:
        """git runs: its ends belong to it alone."""
        os.close(self._hook_events)
        os.close(self._hook_answers)

    def abandon(self) -> None:
        """git never ran."""
        self.started()
        os.close(self._events)
        os.close(self._answers)

    async def serve(self) -> None:
        """Answer until git and its hooks have ended."""
        reader = asyncio.StreamReader(limit=1 << 20)
        file = os.fdopen(self._events, "rb", buffering=0)
        transport, _ = await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        try:
            told: list[str] = []
            while line := await reader.readline():
                told.append(line.decode("utf-8", "surrogateescape").rstrip("\n"))
                if told[-1] == "end":
                    await asyncio.to_thread(self._answer, told)
                    told = []
        finally:
            transport.close()
            os.close(self._answers)

    def _answer(self, told: Sequence[str]) -> None:
        """One hook's question; whatever goes wrong here refuses the push."""
        lines = ["end 1"]
        try:
            lines = self._check(told) if told[0] == "check" else self._perform(atomic=told[0].endswith(" atomic"))
        except Exception:
            self.refused = refused("internal server error")
            raise
        finally:
            text = "".join(f"{line}\n" for line in lines)
            os.write(self._answers, text.encode("utf-8", "surrogateescape"))

    def _check(self, told: Sequence[str]) -> list[str]:
        commands = [Command(*line[8:].split(" ", 2)) for line in told if line.startswith("command ")]
        options = tuple(line[7:] for line in told if line.startswith("option "))
        push = Push(self._project, self._account, tuple(commands), options, told[1])
        checked = self._receiver.check(push)
        if isinstance(checked, Refused):
            self.refused = checked
            return [*_say(self._refusal(checked, commands)), "end 1"]
        self._checked = checked
        return ["end 0"]

    def _refusal(self, refused: Refused, commands: Sequence[Command]) -> list[str]:
        return push_says.refusal(refused, commands, self._account.username, self._language)

    def _perform(self, *, atomic: bool) -> list[str]:
        if self._checked is None:
            return ["end 1"]
        commands = self._checked.push.commands
        done = self._receiver.perform(self._checked, atomic=atomic)
        if isinstance(done, Refused):
            told = self._refusal(done, commands)
        else:
            username = self._account.username
            told = push_says.success(
                done, self._receiver.url, self._language, commands=commands, username=username,
                hook=self._receiver.site.hook_line,
            )  # fmt: skip
        if self._checked.request.trace is not None:
            told.append(f"TRACE_ID: {self._checked.request.trace or self._checked.push.project}")
        if isinstance(done, Reviewed) and isinstance(wanted := self._checked.sorted, ForReview):
            told += self._submit(self._checked.push.actor, done) if wanted.options.submit and not done.edits else []
        first = ["drain"] if len(commands) > _PIPE_HOLDS else []
        return [*first, *_say(told), *_packets(push_says.report(commands, done)), "end 0"]

    def _submit(self, actor: Actor, done: Reviewed) -> list[str]:
        """Submit the tip of what was pushed, with all it stands on; the push stands whatever comes of it.

        Runs in a worker thread.
        """
        tip = done.changes[-1]
        waiting = asyncio.run_coroutine_threadsafe(self._submits.submit(actor, tip.number), self._loop)
        try:
            text = words.say(waiting.result().says, self._language)
        except GatebotError as error:
            text = words.say(error.reason, self._language) if error.reason else str(error)
        return [f"  {self._receiver.url(tip)} {text}", ""]


def _say(lines: Sequence[str]) -> list[str]:
    return [f"say {part}" for line in lines for part in (line.splitlines() or [""])]


def _packets(lines: Sequence[str]) -> list[str]:
    """Lines of git's protocol: the length in four hexadecimal digits, counting itself and the line's end."""
    return [f"pkt {len(line.encode('utf-8', 'surrogateescape')) + 5:04x}{line}" for line in lines]
