# SPDX-License-Identifier: Apache-2.0
"""Where others find what they need to check the tokens of builds: discovery and the key, at Zuul's addresses.

Everybody may read them: they are public by nature.
"""

from __future__ import annotations

from aiohttp import web

from ...keys import tokens
from .service import Issuer


def routes(issuer: Issuer) -> list[web.RouteDef]:
    """All routes."""
    doors = Doors(issuer)
    return [
        web.get("/.well-known/openid-configuration", doors.configuration),
        web.get("/oidc/tenant/{tenant}/.well-known/openid-configuration", doors.configuration),
        web.get("/oidc/jwks", doors.keys),
        web.get("/oidc/tenant/{tenant}/jwks", doors.keys),
    ]


class Doors:
    """Handlers."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    async def configuration(self, request: web.Request) -> web.StreamResponse:
        """What this issuer is."""
        told = {
            "issuer": self._issuer.url,
            "jwks_uri": f"{self._issuer.url}/oidc/jwks",
            "claims_supported": ["aud", "iat", "iss", "name", "sub", "custom"],
            "response_types_supported": ["id_token"],
            "id_token_signing_alg_values_supported": [tokens.ALGORITHM],
            "subject_types_supported": ["public"],
        }
        return web.json_response(told)

    async def keys(self, request: web.Request) -> web.StreamResponse:
        """The key that tokens are signed with."""
        return web.json_response(await self._issuer.published())
