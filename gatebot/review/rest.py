# SPDX-License-Identifier: Apache-2.0
"""The REST calls of the review room, in Gerrit's shapes, as routes for the web site.

Only the list of them; each subject has a module of its own beside this one.
"""

from __future__ import annotations

from aiohttp import web

from ..site import Site
from .rest_changes import RestChanges, Shaper
from .rest_revisions import RestRevisions
from .rest_site import RestSite
from .room import ReviewRoom


def routes(room: ReviewRoom, site: Site) -> list[web.RouteDef]:
    """Everything below `/changes/`, `/accounts/`, `/projects/`, `/config/`, with and without `/a`."""
    shaper = Shaper(room, site)
    return [*RestChanges(shaper).routes(), *RestRevisions(shaper).routes(), *RestSite(shaper).routes()]
