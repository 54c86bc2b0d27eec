# SPDX-License-Identifier: Apache-2.0
"""The table of Gerrit's commands: their names, and which module does each.

What they all share is in `model.py`, how their words are read in `arguments.py`.
"""

from __future__ import annotations

from ..gerrit_json import VERSION
from .model import Call, Command, Commands


def table() -> Commands:
    """Every command by its name, which may be two words."""
    return {"version": Command("Display gerrit version", _version)}


async def _version(call: Call) -> None:
    await call.terminal.say(f"gerrit version {VERSION}\n")
