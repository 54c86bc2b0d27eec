# SPDX-License-Identifier: Apache-2.0
"""Who was in a channel while a meeting ran, from the lines that tell who came and went.

Pure. Somebody is there from a JOIN on, or before a line that says that he leaves, or because the channel had him when
the meeting began; under whatever nick, he is one person. Behind a gap of the log nobody is known to be there any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from ..model import Line, LineKind

BEFORE = timedelta(days=1)
"""How long before a meeting comings and goings are looked at."""
TOLD_BY = (LineKind.JOIN, LineKind.PART, LineKind.QUIT, LineKind.KICK, LineKind.NICK, LineKind.GAP)


def silent(
    lines: Iterable[Line], started: datetime, spoke: Collection[str], present: Iterable[str] = ()
) -> tuple[str, ...]:
    """Who was there from `started` on and is not among those who spoke; `lines` begin earlier and are in order.

    Who was `present` then is there whatever the lines tell.
    """
    here = {nick: frozenset({nick}) for nick in present}
    came: dict[str, frozenset[str]] | None = None
    for line in lines:
        if came is None and line.at >= started:
            came = dict(here)
        _take(line, here, came)
    known = {nick.casefold() for nick in spoke}
    found = came if came is not None else here
    return tuple(nick for nick, names in found.items() if known.isdisjoint(name.casefold() for name in names))


def _take(line: Line, here: dict[str, frozenset[str]], came: dict[str, frozenset[str]] | None) -> None:
    """Let a line change who is here; while the meeting runs (`came`), whoever it names was there."""
    who = line.text.partition(" ")[0] if line.kind is LineKind.KICK else line.nick
    match line.kind:
        case LineKind.GAP:
            here.clear()
        case LineKind.NICK:
            names = here.pop(who, frozenset({who})) | {line.text}
            here[line.text] = names
            if came is not None:
                came[line.text] = names | came.pop(who, frozenset())
        case LineKind.JOIN:
            here[who] = here.get(who, frozenset({who}))
            if came is not None:
                came[who] = came.get(who, frozenset()) | here[who]
        case _:
            names = here.pop(who, frozenset({who}))
            if came is not None and who:
                came[who] = came.get(who, frozenset()) | names
