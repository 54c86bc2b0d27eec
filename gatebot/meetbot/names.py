# SPDX-License-Identifier: Apache-2.0
"""Names and places of minutes: the slug of a meeting's name, and the path below `/meetings/`.

Pure. OpenDev's layout: `SLUG/YYYY/SLUG.YYYY-MM-DD-HH.MM` and an ending, the time being the meeting's start in
UTC. Outside strict mode letters of every script stay in a slug, and a second meeting of one name in one
minute gets a number instead of overwriting the first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import UTC, date, datetime
from urllib.parse import quote

_LONGEST = 120  # bytes of a slug: with date and ending a file name stays below 255
ENDINGS = (".log.html", ".log.txt", ".html", ".txt")


def slug(name: str, strict: bool = False) -> str:
    """A meeting's name as it stands in addresses and file names."""
    joined = "_".join(unicodedata.normalize("NFC", name).lower().split())
    if strict:
        return re.sub(r"[^a-z0-9]", "_", joined)
    kept = "".join(character if character.isalnum() else "_" for character in joined)
    kept = kept.encode()[:_LONGEST].decode(errors="ignore")
    return kept if any(character.isalnum() for character in kept) else ""


def default_name(channel: str) -> str:
    """The name of a meeting that was given none: its channel."""
    return slug(channel.lstrip("#&+!")) or "meeting"


def location(name: str, started: datetime, taken: Collection[str] = ()) -> str:
    """Where minutes are, below the root of all minutes and without their ending."""
    start = started.astimezone(UTC)
    first = f"{name}/{start:%Y}/{name}.{start:%Y-%m-%d-%H.%M}"
    numbered = (f"{first}-{number}" for number in range(2, len(taken) + 3))
    return next(place for place in (first, *numbered) if place not in taken)


def base(place: str) -> str:
    """The file name of minutes, without the folders."""
    return place.rsplit("/", 1)[-1]


def address(prefix: str, place: str) -> str:
    """The URL of minutes without their ending; blanks and quotes never stand in it bare."""
    return f"{prefix.rstrip('/')}/{quote(place)}" if prefix else quote(place)


def folded(channel: str) -> str:
    """A channel's name as the archive keeps it: networks take names that differ in case for the same."""
    return channel.lower()


def day_path(channel: str, day: date) -> str:
    """The address of one day's log on this site."""
    name = quote(channel, safe="")
    return f"/irclogs/{name}/{name}.{day:%Y-%m-%d}.log.html"


def line_path(channel: str, at: datetime, line: int) -> str:
    """The permanent address of one line: its day, and its number that no other line ever has."""
    return f"{day_path(channel, at.astimezone(UTC).date())}#l{line}"


def minutes_path(place: str) -> str:
    """The address of minutes on this site, without their ending."""
    return f"/meetings/{quote(place)}"
