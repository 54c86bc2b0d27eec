# SPDX-License-Identifier: Apache-2.0
"""Follows the log of a build until the build has ended, over broken connections and a server that starts anew.

What was printed is counted in bytes of the log, so nothing is printed twice and nothing is left out. What is shown
before there is a log, and when a build is over, is in `builds.py`.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from ..errors import NotFound, Unavailable


class Site(Protocol):
    """A site that has the build."""

    def get(self, path: str) -> Any: ...

    def pieces(self, path: str) -> Iterator[bytes]: ...


def follow(
    site: Site, build: str, show: Callable[[bytes], None], tell: Callable[[Mapping[str, Any] | str], None],
    pause: Callable[[], None],
) -> int:  # fmt: skip
    """Show the log, line by line, until the build has ended; how many bytes there were.

    `tell` hears what is known of the build while it has no log, and a sentence when the site does not answer any more;
    `pause` waits a moment. Raises `Unavailable` where it never answered.
    """
    shown, known = 0, False
    while True:
        try:
            info = site.get(f"/api/build/{build}")  # before its log: one that had ended then has all of it
            known = True
            taken, rest, whole = _shown(site, f"/api/build/{build}/log?offset={shown}", show)
            shown += taken
            if taken:
                continue  # it ended, or the connection did: whether there is more is asked where it stopped
            if info["result"] and whole:
                show(rest)
                return shown + len(rest)
            if not shown:
                tell(info)
        except Unavailable as problem:
            if not known:
                raise
            tell(str(problem))
        pause()


def _shown(site: Site, path: str, show: Callable[[bytes], None]) -> tuple[int, bytes, bool]:
    """Show the whole lines that come: how much they were, what came of another one, and whether nothing broke off."""
    taken = 0
    try:
        for line in site.pieces(path):
            if not line.endswith(b"\n"):
                return taken, line, True
            show(line)
            taken += len(line)
    except NotFound:
        return taken, b"", True  # there is no log, or none yet
    except (OSError, http.client.HTTPException):
        return taken, b"", False
    return taken, b"", True
