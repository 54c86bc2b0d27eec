# SPDX-License-Identifier: Apache-2.0
"""The frame of the web site: pages, errors, sign-in, security headers; who is asking is in `asking.py`.

Here live what every page and REST call needs, and nothing of any room: a room's `pages.py` and
`rest.py` get a `Site` and return routes. Templates are complete without scripts. Errors become
pages for people and plain text for programs, never a stack trace. Live updates are in `live.py`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from types import CodeType
from urllib.parse import quote, unquote, urlencode

import jinja2
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_protocol import RequestPayloadError
from jinja2.bccache import Bucket
from markupsafe import Markup

from . import __version__, assets, words
from .asking import READS, SESSION, Asking, xsrf
from .banners import Banner
from .change import own_number
from .durations import about, duration
from .errors import GatebotError, Unauthenticated, http_status
from .hearing import UNPACKED
from .identity import Identity
from .proxies import believed, is_private
from .reasons import Reason, reason
from .settings import Settings
from .turns import TURNS, marked

log = logging.getLogger(__name__)

SEEN: web.RequestKey[int] = web.RequestKey("seen", int)
TOLD = "told"
REFUSED = "✗"
"""Begins what is told of a form that was refused."""
XSRF = "XSRF_TOKEN"
_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: First path segments that programs read: their errors are plain text.
_PROGRAMS = (
    "/a/", "/api/", "/access/", "/accounts/", "/changes/", "/config/", "/groups/", "/live", "/plugins/", "/projects/",
    "/tools/",
)  # fmt: skip


class Site(Asking):
    """What rooms' pages get: who asks, in which language, and how to answer with a page."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.settings = settings
        self.identity = identity
        self.banners: Callable[[], Sequence[Banner]] = tuple
        self._notices: list[Callable[[], Reason | None]] = []
        self._last: Callable[[], int] = lambda: 0
        loader = jinja2.FileSystemLoader(str(assets.path("web", "templates")))
        self._env = {language: _environment(loader, language) for language in words.LANGUAGES}

    # -- answers --------------------------------------------------------------------------------

    def notice(self, told: Callable[[], Reason | None]) -> None:
        """Add a line that every page shows while `told()` gives a reason."""
        self._notices.append(told)

    def follow(self, last: Callable[[], int]) -> None:
        """Let pages know the newest fact they can show, so that their streams begin right behind it."""
        self._last = last

    def prepare(self, templates: Iterable[str]) -> None:
        """Compile templates before the first reader asks for them."""
        for template in templates:
            for env in self._env.values():
                env.get_template(template)

    def text(self, request: web.Request, template: str, **context: object) -> str:
        """A template as text."""
        language = self.language(request)
        session = request.cookies.get(SESSION, "")
        shared: dict[str, object] = {
            "language": language,
            "site_name": self.settings.site.name,
            "version": __version__,
            "path": request.path,
            "live": "",
            "account": self.account(request),
            "since": request.get(SEEN) or "",
            "banners": self.banners(),
            "told": unquote(request.cookies.get(TOLD, ""))[:500],
            "notices": [words.say(told, language) for notice in self._notices if (told := notice()) is not None],
            "say": lambda reason: words.say(reason, language),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
            "xsrf_field": lambda: Markup('<input type="hidden" name="_xsrf" value="{}">').format(xsrf(session)),
        }
        return self._env[language].get_template(template).render(shared | context)

    def render(self, request: web.Request, template: str, *, status: int = 200, **context: object) -> web.Response:
        """A page. `live="change/12,build/5f.."` names the topics whose news make the page refresh its regions."""
        text = self.text(request, template, **context)
        answer = web.Response(text=text, content_type="text/html", charset="utf-8", status=status)
        answer.headers[hdrs.CACHE_CONTROL] = "private, no-store"
        if TOLD in request.cookies:
            answer.del_cookie(TOLD)
        if (asked := request.query.get("lang")) in words.LANGUAGES:
            answer.set_cookie("lang", asked, max_age=365 * 86400, samesite="Lax")
        return answer

    def redirect(
        self, request: web.Request, target: str, told: Reason | None = None, *, refused: bool = False
    ) -> web.Response:
        """To another page after a form was done, or `refused`; `told` is said there once, and marked as what it is."""
        answer = web.Response(status=303, headers={hdrs.LOCATION: target})
        if told is not None:
            sentence = words.say(told, self.language(request))
            mark = REFUSED if refused else ""
            answer.set_cookie(TOLD, quote(mark + sentence[:1].upper() + sentence[1:]), max_age=30, samesite="Lax")
        return answer

    def error(self, request: web.Request, status: int, what: str) -> web.StreamResponse:
        """An error as plain text for programs and as a page for people."""
        accepts = request.headers.get(hdrs.ACCEPT, "")
        # A person may try an address of programs; Java's programs take text/html as well, but no browser's form of it.
        mistyped = status == 404 and "application/xhtml+xml" in accepts
        programs = (request.path.startswith(_PROGRAMS) and not mistyped) or "text/html" not in accepts
        if programs:
            if status == 404 and not what:
                what = words.say(reason("hall.no-such-address", path=request.path[:200]), self.language(request))
            answer = web.Response(
                text=(what or HTTPStatus(status).phrase) + "\n",
                status=status,
                content_type="text/plain",
                charset="utf-8",
            )
        else:
            gettext = self.gettext(request)
            heading, next_step = _HEADINGS.get(status, _HEADINGS[500])
            if status == 404:
                stranger = self.actor(request).account is None
                next_step = (
                    ("Signing in may help." if stranger else "") if what else next_step if stranger else _NOT_FOR_YOU
                )
            answer = self.render(
                request,
                "error.html",
                status=status,
                heading=gettext(heading),
                what=what,
                next=gettext(next_step) if next_step else "",
                lost=status == 404,
            )
        if status == 401 and programs:
            answer.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="gatebot"'
        return answer

    # -- routes and middleware -----------------------------------------------------------------

    def routes(self) -> list[web.RouteDef | web.StaticDef]:
        """Sign-in, sign-out, static files."""
        return [
            web.get("/login", self._login_page),
            web.post("/login", self._login),
            web.post("/logout", self._logout),
            web.get("/notices", self._told_everybody),
            web.static("/static", assets.path("web", "static")),
        ]

    def middlewares(self) -> Sequence[Middleware]:
        """Where it comes from, then errors, then who is asking."""
        return [believed(self.settings.web.trusted_proxies), self._errors, self._identify]

    async def _told_everybody(self, request: web.Request) -> web.StreamResponse:
        """What stands at the top of every page, for pages that are open."""
        text = self.text(request, "notices.html")
        headers = {hdrs.CACHE_CONTROL: "private, no-store"}
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)

    @web.middleware
    async def _identify(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        request[SEEN] = self._last()
        await self.identify(request)
        return await handler(request)

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            answer = self.error(request, error.status, _plain(error))
            if hdrs.ALLOW in error.headers:  # 405: by which methods the address is there
                answer.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        except Unauthenticated as error:
            answer = self.error(request, 401, self.sentence(request, error))
            if (
                request.method in READS
                and not request.path.startswith(_PROGRAMS)
                and answer.content_type == "text/html"
            ):
                raise web.HTTPFound("/login?" + urlencode({"next": request.path_qs})) from None
        except GatebotError as error:
            answer = self.error(request, http_status(error), self.sentence(request, error))
        except UnicodeError:
            log.info("request %s %s: text that is none", request.method, request.path, exc_info=True)
            answer = self.error(request, 400, "This request has text in it that is not UTF-8.")
        except RequestPayloadError:
            answer = self.error(request, 400, UNPACKED)
        except asyncio.CancelledError:
            raise
        except ConnectionResetError:
            if request.transport is not None and not request.transport.is_closing():
                raise
            return web.Response(status=499)  # nobody reads it: the browser left
        except Exception:
            mark = secrets.token_hex(4)
            log.exception("request %s %s failed (mark %s)", request.method, request.path, mark)
            answer = self.error(request, 500, f"Something went wrong here. The log of the server has it under {mark}.")
        if not answer.prepared:
            headers = answer.headers
            headers.setdefault("Content-Security-Policy", _CSP)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
            if hdrs.COOKIE in request.headers and SESSION in request.cookies:
                answer.set_cookie(XSRF, xsrf(request.cookies[SESSION]), samesite="Lax", secure=self._secure(request))
        return answer

    async def _login_page(self, request: web.Request) -> web.StreamResponse:
        target = local(request.query.get("next", "/"))
        return self._login_form(request, "", "", target)

    def _login_form(
        self, request: web.Request, problem: str, username: str, target: str, status: int = 200
    ) -> web.Response:
        ways = {
            "signs_up": self.settings.accounts.sign_up == "mail",
            "oidc": self.settings.oidc.name or self.settings.oidc.issuer,
        }
        return self.render(
            request, "login.html", status=status, problem=problem, username=username, next=target,
            elsewhere=urlencode({"next": target}), **ways,
        )  # fmt: skip

    async def _login(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        username, target = str(form.get("username", "")).strip(), local(str(form.get("next", "/")))
        if not is_private(request):
            problem = words.say(reason("hall.password-in-the-open"), self.language(request))
            return self._login_form(request, problem, username, target, 403)
        account = await self.identity.check_password(username, str(form.get("password", "")), request.remote or "")
        if account is None:
            gettext = self.gettext(request)
            problem = gettext("Wrong user name or password. Try again, or ask an administrator to set a new one.")
            return self._login_form(request, problem, username, target, 401)
        return await self.sign_in(request, account.id, target)

    async def sign_in(self, request: web.Request, account: int, target: str) -> web.Response:
        """Open a session for somebody who has proved himself, and send him on."""
        token = await self.identity.open_session(account)
        answer = web.Response(status=303, headers={hdrs.LOCATION: target})
        secure = self._secure(request)
        answer.set_cookie(SESSION, token, httponly=True, samesite="Lax", secure=secure, max_age=30 * 86400)
        answer.set_cookie(XSRF, xsrf(token), samesite="Lax", secure=secure, max_age=30 * 86400)
        return answer

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        if token := request.cookies.get(SESSION):
            await self.identity.close_session(token)
        answer = web.HTTPSeeOther("/")
        answer.del_cookie(SESSION)
        answer.del_cookie(XSRF)
        raise answer

    def _secure(self, request: web.Request) -> bool:
        return request.secure or self.settings.url.startswith("https:")


_NOT_FOR_YOU = "It does not exist, or you may not see it."
_HEADINGS: Mapping[int, tuple[str, str]] = {
    400: ("This cannot be understood", "Check the address or the form and try again."),
    401: ("Sign in first", "Use your user name and password, or a token."),
    403: ("Not permitted", "Ask an administrator or a project owner for the permission."),
    404: ("Not found", "It does not exist, or you may not see it. Signing in may help."),
    405: ("Not possible here", "This address does not take that kind of request."),
    409: ("Not possible now", "Look at the present state and try again."),
    410: ("Not kept any more", "What it told is lost; the page of the build says what is still known."),
    413: ("Too large", "The site has limits; an administrator can raise them in gatebot.toml."),
    500: ("Something went wrong", "Nothing was lost. Try again; if it happens again, tell an administrator."),
    503: ("Not available now", "Try again in a moment."),
}


class _Compiled(jinja2.BytecodeCache):
    """What Jinja made of each template, for all languages and every site of the process: making it takes 5 to 50 ms."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What is known of a template, if it is still the same one."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """What was just made."""
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def _environment(loader: jinja2.BaseLoader, language: str) -> jinja2.Environment:
    env = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"], finalize=shown_as_is, bytecode_cache=_COMPILED,
    )  # fmt: skip
    env.install_gettext_translations(words.translations(language), newstyle=True)  # type: ignore[attr-defined]  # pyright: ignore
    if language == "ko":
        env.globals |= words.for_templates(language)
    env.filters["iso"] = _iso
    env.filters["verbatim"] = Verbatim
    env.filters["own_number"] = _own_number
    env.filters["duration"] = partial(duration, language=language)
    env.filters["about"] = partial(about, language=language)
    return env


def shown_as_is(value: object) -> object:
    """What a template writes, with marks in place of characters that turn the direction of what follows: a subject, a
    file name or a line of code that is shown in another order than it is read by a compiler lies to its reviewer."""
    if isinstance(value, str) and not isinstance(value, Verbatim) and TURNS.search(value):
        kind = Markup if isinstance(value, Markup) else str
        return kind(marked(value))
    return value


class Verbatim(str):
    """Text that its writer goes on editing, which must come back as it was."""

    __slots__ = ()


def _own_number(number: int) -> str:
    return str(own_number(number))


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def local(target: str) -> str:
    """Only addresses on this site: never redirect a person elsewhere after signing in."""
    plain = target.isprintable()  # browsers drop tabs and line ends: "/<tab>/evil" would be another site
    return target if plain and target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def _plain(error: web.HTTPException) -> str:
    """What was said beside the status; nothing when it is only the status' own name."""
    text = (error.text or "").removeprefix(f"{error.status}: ")
    return "" if text == HTTPStatus(error.status).phrase else text
