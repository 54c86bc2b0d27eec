# SPDX-License-Identifier: Apache-2.0
"""What a line of `gerrit stream-events` hints at.

Pure. A line is a hint and nothing more: what is new is read from Gerrit itself, so that a line which was missed, came
twice or came late makes no difference.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from .model import Hint, Json

_META = re.compile(r"refs/changes/\d\d/(\d+)/meta")


def hint(line: str) -> Hint | None:
    """Where to look because of one line; None: nothing that the gate asks about."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    told = cast("Json", event)
    match told.get("type"):
        case "ref-updated":
            return _of_ref(_table(told, "refUpdate"))
        case "batch-ref-updated":
            return Hint(str(told.get("project") or ""))
        case "project-created" | "project-head-updated":
            return Hint(str(told.get("projectName") or ""))
        case "dropped-output":
            return Hint()
        case _:
            return _of_change(_table(told, "change"))


def _of_ref(update: Json) -> Hint | None:
    project, ref = str(update.get("project") or ""), str(update.get("refName") or "")
    meta = _META.fullmatch(ref)
    if meta is not None:
        return Hint(project, int(meta[1]))
    # Old servers tell a branch by its short name.
    of_branch = ref.startswith("refs/heads/") or not ref.startswith("refs/")
    return Hint(project) if project and of_branch else None


def _of_change(change: Json) -> Hint | None:
    number = str(change.get("number") or "")
    return Hint(str(change.get("project") or ""), int(number)) if number.isdigit() else None


def _table(event: Json, name: str) -> Json:
    found: Any = event.get(name)
    return cast("Json", found) if isinstance(found, dict) else {}
