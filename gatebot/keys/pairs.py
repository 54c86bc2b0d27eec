# SPDX-License-Identifier: Apache-2.0
"""The key pairs of projects: made when they are first asked for, opened when a secret is.

A site with a thousand projects makes none at its start. Private keys stand in memory as long as the server runs, the
plain values of secrets never do.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from ..clock import Clock
from ..db import Database
from ..errors import Invalid, Unavailable
from ..reasons import reason
from . import boxes, oaep, store, tokens
from .site_key import SiteKey
from .store import Pair

_MAKE: dict[str, tuple[Callable[[], bytes], Callable[[bytes], str]]] = {
    oaep.KIND: (oaep.make, oaep.public),
    boxes.KIND: (boxes.make, boxes.public),
    tokens.KIND: (oaep.make, oaep.public),
}
_SITE = ""
"""Stands for the project where a key is the site's."""


class Keys:
    """`site_key` seals what is stored."""

    def __init__(self, db: Database, clock: Clock, site_key: SiteKey) -> None:
        self._db = db
        self._clock = clock
        self.site_key = site_key
        self._making: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._load = lru_cache(maxsize=1024)(oaep.load)

    async def public(self, project: str, kind: str) -> str:
        """The public key of a project; the pair is made now when there is none."""
        async with self._making[project, kind]:
            found = await self._db.read(store.find, project, kind)
            if found is None:
                make, public = _MAKE[kind]
                private = await asyncio.to_thread(make)
                found = await self._db.run(store.add, self.sealed(project, kind, private, public(private)))
        return found.public

    async def token(self, claims: Mapping[str, object]) -> str:
        """A token of the site with these claims."""
        await self.public(_SITE, tokens.KIND)
        pair = await self._db.read(store.find, _SITE, tokens.KIND)
        assert pair is not None
        return await asyncio.to_thread(tokens.sign, self.private(pair), claims)

    async def token_key(self) -> dict[str, str]:
        """The public key of the site's tokens."""
        return tokens.jwk(await self.public(_SITE, tokens.KIND))

    def sealed(self, project: str, kind: str, private: bytes, public: str) -> Pair:
        """A pair as it is stored."""
        made = self.site_key.seal(private, _about(project, kind))
        return Pair(project, kind, public, made, self._clock.now())

    def private(self, pair: Pair) -> bytes:
        """The private key of a stored pair."""
        return self.site_key.open(pair.private, _about(pair.project, pair.kind))

    def decrypt(self, project: str, kind: str, chunks: tuple[str, ...]) -> bytes:
        """An encrypted value of a project. Blocks; raises `Invalid` when it cannot be opened, and says what to do."""
        pair = self._db.read_now(store.find, project, kind)
        if pair is None:
            raise Invalid(reason=reason("hall.key-missing", project=project, format=kind))
        private = self.private(pair)
        try:
            if kind == boxes.KIND:
                return boxes.decrypt(private, project, "".join(chunks))
            return oaep.decrypt(self._load(private), chunks)
        except Invalid as error:
            raise Invalid(reason=reason("hall.key-differs", project=project, format=kind)) from error


def _about(project: str, kind: str) -> str:
    return f"the {kind} key of {project}"


async def key_of_site(db: Database, file: Path) -> SiteKey:
    """The site's key; made when there is none and nothing was sealed yet. Raises `Unavailable` when it was lost."""
    found = SiteKey.read(file)
    if found is not None:
        return found
    if await db.read(store.any_there):
        raise Unavailable(
            f"{file} is missing, and the private keys in the database are sealed with it. Bring it back from a backup."
        )
    return SiteKey.make(file)
