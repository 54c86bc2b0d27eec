# SPDX-License-Identifier: Apache-2.0
"""The pages by which people get accounts without an administrator: sign-up by mail, and sign-in at a provider.

Thin: who may have an account `identity/joining.py` decides, what a provider signed `oidc.py` checks. What a browser
must bring back from the provider lies sealed in its cookie, for ten minutes.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta

import msgspec
from aiohttp import web

from . import words
from .clock import Clock
from .confirming import Post
from .errors import GatebotError, NotFound, NotPermitted, TooManyAttempts, Unauthenticated, http_status
from .identity.joining import Joining, Wanted
from .identity.passwords import SHORTEST, Attempts
from .keys import SiteKey
from .oidc import Begun, OpenIdConnect
from .proxies import is_private
from .reasons import reason
from .site import Site, local

_COOKIE = "gatebot_oidc"
_ABOUT = "oidc.begun"
_LASTS = timedelta(minutes=10)


class JoiningPages:
    """`/signup` and `/login/oidc`. Without `post` nobody signs up by mail; without `provider` nobody comes from one."""

    def __init__(
        self, site: Site, joining: Joining, clock: Clock, key: SiteKey, post: Post | None,
        provider: OpenIdConnect | None,
    ) -> None:  # fmt: skip
        self._site = site
        self._joining = joining
        self._clock = clock
        self._key = key
        self._post = post
        self._provider = provider
        self._attempts = Attempts()

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/signup", self._page),
            web.post("/signup", self._ask),
            web.get("/signup/{signup}", self._confirm_page),
            web.post("/signup/{signup}", self._confirm),
            web.get("/login/oidc", self._away),
            web.get("/login/oidc/back", self._back),
        ]

    # -- by mail ---------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self._poster()
        return self._form(request, Wanted("", "", ""), "")

    def _form(self, request: web.Request, wanted: Wanted, problem: str, status: int = 200) -> web.StreamResponse:
        return self._site.render(request, "signup.html", status=status, wanted=wanted, problem=problem, sent=False)

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        post, form = self._poster(), await request.post()
        wanted = Wanted(*(str(form.get(name, "")).strip()[:200] for name in ("username", "name", "email")))
        wanted = Wanted(wanted.username, wanted.name or wanted.username, wanted.email)
        try:
            self._brake(request.remote or "", wanted.email)
            token = await self._joining.ask(wanted)
        except GatebotError as error:
            status = http_status(error) if isinstance(error, TooManyAttempts) else 400
            return self._form(request, wanted, self._site.sentence(request, error), status)
        language = self._site.language(request)
        words_of = {"site": self._site.settings.site.name, "username": wanted.username, "name": wanted.name}
        if token is None:
            told = words.say(reason("hall.sign-up-known", **words_of, url=f"{self._site.settings.url}/login"), language)
        else:
            url = f"{self._site.settings.url}/signup/{token}"
            told = words.say(reason("hall.sign-up-mail", **words_of, url=url), language)
        subject = words.say(reason("hall.sign-up-subject", site=self._site.settings.site.name), language)
        await post(wanted.email, subject, told)
        return self._site.render(request, "signup.html", wanted=wanted, problem="", sent=True)

    def _brake(self, machine: str, email: str) -> None:
        """Neither one machine nor one mailbox is a way to flood."""
        try:
            self._attempts.take("", machine, self._clock.now())
            self._attempts.take(email, "", self._clock.now())
        except TooManyAttempts:
            raise TooManyAttempts(reason=reason("hall.sign-up-too-often")) from None

    async def _confirm_page(self, request: web.Request) -> web.StreamResponse:
        wanted = await self._joining.asked(request.match_info["signup"])
        return self._site.render(request, "signup_confirm.html", wanted=wanted, problem="", shortest=SHORTEST)

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["signup"]
        wanted = await self._joining.asked(token)
        try:
            if not is_private(request):
                raise NotPermitted(reason=reason("hall.password-in-the-open"))
            account = await self._joining.confirm(token, str((await request.post()).get("password", "")))
        except GatebotError as error:
            problem = self._site.sentence(request, error)
            return self._site.render(
                request, "signup_confirm.html", status=400, wanted=wanted, problem=problem, shortest=SHORTEST
            )
        return await self._site.sign_in(request, account.id, "/settings")

    def _poster(self) -> Post:
        if self._post is None:
            raise NotPermitted(reason=reason("hall.no-sign-up"))
        return self._post

    # -- at a provider ---------------------------------------------------------------------------------

    async def _away(self, request: web.Request) -> web.StreamResponse:
        begun = await self._there().begin()
        kept = (begun.state, begun.nonce, begun.verifier, local(request.query.get("next", "/")), self._clock.now())
        answer = web.HTTPFound(begun.url)
        sealed = self._key.seal(msgspec.json.encode(kept), _ABOUT)
        answer.set_cookie(
            _COOKIE, base64.urlsafe_b64encode(sealed.encode()).decode(), httponly=True, samesite="Lax",
            secure=request.secure or self._site.settings.url.startswith("https:"), max_age=600, path="/login/oidc",
        )  # fmt: skip
        raise answer

    async def _back(self, request: web.Request) -> web.StreamResponse:
        provider, (begun, target) = self._there(), self._begun(request)
        if problem := request.query.get("error", ""):
            raise Unauthenticated(reason=reason("hall.oidc-refused", why=problem[:100]))
        if not hmac.compare_digest(request.query.get("state", "").encode(), begun.state.encode()):
            raise Unauthenticated(reason=reason("hall.oidc-stale"))
        claims = await provider.finish(request.query.get("code", ""), begun.nonce, begun.verifier)
        account = await self._joining.of_claims(claims, create=self._site.settings.oidc.create)
        answer = await self._site.sign_in(request, account.id, target)
        answer.del_cookie(_COOKIE, path="/login/oidc")
        return answer

    def _begun(self, request: web.Request) -> tuple[Begun, str]:
        try:
            sealed = base64.urlsafe_b64decode(request.cookies.get(_COOKIE, "").encode()).decode()
            raw = self._key.open(sealed, _ABOUT)
            state, nonce, verifier, target, at = msgspec.json.decode(raw, type=tuple[str, str, str, str, datetime])
        except (GatebotError, ValueError, msgspec.MsgspecError):
            raise Unauthenticated(reason=reason("hall.oidc-stale")) from None
        if self._clock.now() - at > _LASTS:
            raise Unauthenticated(reason=reason("hall.oidc-stale"))
        return Begun("", state, nonce, verifier), target

    def _there(self) -> OpenIdConnect:
        if self._provider is None:
            raise NotFound(reason=reason("hall.no-oidc"))
        return self._provider
