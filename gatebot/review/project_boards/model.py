# SPDX-License-Identifier: Apache-2.0
"""The values of a project's dashboards. An id is `REF:PATH`: what follows `refs/meta/dashboards/`, and a file there.

Floor 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, quote_plus, unquote

DASHBOARDS = "refs/meta/dashboards/"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Name:
    """Which dashboard."""

    ref: str
    path: str

    @property
    def id(self) -> str:
        """As Gerrit writes it, each half encoded."""
        return f"{quote(self.ref, safe='')}:{quote(self.path, safe='')}"

    @property
    def whole_ref(self) -> str:
        """The reference that has the file."""
        return f"{DASHBOARDS}{self.ref}"


def name_of(id: str) -> Name | None:
    """The name that an id says, encoded or not, also with the whole reference; None: it says none."""
    ref, colon, path = id.removeprefix(DASHBOARDS).partition(":")
    return Name(unquote(ref), unquote(path)) if colon and ref and path else None


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard as its file in `defined_in` describes it, for a `project` that may be another; texts as written."""

    name: Name
    project: str
    defined_in: str
    title: str = ""
    description: str = ""
    each: str = ""
    lists: tuple[tuple[str, str], ...] = ()

    def said(self, text: str) -> str:
        """A text with the project's name in its place."""
        return text.replace("${project}", self.project)

    @property
    def address(self) -> str:
        """The same as an address of a dashboard, which needs no file."""
        pairs = [("title", self.said(self.title) or self.name.path)]
        pairs += [("foreach", self.said(self.each))] if self.each else []
        pairs += [(name, self.said(query)) for name, query in self.lists]
        return "/dashboard/?" + "&".join(f"{quote_plus(name, safe=':')}={quote_plus(q, safe=':')}" for name, q in pairs)

    @property
    def page(self) -> str:
        """Where its page is, at Gerrit's address."""
        return f"/p/{quote(self.project)}/+/dashboard/{self.name.id}"
