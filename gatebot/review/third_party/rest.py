# SPDX-License-Identifier: Apache-2.0
"""`/api/third-party-ci`: how CIs elsewhere stand, for programs; `.../change/NUMBER`: on one change's patch set.

Times are UTC, lengths of time seconds; what a reader may not see does not count.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web

from ...assignment import Json
from ...site import Site
from ..reading import Reading
from .model import Answer, Standing
from .service import ThirdPartyCis


def routes(site: Site, cis: ThirdPartyCis, reading: Reading) -> list[web.RouteDef]:
    """The two routes."""

    async def board(request: web.Request) -> web.Response:
        found = await cis.board(site.actor(request))
        answer = {"since": _at(found.since), "third_party_ci": [standing_json(one) for one in found.standings]}
        return web.json_response(answer)

    async def change(request: web.Request) -> web.Response:
        view = await reading.view(site.actor(request), int(request.match_info["number"]))
        found = await cis.of(view, view.current)
        return web.json_response(
            {
                "change": view.change.number,
                "patch_set": view.current.number,
                "third_party_ci": [standing_json(one) for one in found.standings],
                "elsewhere": [ci.name for ci in found.elsewhere],
                "nobody": list(found.nobody),
            }
        )

    return [
        web.get("/api/third-party-ci", board),
        web.get(r"/api/third-party-ci/change/{number:\d{1,9}}", change),
    ]


def standing_json(one: Standing) -> dict[str, Json]:
    """One CI."""
    ci = one.ci
    return {
        "name": ci.name,
        "account": ci.account,
        "account_exists": one.known,
        "label": ci.label,
        "recheck": ci.recheck,
        "projects": list[Json](ci.projects),
        "url": ci.url,
        "contact": ci.contact,
        "patch_sets": one.asked,
        "voted": one.voted,
        "share": one.share,
        "success_rate": one.success_rate,
        "response_median": _seconds(one.median),
        "response_p90": _seconds(one.slow),
        "last_vote": _answer(one.last),
        "waiting": [
            {"change": each.change, "patch_set": each.patch_set, "subject": each.subject, "since": _at(each.since)}
            for each in one.waiting
        ],
    }


def _answer(one: Answer | None) -> Json:
    if one is None:
        return None
    return {"change": one.change, "patch_set": one.patch_set, "value": one.value, "at": _at(one.at)}


def _at(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
