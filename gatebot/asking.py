# SPDX-License-Identifier: Apache-2.0
"""Who is asking, and in which language: by session cookie, password, token, and the browser's wishes.

What signs a request is looked at once, before any page or REST call. Writes that are signed by
cookie must prove that a page of ours sent them. How one signs in by a form is in `site.py`.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import cast

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from . import words
from .access import Actor
from .errors import GatebotError, Invalid, NotPermitted, Unauthenticated
from .identity import Account, Identity
from .proxies import is_private
from .reasons import reason

ACCOUNT = cast("web.RequestKey[Account | None]", web.RequestKey("account", object))
SESSION = "gatebot_session"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Asking:
    """What is known of those who ask."""

    identity: Identity
    machines: tuple[str, ...] = ()
    """Where addresses begin that no account signs: who calls there proves himself in another way."""

    def account(self, request: web.Request) -> Account | None:
        """The account that signed this request, or None for a stranger."""
        return request.get(ACCOUNT)

    def actor(self, request: web.Request) -> Actor:
        """The same in the form that `access.may` takes."""
        account = self.account(request)
        return account.actor if account else Actor(None, frozenset())

    def require(self, request: web.Request) -> Account:
        """The account, or `Unauthenticated`."""
        account = self.account(request)
        if account is None:
            raise Unauthenticated("Sign in first: this needs an account.")
        return account

    def language(self, request: web.Request) -> str:
        """The reader's language: asked for (`?lang=`), remembered (cookie), or the browser's."""
        asked = request.query.get("lang") or request.cookies.get("lang") or ""
        return asked if asked in words.LANGUAGES else words.choose(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))

    def gettext(self, request: web.Request) -> Callable[[str], str]:
        """The translator of page texts for this reader."""
        return words.translations(self.language(request)).gettext

    def sentence(self, request: web.Request, error: GatebotError) -> str:
        """What an error tells this reader."""
        return words.say(error.reason, self.language(request)) if error.reason else str(error)

    async def identify(self, request: web.Request) -> None:
        """Find out who signed a request; raises `Unauthenticated` for what is signed wrongly, `Invalid` for no text."""
        await _check_text(request)
        if request.path.startswith(self.machines):
            request[ACCOUNT] = None
            return
        account = await self._by_header(request)
        if account is None and (token := request.cookies.get(SESSION)):
            account = await self.identity.session(token)
            if account is not None and request.method not in READS:
                await self._check_xsrf(request, token)
        request[ACCOUNT] = account
        if request.path.startswith("/a/") and account is None:
            raise Unauthenticated("Authentication required: give your user name and password or token.")

    async def _by_header(self, request: web.Request) -> Account | None:
        header = request.headers.get(hdrs.AUTHORIZATION, "")
        if not header:
            return None
        scheme, _, rest = header.partition(" ")
        account = None
        if scheme.lower() == "basic":
            username, secret = _basic(rest)
            if is_private(request):
                account = await self.identity.authenticate(username, secret, request.remote or "")
            elif (account := await self.identity.check_token(username, secret)) is None:
                raise Unauthenticated(reason=reason("hall.password-in-the-open"))
        elif scheme.lower() == "bearer":
            account = await self.identity.check_token(None, rest.strip())
        if account is None:
            raise Unauthenticated("Wrong user name, password or token.")
        return account

    async def _check_xsrf(self, request: web.Request, session: str) -> None:
        """Writes signed by cookie prove that a page of ours sent them: Gerrit's X-Gerrit-Auth, or the form's field."""
        given = request.headers.get("X-Gerrit-Auth", "")
        if not given and request.content_type in _FORMS:
            given = str((await request.post()).get("_xsrf", ""))
        if not hmac.compare_digest(given, xsrf(session)):
            raise NotPermitted("This form is out of date: load the page again and repeat.")


async def _check_text(request: web.Request) -> None:
    """What no name and no text here can hold is refused before anything looks for it."""
    if "\0" in request.path or "\0" in request.query_string or "%00" in request.rel_url.raw_query_string:
        raise Invalid("The address has a zero character in it, which no name here has.")
    try:
        codecs.lookup(request.charset or "utf-8")
    except (LookupError, ValueError):
        raise Invalid("The charset of the body is not known here. Send UTF-8.") from None
    if request.method not in READS and request.content_type in _FORMS:
        try:
            form = await request.post()
        except (ValueError, HttpProcessingError):
            raise Invalid("The form cannot be read: its body is not what its Content-Type says.") from None
        texts = [value for value in form.values() if isinstance(value, str)]
        if any("\0" in value for value in texts):
            raise Invalid("The form has a zero character in it, which no text here has.")
        # Some encodings that Python knows make halves of characters, which nothing can store or send.
        if any(_HALF.search(value) for value in texts):
            raise Invalid("The form has half of a character in it, which no text here has. Send UTF-8.")


_HALF = re.compile("[\ud800-\udfff]")


def _basic(encoded: str) -> tuple[str, str]:
    """User name and password of a Basic header; passwords may hold colons."""
    try:
        username, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        colon = username = secret = ""
    if not colon:
        raise Unauthenticated("The Authorization header cannot be read.")
    return username, secret


def xsrf(session: str) -> str:
    """The proof that a form of ours carries for a session."""
    return hashlib.sha256(f"xsrf:{session}".encode()).hexdigest()
