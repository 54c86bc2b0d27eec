# SPDX-License-Identifier: Apache-2.0
"""`gatebot irclog import`: logs that other programs kept, taken into the site's archive.

Works in the site's directory; the server may run meanwhile. Nothing is added twice, so an import that was broken off
is simply done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from ..app import places, users
from ..app.irc import ways_of
from ..clock import SystemClock
from ..db import Database
from ..errors import Invalid, NotFound
from ..meetbot import reading_logs
from ..meetbot.importing import formats, store
from ..meetbot.importing import meetings as held
from ..meetbot.importing.formats import NAMES, Format, Read
from ..meetbot.service import Meetbot
from ..settings import Settings
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
@click.option("--meetings/--no-meetings", default=True, help="Put meetings in the logs on record (as it is at first).")
@click.option("--close-actions", is_flag=True, help="List what those meetings wanted done as closed.")
@click.option(
    "--site", "directory", type=click.Path(path_type=Path), default=".", help="The site's directory (default: here)."
)
@click.pass_obj
def import_logs(
    out: Output, paths: tuple[Path, ...], channel: str, network: str, name: str | None, timezone: str,
    day: datetime | None, meetings: bool, close_actions: bool, directory: Path,
) -> None:  # fmt: skip
    """Take logs of IRC into the archive: files, or folders of them.

    Of a folder all files are taken that end with .log, .txt or .weechatlog, and pages of irclog2html (.log.html)
    whose log is not beside them.

    Lines that are there already are not added again. Lines that cannot be read are counted and the first are shown.
    Meetings in the logs, from #startmeeting to #endmeeting, get minutes as those that are held here, each once; nothing
    is said or set in a channel now.

    Example: gatebot irclog import --channel '#gatebot' --timezone Asia/Seoul ~/irclogs/oftc
    """
    settings, where = places.load(directory)
    network = network or (settings.irc[0].name if settings.irc else "irc")
    zone, format = _zone(timezone), next((one for one in formats.FORMATS if one.name == name), None)
    given = day.date() if day else None
    logs: list[Log] = []
    for path, is_named in _files(paths):
        try:
            read = _read(path, given, zone, format)
            kept_of = _channel(path, channel) if read is not None else ""
        except Invalid as error:
            if is_named:
                raise
            click.echo(f"{error} It is passed over.", err=True)
            continue
        if read is None and is_named:
            raise Invalid(f"{path} is no log that can be read. Name what kept it with --format: {', '.join(NAMES)}.")
        if read is None:
            click.echo(f"{path} is no log that can be read: passed over.", err=True)
            continue
        logs.append(Log(path, kept_of, read))
    asyncio.run(_take_in(logs, where, network, settings, MeetingsToo(close_actions) if meetings else None))
    users.give(where.data, users.server_user(settings.executor.run_as))
    out.text([log.as_json() for log in logs], chain.from_iterable(log.told() for log in logs))


@dataclass(slots=True)
class Log:
    """A log, and what came of it: lines that were new, addresses of minutes that were made.

    `known` counts its meetings that were on record, or are while another one ran; `open` those without an end.
    """

    path: Path
    channel: str
    read: Read
    added: int = 0
    minutes: list[str] = field(default_factory=list[str])
    known: int = 0
    open: int = 0

    def as_json(self) -> dict[str, object]:
        """For programs."""
        unreadable = [{"line": number, "text": text[:200]} for number, text in self.read.unreadable]
        told: dict[str, object] = {"file": str(self.path), "channel": self.channel, "format": self.read.format}
        told |= {"lines": len(self.read.lines), "added": self.added, "unreadable": unreadable}
        return told | {"meetings": {"minutes": self.minutes, "known": self.known, "without_end": self.open}}

    def told(self) -> Iterable[str]:
        """For people."""
        known, unread = len(self.read.lines) - self.added, self.read.unreadable
        yield (
            f"{self.path}: {self.read.format}, {self.channel}: {self.added} added, {known} known already, "
            f"{len(unread)} unreadable"
        )
        if self.minutes or self.known or self.open:
            made = len(self.minutes)
            yield f"  meetings: {made} put on record, {self.known} known already, {self.open} without an end"
        for number, text in unread[:_SHOWN]:
            yield f"  line {number}: {text[:100]}"
        if len(unread) > _SHOWN:
            yield f"  and {len(unread) - _SHOWN} more (all of them with --json)"


@dataclass(frozen=True, slots=True)
class MeetingsToo:
    """That meetings are put on record, and whether what they wanted done counts as done."""

    done: bool


async def _take_in(
    logs: Sequence[Log], where: places.Places, network: str, settings: Settings, too: MeetingsToo | None
) -> None:
    database = Database.open(where.database_url)
    try:
        for log in logs:
            log.added = await _add(database, network, log, settings.url)
        bot = Meetbot(database, where.meetings, ways_of(settings), SystemClock())
        for log in logs if too is not None else ():  # after all lines: a meeting over midnight is in two logs
            await _hold(database, bot, log, settings.url, done=too is not None and too.done)
    finally:
        await database.close()


async def _add(database: Database, network: str, log: Log, site: str) -> int:
    """One log, in portions: a server that runs meanwhile waits for the database 15 seconds and no longer."""
    added, coarse = 0, store.is_coarse(log.read.lines)
    for part in store.portions(log.read.lines):
        added += await database.run(store.add, network, log.channel, part, site, coarse)
        await asyncio.sleep(_BREATH)
    return added


async def _hold(database: Database, bot: Meetbot, log: Log, site: str, *, done: bool) -> None:
    """The meetings of one log; files of minutes that are there already, from wherever, stay as they are."""
    moments = [line.at for line in log.read.lines]
    for line in await database.read(held.starts, log.channel, *held.span(moments)) if moments else ():
        made = await database.run(held.hold, line, bot.ways, site, done=done)
        log.known += made.known
        log.open += made.open
        if made.meeting:
            log.minutes.append(made.path)
            await bot.write_minutes(made.meeting, anew=False)
            await asyncio.sleep(_BREATH)


def _files(paths: Iterable[Path]) -> list[tuple[Path, bool]]:
    """The logs, and whether each was named itself: minutes and the like lie in folders beside them."""
    found: list[tuple[Path, bool]] = []
    for path in paths:
        inside = sorted(filter(_is_log, path.rglob("*"))) if path.is_dir() else [path]
        if not inside:
            raise NotFound(f"{path} holds no logs. They are known by their endings: {', '.join((*_ENDINGS, _PAGE))}")
        found += [(one, one is path) for one in inside]
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


def _read(path: Path, day: date | None, zone: tzinfo, format: Format | None) -> Read | None:
    text = reading_logs.decoded(path.read_bytes())
    try:
        return formats.read(text, day or formats.day_of_name(path.name), zone, format)
    except ValueError:
        raise Invalid(f"{path}: nothing tells the day of its lines. Name it with --date YYYY-MM-DD.") from None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Invalid(f"{name} is no time zone. Write one such as Asia/Seoul or Europe/Berlin.") from None
