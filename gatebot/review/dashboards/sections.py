# SPDX-License-Identifier: Apache-2.0
"""Which lists a dashboard has: those of a person, and those that an address describes, as Gerrit's do.

Pure. `/dashboard/?title=T&foreach=Q&NAME=QUERY`: each pair that is not `title` or `foreach` is a list.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import Invalid
from ...reasons import reason
from .model import Dashboard, Section

_MOST = 20


def N_(text: str) -> str:
    """Marks a text of a page that is said where it is shown."""
    return text


def of_person(who: str) -> Dashboard:
    """What waits for somebody and for others of his; `who` is `self` or a user name."""
    name = who if who == "self" else '"' + who.replace('"', "") + '"'
    closed = f"is:closed -age:4w (owner:{name} OR reviewer:{name} OR cc:{name})"
    turn = Section(
        N_("Your turn") if who == "self" else N_("Turn"),
        f"attention:{name}",
        turns=True,
        empty=N_("Nothing waits for you.") if who == "self" else N_("Nothing waits here."),
    )
    drafts = [Section(N_("With drafts of yours"), "has:draft")] if who == "self" else []
    rest = [
        Section(N_("Incoming"), f"is:open reviewer:{name} -owner:{name} -is:wip -attention:{name}"),
        Section(N_("Outgoing"), f"is:open owner:{name} -is:wip -attention:{name}"),
        Section(N_("Work in progress"), f"is:open owner:{name} is:wip"),
        Section(N_("CC"), f"is:open cc:{name} -owner:{name}"),
        Section(N_("Recently closed"), closed, limit=10),
    ]
    return Dashboard("" if who == "self" else who, (turn, *drafts, *rest), own=True)


def of_address(said: Iterable[tuple[str, str]]) -> Dashboard | None:
    """The lists that an address names, in its order; nothing where it names none."""
    title, each = "", ""
    lists: list[tuple[str, str]] = []
    for name, value in said:
        match name:
            case "title":
                title = value.strip()
            case "foreach":
                each = value.strip()
            case "lang":
                pass
            case _:
                lists += [(name, value.strip())] if value.strip() else []
    if len(lists) > _MOST:
        raise Invalid(reason=reason("review.too-many-lists", limit=_MOST))
    if not lists:
        return None
    return Dashboard(title, tuple(Section(name, f"{query} {each}".strip()) for name, query in lists))
