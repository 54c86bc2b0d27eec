# SPDX-License-Identifier: Apache-2.0
"""Sign-up, the OpenID Connect provider, and further addresses plugged in, from the settings.

Only wiring: who may have an account is decided in `identity/joining.py`.
"""

from __future__ import annotations

from aiohttp import web

from .. import settings as settings_text
from ..addresses_pages import AddressPages
from ..clock import Clock
from ..confirming import Confirming
from ..db import Database
from ..identity.joining import Joining
from ..joining import JoiningPages
from ..keys import SiteKey
from ..oidc import OpenIdConnect, Provider
from ..review.people.rest_emails import RestEmails
from ..review.room import ReviewRoom
from ..review.shaper import Shaper
from ..settings import Settings
from ..site import Site
from .mailing import Mailing


def routes(
    settings: Settings, db: Database, clock: Clock, key: SiteKey, site: Site, mailing: Mailing, room: ReviewRoom
) -> list[web.RouteDef]:
    """The pages; they are there on every site, and say what is not possible."""
    provider = None
    if settings.oidc.issuer:
        secret = settings_text.resolve(settings, settings.oidc.client_secret_file)
        back = f"{settings.url}/login/oidc/back"
        provider = OpenIdConnect(Provider(settings.oidc.issuer, settings.oidc.client_id, secret, back), clock)
    post = mailing.post if settings.accounts.sign_up == "mail" else None
    pages = JoiningPages(site, Joining(db, clock), clock, key, post, provider)
    return [*pages.routes(), *_address_routes(settings, clock, key, site, mailing, room)]


def _address_routes(
    settings: Settings, clock: Clock, key: SiteKey, site: Site, mailing: Mailing, room: ReviewRoom
) -> list[web.RouteDef]:
    """Further addresses of accounts: the pages, and Gerrit's calls."""
    post = mailing.post if mailing.sending is not None else None
    confirming = Confirming(site.identity, key, clock, settings.site.name, settings.url, post)
    return [*AddressPages(site, confirming).routes(), *RestEmails(Shaper(room, site), confirming).routes()]
