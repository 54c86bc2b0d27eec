# SPDX-License-Identifier: Apache-2.0
"""One event as a signed request. The secret is read for each: a new one in the file counts at once.

The secret goes nowhere but into the signature.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ...assignment import Json
from ..deliveries.posting import Poster
from .deciding import headers
from .model import Webhook


class Teller:
    """Tells webhooks."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def tell(self, webhook: Webhook, told: Mapping[str, Json]) -> str:
        """Tell one event; what went wrong, nothing when it was taken."""
        try:
            secret = await asyncio.to_thread(_secret, webhook.secret_file)
        except OSError as error:
            return f"its secret_file cannot be read: {error.strerror}"
        if webhook.secret_file and not secret:
            return "its secret_file is empty"
        body = msgspec.json.encode(told)
        return await self._poster.post(webhook.url, body, headers(told, body, secret), local=webhook.local)


def _secret(path: str) -> bytes:
    return Path(path).read_bytes().strip() if path else b""
