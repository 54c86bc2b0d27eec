# SPDX-License-Identifier: Apache-2.0
"""`gatebot irclog import`: logs that other programs kept, taken into the site's archive.

Works in the site's directory; the server may run meanwhile. Nothing is added twice, so an import that was broken off
is simply done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from ..app import places, users
from ..db import Database
from ..errors import Invalid, NotFound
from ..meetbot import reading_logs
from ..meetbot.importing import formats, store
from ..meetbot.importing.formats import NAMES, Format, Read
from .output import Output

_SHOWN = 5
_BREATH = 0.12  # seconds: longer than SQLite waits between two looks whether it may write
_ENDINGS = (".log", ".txt", ".weechatlog")
_PAGE = ".log.html"


@click.group()
def irclog() -> None:
    """Take IRC logs of other programs into the archive. Works in the site's directory."""


@irclog.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="PATH...")
@click.option("--channel", default="", help="The channel; default: what the file's name or its folder tells.")
@click.option("--network", default="", help="The network as in gatebot.toml; default: the first one there.")
@click.option("--format", "name", type=click.Choice(NAMES), help="What kept the logs; default: it is detected.")
@click.option("--timezone", default="UTC", help="The time zone of the clock in the logs, such as Asia/Seoul.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The first line's day.")
@click.option(
    "--site", "directory", type=click.Path(path_type=Path), default=".", help="The site's directory (default: here)."
)
@click.pass_obj
def import_logs(
    out: Output, paths: tuple[Path, ...], channel: str, network: str, name: str | None, timezone: str,
    day: datetime | None, directory: Path,
) -> None:  # fmt: skip
    """Take logs of IRC into the archive: files, or folders of them.

    Of a folder all files are taken that end with .log, .txt or .weechatlog, and pages of irclog2html (.log.html)
    whose log is not beside them.

    Lines that are there already are not added again. Lines that cannot be read are counted and the first are shown.

    Example: gatebot irclog import --channel '#gatebot' --timezone Asia/Seoul ~/irclogs/oftc
    """
    settings, where = places.load(directory)
    network = network or (settings.irc[0].name if settings.irc else "irc")
    zone, format = _zone(timezone), next((one for one in formats.FORMATS if one.name == name), None)
    given = day.date() if day else None
    logs = [(path, _channel(path, channel), *_read(path, given, zone, format)) for path in _files(paths)]
    known_as = [(channel, read) for _, channel, read in logs]
    added = asyncio.run(_add(where.database_url, network, known_as, settings.url))
    users.give(where.data, users.server_user(settings.executor.run_as))
    told = [
        {"file": str(path), "channel": where_to, "format": read.format, "lines": len(read.lines), "added": new,
         "unreadable": [{"line": number, "text": text[:200]} for number, text in read.unreadable]}
        for (path, where_to, read), new in zip(logs, added, strict=True)
    ]  # fmt: skip
    out.text(told, _told(logs, added))


def _told(logs: list[tuple[Path, str, Read]], added: list[int]) -> Iterable[str]:
    for (path, channel, read), new in zip(logs, added, strict=True):
        known = len(read.lines) - new
        yield f"{path}: {read.format}, {channel}: {new} added, {known} known already, {len(read.unreadable)} unreadable"
        for number, text in read.unreadable[:_SHOWN]:
            yield f"  line {number}: {text[:100]}"
        if len(read.unreadable) > _SHOWN:
            yield f"  and {len(read.unreadable) - _SHOWN} more (all of them with --json)"


async def _add(url: str, network: str, logs: list[tuple[str, Read]], site: str) -> list[int]:
    database = Database.open(url)
    try:
        return [await _add_one(database, network, channel, read, site) for channel, read in logs]
    finally:
        await database.close()


async def _add_one(database: Database, network: str, channel: str, read: Read, site: str) -> int:
    """One log, in portions: a server that runs meanwhile waits for the database 15 seconds and no longer."""
    added, coarse = 0, store.is_coarse(read.lines)
    for part in store.portions(read.lines):
        added += await database.run(store.add, network, channel, part, site, coarse)
        await asyncio.sleep(_BREATH)
    return added


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        inside = sorted(filter(_is_log, path.rglob("*"))) if path.is_dir() else [path]
        if not inside:
            raise NotFound(f"{path} holds no logs. They are known by their endings: {', '.join((*_ENDINGS, _PAGE))}")
        found += inside
    return found


def _is_log(path: Path) -> bool:
    """A log, or the page of one that is not beside it; a link is a page once more."""
    if path.name.endswith(_PAGE):
        return not path.is_symlink() and not path.with_suffix("").exists()
    return path.suffix in _ENDINGS


def _channel(path: Path, given: str) -> str:
    channel = given or formats.channel_of(path.parent.name, path.name)
    if not channel:
        raise Invalid(f"{path}: neither its name nor its folder tells the channel. Name it with --channel '#NAME'.")
    return channel


def _read(path: Path, day: date | None, zone: tzinfo, format: Format | None) -> tuple[Read]:
    text = reading_logs.decoded(path.read_bytes())
    try:
        read = formats.read(text, day or formats.day_of_name(path.name), zone, format)
    except ValueError:
        raise Invalid(f"{path}: nothing tells the day of its lines. Name it with --date YYYY-MM-DD.") from None
    if read is None:
        raise Invalid(f"{path} is no log that can be read. Name what kept it with --format: {', '.join(NAMES)}.")
    return (read,)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Invalid(f"{name} is no time zone. Write one such as Asia/Seoul or Europe/Berlin.") from None
