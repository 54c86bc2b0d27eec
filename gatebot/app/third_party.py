# SPDX-License-Identifier: Apache-2.0
"""CIs elsewhere plugged in: from the sections of the settings to the board that shows how they stand.

Only translates: what a CI is asked and how it answers is the review room's.
"""

from __future__ import annotations

from aiohttp import web

from ..review.room import ReviewRoom
from ..review.third_party import pages, rest
from ..review.third_party.model import ThirdParty
from ..review.third_party.service import ThirdPartyCis
from ..review.third_party.standing import default_recheck
from ..settings import Settings
from ..site import Site


def known(settings: Settings) -> tuple[ThirdParty, ...]:
    """Those of the settings, in their order."""
    return tuple(
        ThirdParty(
            name=name,
            account=third_party_ci.account or name,
            recheck=third_party_ci.recheck or default_recheck(name),
            projects=third_party_ci.projects,
            label=third_party_ci.label,
            url=third_party_ci.url,
            contact=third_party_ci.contact,
        )
        for name, third_party_ci in settings.third_party_ci.items()
    )


def routes(site: Site, cis: ThirdPartyCis, room: ReviewRoom) -> list[web.RouteDef]:
    """The page and its REST."""
    return [*pages.routes(site, cis), *rest.routes(site, cis, room.reading)]
