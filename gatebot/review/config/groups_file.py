# SPDX-License-Identifier: Apache-2.0
"""The file `groups`: which group each name of `project.config` means.

Pure. A line is a UUID, a tab and a name; `#` begins a comment. The names of Gerrit's own groups
always mean these groups, whether the file lists them or not.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...access_rules import SYSTEM_GROUPS
from ...reasons import reason
from .model import GROUPS, GroupLine, Trouble

_HEAD = "# UUID                                  \tGroup Name\n#\n"


def parse(text: str) -> tuple[tuple[GroupLine, ...], tuple[Trouble, ...]]:
    """The groups of the file, and all lines that cannot be read."""
    found: list[GroupLine] = []
    troubles: list[Trouble] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        uuid, _, name = (part.strip() for part in line.partition("\t"))
        if not uuid or not name:
            troubles.append(Trouble(GROUPS, number, reason("review.config-group-line", text=line[:60])))
        elif any(one.name == name and one.uuid != uuid for one in found):
            troubles.append(Trouble(GROUPS, number, reason("review.config-group-twice", name=name)))
        else:
            found.append(GroupLine(uuid, name, number))
    return tuple(found), tuple(troubles)


def write(groups: Iterable[GroupLine]) -> str:
    """The file for these groups, sorted by name."""
    each = sorted({(one.name, one.uuid) for one in groups})
    return _HEAD + "".join(f"{uuid:<40}\t{name}\n" for name, uuid in each)


def known(groups: Iterable[GroupLine]) -> dict[str, str]:
    """The UUID of each name, Gerrit's own groups among them."""
    return dict(SYSTEM_GROUPS) | {one.name: one.uuid for one in groups}
