# SPDX-License-Identifier: Apache-2.0
"""Signing in at an OpenID Connect provider: the authorization code flow with PKCE, state and nonce.

Authlib and joserfc make and check what is signed; only the requests are ours. Algorithms are pinned to public-key
ones, whatever a token's header says; issuer, audience, time and nonce are checked. What the provider says becomes
`Claims`; whose account that is, `identity` decides.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from authlib.common.security import generate_token
from authlib.oauth2 import rfc7636
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from .clock import Clock
from .errors import Unauthenticated, Unavailable
from .identity.joining import Claims
from .reasons import Reason, reason

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_TIMEOUT = aiohttp.ClientTimeout(total=15)
_MOST = 512 * 1024
_challenge = cast("Callable[[str], str]", rfc7636.create_s256_code_challenge)  # pyright: ignore[reportUnknownMemberType]
_LEEWAY = 60
_ENDS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Provider:
    """Who signs people in, and as whom this site is known there."""

    issuer: str
    client_id: str
    secret_file: str
    back: str
    scopes: str = "openid profile email"


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: where the browser goes, and what must be known when it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class _Checked(Protocol):
    """Authlib's claims, as far as they are asked here."""

    def validate(self, now: int, leeway: int) -> None: ...


class OpenIdConnect:
    """One provider. Its addresses and keys are asked when they are needed, its keys again when they do not fit."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._known: Mapping[str, str] | None = None
        self._keys: KeySet | None = None
        self._lock = asyncio.Lock()

    async def begin(self) -> Begun:
        """Where the browser is sent."""
        known = await self._metadata()
        state, nonce, verifier = generate_token(32), generate_token(32), generate_token(64)
        asked = {
            "response_type": "code", "client_id": self._provider.client_id, "redirect_uri": self._provider.back,
            "scope": self._provider.scopes, "state": state, "nonce": nonce,
            "code_challenge": str(_challenge(verifier)), "code_challenge_method": "S256",
        }  # fmt: skip
        url = known["authorization_endpoint"]
        return Begun(f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}", state, nonce, verifier)

    async def finish(self, code: str, nonce: str, verifier: str) -> Claims:
        """What the provider says of who comes back with this code."""
        known = await self._metadata()
        body = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._provider.back,
            "code_verifier": verifier,
        }  # fmt: skip
        answer = await self._ask("POST", known["token_endpoint"], body)
        claims = await self._claims(str(answer.get("id_token", "")), str(answer.get("access_token", "")), nonce)
        return Claims(
            issuer=self._provider.issuer,
            subject=str(claims["sub"]),
            username=str(claims.get("preferred_username") or claims.get("nickname") or ""),
            name=str(claims.get("name") or ""),
            email=str(claims.get("email") or ""),
            email_verified=claims.get("email_verified") is True,
        )

    async def _claims(self, token: str, access: str, nonce: str) -> Mapping[str, object]:
        try:
            decoded = await self._decoded(token, fresh=False)
        except (JoseError, ValueError):
            try:
                decoded = await self._decoded(token, fresh=True)  # it may have new keys
            except (JoseError, ValueError):
                raise Unauthenticated(reason=_refused("its answer is not signed by its keys")) from None
        options = {
            "iss": {"essential": True, "value": self._provider.issuer},
            "aud": {"essential": True, "value": self._provider.client_id},
        }
        params = {"nonce": nonce, "client_id": self._provider.client_id, "access_token": access}
        claims = cast("_Checked", CodeIDToken(decoded.claims, decoded.header, options, params))
        try:
            claims.validate(now=int(self._clock.now().timestamp()), leeway=_LEEWAY)
        except JoseError as error:
            raise Unauthenticated(reason=_refused(str(error))) from None
        return cast("Mapping[str, object]", claims)

    async def _decoded(self, token: str, *, fresh: bool) -> jwt.Token:
        return jwt.decode(token, await self._keys_of(fresh=fresh), algorithms=_ALGORITHMS)

    async def _metadata(self) -> Mapping[str, str]:
        """The addresses of the provider, by their names in its configuration."""
        async with self._lock:
            if self._known is None:
                found = await self._ask("GET", f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration")
                try:
                    OpenIDProviderMetadata(found).validate_issuer()
                except ValueError as error:
                    raise Unavailable(reason=_refused(str(error))) from None
                if found.get("issuer") != self._provider.issuer:
                    raise Unavailable(reason=_refused(f"it calls itself {found.get('issuer')}"))
                if missing := next((name for name in _ENDS if not isinstance(found.get(name), str)), ""):
                    raise Unavailable(reason=_refused(f"its configuration has no {missing}"))
                self._known = {name: str(found[name]) for name in _ENDS}
            return self._known

    async def _keys_of(self, *, fresh: bool) -> KeySet:
        if self._keys is None or fresh:
            known = await self._metadata()
            found = await self._ask("GET", known["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            except (JoseError, ValueError, TypeError, LookupError, AttributeError):
                raise Unavailable(reason=_refused("its keys cannot be read")) from None
        return self._keys

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, object]:
        headers = {"Accept": "application/json"}
        if form is not None:
            secret = (await asyncio.to_thread(Path(self._provider.secret_file).read_text, "utf-8")).strip()
            pair = f"{quote(self._provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as client,
                client.request(method, url, data=form, headers=headers, allow_redirects=False) as answer,
            ):
                raw = await _whole(answer.content)
                if answer.status == 400 and form is not None:
                    raise Unauthenticated(reason=_refused("it does not know this code any more"))
                if answer.status != 200:
                    raise Unavailable(reason=_refused(f"it answered {answer.status}"))
                found = _object(raw)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(reason=_refused(str(error) or type(error).__name__)) from None
        return found


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """A body to its end, however many pieces it comes in."""
    taken = bytearray()
    async for piece in content.iter_any():
        taken += piece
        if len(taken) > _MOST:
            raise Unavailable(reason=_refused(f"its answer is longer than {_MOST // 1024} KiB"))
    return bytes(taken)


def _object(raw: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except msgspec.MsgspecError:
        raise Unavailable(reason=_refused("its answer is no JSON object")) from None


def _refused(why: str) -> Reason:
    return reason("hall.oidc-refused", why=why)
