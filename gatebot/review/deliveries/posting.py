# SPDX-License-Identifier: Apache-2.0
"""One POST to an address of the settings: ten seconds at most, no redirect followed, no proxy, no cookie.

What is said of a failure is shown to everybody on the health page: never an address, a path, a body or a secret.
Where a host name leads is looked at when the connection is made, so a name that changes meanwhile gains nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Any

import aiohttp

from .targets import is_local

TIMEOUT = 10.0
_LOCAL = "its address leads to this machine or its link, which needs local = true"


class Poster:
    """Sends bodies."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, local: bool = False) -> str:
        """Send one; what went wrong, nothing when it was taken. `local` lets it lead to this machine."""
        guard = _Guard(local)
        try:
            async with (
                asyncio.timeout(self._timeout),
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(force_close=True, socket_factory=guard.open),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as client,
                client.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return _words(answer.status)
        except TimeoutError:
            return f"no answer within {self._timeout:g} s"
        except aiohttp.ClientConnectorDNSError:
            return "its host name is not known"
        except aiohttp.ClientConnectorCertificateError:
            return "its certificate is not valid"
        except aiohttp.ClientConnectorError as error:
            if guard.refused:
                return _LOCAL
            why = os.strerror(error.os_error.errno) if error.os_error.errno else "it failed"
            return f"no connection: {why}"
        except aiohttp.ClientError as error:
            return f"no answer: {type(error).__name__}"


class _Guard:
    """Makes the sockets of one request, and none to where it may not lead."""

    def __init__(self, local: bool) -> None:
        self._local = local
        self.refused = False

    def open(self, where: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = where
        if not self._local and is_local(str(address[0])):
            self.refused = True
            raise PermissionError(_LOCAL)
        return socket.socket(family, kind, protocol)


def _words(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it answers {status}, and redirects are not followed"
    return f"it answers {status}"
