# SPDX-License-Identifier: Apache-2.0
"""The web server under the site: what cannot be heard as HTTP is answered in words, and is its sender's error alone.

Here lives only what happens before a request reaches any route: addresses and headers that are too long, broken HTTP,
bodies that are not packed as they say. No room, no page, no person: the language of the reader is not known yet.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler, RequestPayloadError

log = logging.getLogger(__name__)

LONGEST_LINE = 16384
"""Bytes of an address and of a header, as in Gerrit; a query for a hundred commits takes six thousand."""
MOST_HEADERS = 128

_TOO_LONG = (414, f"The address is longer than {LONGEST_LINE} bytes. Ask for less at once, or send it as a body.")
_LARGE = (431, f"A header is longer than {LONGEST_LINE} bytes. Leave it out, or delete this site's cookies.")
_MANY = (431, f"There are more than {MOST_HEADERS} headers. Send fewer.")
_TLS = (400, "This is HTTPS, and here HTTP is spoken. Write http:// in the address, or ask which port has HTTPS.")
_BROKEN = (
    400,
    "This is not HTTP/1.1 as it is written down, so nothing was done. Check the client, or a proxy before it.",
)
UNPACKED = "The body is not what its Content-Encoding or Transfer-Encoding says, so nothing was done. Send it anew."


def answer_to(error: HttpProcessingError) -> tuple[int, str]:
    """The status and the words for what could not be heard."""
    match error:
        case LineTooLong():
            # The parser says what it was reading: the address as an array that it was still filling, headers as bytes.
            return _TOO_LONG if "bytearray(" in error.message else _LARGE
        case BadHttpMethod() if "HTTPS" in error.message:
            return _TLS
        case _ if "many headers" in error.message:
            return _MANY
        case _:
            return _BROKEN


class _Hearing(RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        status, words = answer_to(exc)
        log.info("from %s, not HTTP that can be read: %d", request.remote, status)
        answer = web.Response(status=status, text=f"{words}\n", headers={"X-Content-Type-Options": "nosniff"})
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **kw: Any) -> None:
        if isinstance(kw.get("exc_info"), RequestPayloadError):
            log.info("the rest of a body cannot be unpacked")
            return
        super().log_exception(*args, **kw)


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Hearing(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application as this site's are run."""

    def __init__(self, application: web.Application, stop_seconds: float) -> None:
        super().__init__(
            application, handle_signals=False, shutdown_timeout=stop_seconds, access_log=None,
            max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE, max_headers=MOST_HEADERS,
        )  # fmt: skip

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler, request_factory=made.request_factory, handler_cancellation=made.handler_cancellation,
            loop=asyncio.get_running_loop(), **self._kwargs,
        )  # fmt: skip
