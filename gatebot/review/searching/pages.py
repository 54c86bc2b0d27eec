# SPDX-License-Identifier: Apache-2.0
"""Changes, for the search page: as the list of changes shows them, or what is wrong with the query.

The box is for everything, so what is no query is looked for as words of commit messages; but conditions that cannot be
read are refused as the list of changes does, never looked for as words.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from ...access import Actor
from ...errors import Invalid
from ...front import Results
from ...queries import conditions
from ...site import Site
from .. import views
from ..addresses.model import names_one
from ..shown import Shown

_MOST = 20


@dataclass(frozen=True, slots=True)
class SearchPart:
    """The review room's part of the search page."""

    site: Site
    shown: Shown

    async def search(self, request: web.Request, query: str) -> Results:
        """Rows of changes; who names one change exactly is led to it."""
        if "older" in request.query:  # a further page of lines
            return Results()
        actor = self.site.actor(request)
        try:
            rows, more = await self.shown.rows(actor, query, _MOST)
        except Invalid as error:
            rows = await self._said(actor, query, error)
            return Results(rows=rows)
        lead = f"/{rows[0].path}" if len(rows) == 1 and names_one(query) else ""
        return Results(rows=rows, lead=lead, more=f"/q/{quote(query, safe=':')}" if more else "")

    async def _said(self, actor: Actor, query: str, error: Invalid) -> tuple[views.ChangeRow, ...]:
        """The changes in whose messages this stands as it was written; what was meant as a query is refused."""
        unknown = error.reason is not None and error.reason.kind == "review.query-unknown-operator"
        asked = conditions(query)
        if asked and not unknown:
            raise error
        quoted = query.replace("\\", "\\\\").replace('"', " ")
        rows, _ = await self.shown.rows(actor, f'message:"{quoted}"', _MOST)
        if asked and not rows:
            raise error
        return rows
