# SPDX-License-Identifier: Apache-2.0
"""An OpenID Connect provider, in a process of its own: `python -m tests.fakes.oidc_provider PORT`.

It checks what a provider checks: the client's secret, its redirect address, PKCE, and that a code is used once. Whom it
signs in the browser says (`&as=ann`); some of its people make it lie.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode
from urllib.request import urlopen

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.fakes.irc import free_port

CLIENT, SECRET = "gatebot", "sesame/+&"
PEOPLE: dict[str, dict[str, object]] = {
    "ann": {"email": "ann@example.org", "email_verified": True, "name": "Ann"},
    "mallory": {"email": "ann@example.org", "email_verified": False, "name": "Mallory"},
    "kim": {"email": "kim@example.org", "email_verified": True, "name": "김 하나", "preferred_username": "kim hana!"},
    "bob2": {"email": "other@example.org", "email_verified": True, "name": "Bob", "preferred_username": "bob"},
}
LIES = ("nonce", "aud", "iss", "exp", "signature", "none", "hmac")


@dataclass
class Provider:
    """One provider: its key and the codes that it gave out."""

    issuer: str
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    async def metadata(self, _request: web.Request) -> web.Response:
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return web.json_response(
            {
                "issuer": self.issuer,
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                **{name: f"{self.issuer}/{end}" for name, end in ends.items()},
            }
        )

    async def keys(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        right = asked.get("client_id") == CLIENT and asked.get("response_type") == "code"
        if not right or "openid" not in asked["scope"].split() or asked.get("code_challenge_method") != "S256":
            return web.Response(status=400, text="this is no request of that client")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self.codes.pop(str(form.get("code", "")), None)
        wanted = "Basic " + base64.b64encode(b"gatebot:sesame%2F%2B%26").decode()
        verifier = str(form.get("code_verifier", "")).encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).decode().rstrip("=")
        if request.headers.get("Authorization") != wanted:
            return web.json_response({"error": "invalid_client"}, status=401)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri") or asked["code_challenge"] != challenge:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response(
            {"access_token": "opaque", "token_type": "Bearer", "id_token": self._signed(asked["as"], asked["nonce"])}
        )

    def _signed(self, who: str, nonce: str) -> str:
        name, _, lie = who.partition("/")
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.issuer, "sub": f"id-of-{name}", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce,
            **PEOPLE[name],
        }  # fmt: skip
        claims |= {"nonce": {"nonce": "old"}, "aud": {"aud": "other"}, "iss": {"iss": "https://evil.example.org"},
                   "exp": {"exp": now - 4000}}.get(lie, {})  # fmt: skip
        if lie == "none":
            parts = (b'{"alg":"none"}', json.dumps(claims).encode(), b"")
            return ".".join(map(_text, parts))
        if lie == "hmac":
            head, body = (_text(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
            mac = hmac.digest(self.key.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
            return f"{head}.{body}.{_text(mac)}"
        key = RSAKey.generate_key(2048) if lie == "signature" else self.key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@contextmanager
def running_provider() -> Generator[str]:
    """A provider that runs as long as the block; its issuer."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "tests.fakes.oidc_provider", str(port)])
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urlopen(f"{issuer}/keys", timeout=5):
                    break
            except OSError:
                assert time.monotonic() < deadline, "the provider does not start"
                time.sleep(0.05)
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


def main(port: int) -> None:
    """Serve."""
    provider = Provider(f"http://127.0.0.1:{port}")
    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", provider.metadata),
            web.get("/keys", provider.keys),
            web.get("/authorize", provider.authorize),
            web.post("/token", provider.token),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
