# SPDX-License-Identifier: Apache-2.0
"""The REST calls of the review room, in Gerrit's shapes, as routes for the web site.

Only the list of them; each subject has a module of its own beside this one.
"""

from __future__ import annotations

from aiohttp import web

from ..site import Site
from .agreements.rest import RestAgreements
from .attention.rest import RestAttention
from .config.rest import RestAccess
from .edits.rest import RestEdits
from .edits.rest_creating import RestCreating
from .edits.rest_fixes import RestFixes
from .files.rest import RestFiles
from .groups.rest import RestGroups
from .groups.rest_members import RestMembers
from .hosted.rest import RestHosted
from .hosted.rest_access import RestAccessEdit
from .hosted.rest_commits import RestCommits
from .hosted.rest_config import RestConfig
from .keyed.rest import RestKeyedValues
from .operating.caches import Caches
from .operating.collecting import Collecting
from .operating.rest import RestOperating
from .operating.rest_server import RestServer
from .people.rest import RestAccounts
from .people.rest_own import RestOwn
from .people.rest_said import RestSaid
from .project_boards.rest import RestBoards
from .project_boards.service import Boards
from .requirements.rest import RestRequirements
from .rest_actions import RestActions
from .rest_changes import RestChanges
from .rest_openapi import RestOpenApi
from .rest_reviewers import RestReviewers
from .rest_revisions import RestRevisions
from .rest_site import RestSite
from .rest_standing import RestStanding
from .room import ReviewRoom
from .shaper import Shaper
from .threads.rest import RestThreads


def routes(room: ReviewRoom, site: Site) -> list[web.RouteDef]:
    """Everything below `/changes/`, `/accounts/`, `/projects/`, `/config/`, with and without `/a`."""
    shaper = Shaper(room, site)
    agreements = RestAgreements(shaper, site)
    access = RestAccess(shaper, room.configs)
    parts = (
        RestChanges(shaper),
        RestActions(shaper),
        RestStanding(shaper),
        RestRevisions(shaper),
        RestReviewers(shaper),
        RestKeyedValues(shaper),
        RestThreads(shaper, room.threads),
        RestAttention(shaper),
        RestEdits(shaper, room.edits),
        RestCreating(shaper),
        RestFixes(shaper, room.edits),
        RestFiles(shaper, room.files),
        RestAccounts(shaper),
        RestOwn(shaper, room.people),
        RestSaid(shaper, room.groups),
        access,
        RestAccessEdit(shaper, access.info),
        RestHosted(shaper),
        RestCommits(shaper),
        RestConfig(shaper),
        RestRequirements(shaper),
        RestBoards(shaper, Boards(room.repositories, room.rules, room.configs, room.config_editing)),
        RestOperating(shaper, room.tasks, _caches(room), Collecting(room.repositories, room.tasks)),
        RestServer(shaper, room.tasks),
        RestGroups(shaper, room.groups),
        RestMembers(shaper, room.groups),
        RestSite(shaper, agreements.of_site),
        agreements,
        RestOpenApi(room.site.url),
    )
    return [route for part in parts for route in part.routes()]


def _caches(room: ReviewRoom) -> Caches:
    parts = {"revisions": room.revisions, "files": room.files, "contents": room.judge.contents}
    return Caches({f"review.{name}": part for name, part in parts.items()})
