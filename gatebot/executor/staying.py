# SPDX-License-Identifier: Apache-2.0
"""A node that stays after its job, for the person who ran it with `gatebot run --keep`: to use what the job left there.

A job asks for that with a file of JSON in its home: `enter`, the words that a command of the person comes after, and
`says`, lines for that person. The way in is that of playbooks to their nodes, so every provider has it. The node goes
when the person leaves.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from .. import assets
from ..reasons import reason
from ..words import say
from .providers.model import Door
from .switchboard import Line, Switchboard

#: What a job leaves in its home when it wants its node to stay.
FILE = ".stay.json"
_NODE = "node"
_PROGRAM = """\
#!{python} -ISE
import os, shlex, sys
os.environ["GATEBOT_DOOR"] = {door!r}
os.execv({ssh!r}, ["ssh", {node!r}, shlex.join([*{enter!r}, *(sys.argv[1:] or ["sh"])])])
"""


class Wish(msgspec.Struct):
    """What a job says of its node that is to stay."""

    enter: list[str] = []
    says: list[str] = []


@dataclass(slots=True)
class Stay:
    """The person in front: `place` is where the program that enters the node is put, `show` tells."""

    place: Path
    show: Callable[[str], None]
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _begun: bool = False

    async def until_left(self, wish: Wish, line: Line) -> None:
        """Let the person in and out, until `leave`."""
        door, program = self.place / "door", self.place / "enter"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(door))
        listener.listen()
        board = Switchboard({_NODE: line})
        await board.open(Door(listener.detach(), str(door)))
        ssh = str(assets.path("jobs", "ansible", "bin", "ssh"))
        text = _PROGRAM.format(python=sys.executable, door=str(door), ssh=ssh, node=_NODE, enter=wish.enter)
        program.write_text(text, "utf-8")
        program.chmod(0o755)
        self._begun = True
        told: Mapping[str, object] = {"enter": shlex.quote(str(program)), "process": os.getpid()}
        for text in (say(reason("executor.node-stays", **told)), *wish.says):
            self.show(text.replace("{enter}", str(program)))
        await self._left.wait()
        await board.close()
        for path in (door, program):
            path.unlink(missing_ok=True)

    def leave(self) -> bool:
        """The node may go; whether it had stayed for that."""
        self._left.set()
        return self._begun


def wished(home: Path) -> Wish | None:
    """What the job left in its home; None: its node may go."""
    try:
        return msgspec.json.decode((home / FILE).read_bytes(), type=Wish)
    except (OSError, msgspec.MsgspecError):
        return None
