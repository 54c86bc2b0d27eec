# SPDX-License-Identifier: Apache-2.0
"""Sign-up and the OpenID Connect provider plugged in, from the settings.

Only wiring: who may have an account is decided in `identity/joining.py`.
"""

from __future__ import annotations

from aiohttp import web

from .. import settings as settings_text
from ..clock import Clock
from ..db import Database
from ..identity.joining import Joining
from ..joining import JoiningPages
from ..keys import SiteKey
from ..oidc import OpenIdConnect, Provider
from ..settings import Settings
from ..site import Site
from .mailing import Mailing


def routes(
    settings: Settings, db: Database, clock: Clock, key: SiteKey, site: Site, mailing: Mailing
) -> list[web.RouteDef]:
    """The pages; they are there on every site, and say what is not possible."""
    provider = None
    if settings.oidc.issuer:
        secret = settings_text.resolve(settings, settings.oidc.client_secret_file)
        back = f"{settings.url}/login/oidc/back"
        provider = OpenIdConnect(Provider(settings.oidc.issuer, settings.oidc.client_id, secret, back), clock)
    post = mailing.post if settings.accounts.sign_up == "mail" else None
    return JoiningPages(site, Joining(db, clock), clock, key, post, provider).routes()
