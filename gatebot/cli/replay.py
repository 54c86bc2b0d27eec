# SPDX-License-Identifier: Apache-2.0
"""`gatebot meeting replay`: minutes again from the log of a meeting, without a server.

The same path as a live meeting takes; names and dates come from the file's name, as OpenDev's replay has them, unless
the options say otherwise.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from .. import words
from ..errors import Conflict, Invalid
from ..meetbot import replay
from ..meetbot.minutes.render import FORMATS, OTHER_FORMATS
from ..meetbot.reading_logs import decoded
from . import schedules
from .output import Output

_ENDINGS = tuple(ending.removeprefix(".") for ending in FORMATS)
_OTHERS = tuple(ending.removeprefix(".") for ending in OTHER_FORMATS)


@click.group()
def meeting() -> None:
    """Make minutes again from a log; check when meetings are planned."""


meeting.add_command(schedules.check)


@meeting.command("replay")
@click.argument("log", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.log.txt")
@click.option(
    "--format", "formats", type=click.Choice(_ENDINGS + _OTHERS), multiple=True, help="Only this; may be repeated."
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write files there instead of printing one."
)
@click.option("--strict", is_flag=True, help="As OpenDev's bot writes them, its defects included.")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The day of the first line."
)
@click.option("--channel", default="", help="The channel; default: the first part of the file's name.")
@click.pass_obj
def replay_log(
    out_: Output, log: Path, formats: tuple[str, ...], out: Path | None, strict: bool, day: datetime | None,
    channel: str,
) -> None:  # fmt: skip
    """Make the minutes of the meetings in a log.

    Prints the minutes of the first meeting as text, or in the one --format that is named; with --out the minutes of all
    meetings are written to DIR, in every format or in those that are named.

    Example: gatebot meeting replay infra.2026-11-17.log.txt --out minutes
    """
    if out is None and len(formats) > 1:
        raise click.UsageError("Only one format can be printed. Write several into a directory with --out DIR.")
    setting, told = replay.of_file(log.name, channel, strict=strict)
    wanted = formats or (_ENDINGS if out is not None else ("txt",))
    try:
        text = decoded(_content(log))
        made = replay.replay_all(
            text, setting, day=day.date() if day else told, formats=[f".{ending}" for ending in wanted]
        )
    except Invalid as problem:
        raise Invalid(f"{log}: {words.say(problem.reason) if problem.reason else problem}") from None
    if out is None:
        (only,) = made[0].files.values()
        sys.stdout.write(only if only.endswith("\n") else only + "\n")
        if len(made) > 1:
            click.echo(f"{log} holds {len(made)} meetings; this is the first. Write all with --out DIR.", err=True)
        return
    texts = {out / f"{one.minutes.location}{ending}": text for one in made for ending, text in one.files.items()}
    paths = list(texts)
    _write(paths, list(texts.values()), log)
    out_.text([str(path) for path in paths], [str(path) for path in paths])


def _content(log: Path) -> bytes:
    try:
        return log.read_bytes()
    except OSError as error:
        raise Invalid(f"{log} cannot be read: {error.strerror}. Name a file that you may read.") from None


def _write(paths: list[Path], texts: list[str], log: Path) -> None:
    """Write all files, or none when the log itself is among them."""
    if log.resolve() in [path.resolve() for path in paths]:
        raise Conflict(f"{log} itself would be written over. Name another directory with --out.")
    try:
        for path, text in zip(paths, texts, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise Conflict(
            f"{error.filename} cannot be written: {error.strerror}. Name another directory with --out."
        ) from None
