# SPDX-License-Identifier: Apache-2.0
"""`gatebot meeting check`: the files of planned meetings, without a server.

The same reading and the same sentences as the job meeting-conflicts and the page of the schedule have.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from .. import words
from ..errors import NotFound
from ..meetbot.schedule.checking import MONTHS, problems, told
from ..meetbot.schedule.reading import read
from .output import Output, printable


@click.command("check")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR")
@click.option("--months", type=click.IntRange(1, 240), default=MONTHS, show_default=True, help="How far to look.")
@click.option("--from", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The first day; today.")
@click.pass_obj
def check(out: Output, directory: Path, months: int, day: datetime | None) -> None:
    """Check files of planned meetings; find those in each other's way.

    DIR holds one .yaml file for each meeting. All problems are told at once, each with file and line; the exit code is
    1 if there are any.

    Example: gatebot meeting check meetings
    """
    files = {
        str(directory / path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.suffix in (".yaml", ".yml")
    }
    if not files:
        raise NotFound(f"{directory} holds no .yaml files. Name the directory that has one for each meeting.")
    schedule = read(files)
    found = list(problems(schedule, (day or datetime.now(UTC)).date(), months))
    rows = [{"file": flaw.path, "line": flaw.line, "text": words.say(flaw.reason)} for flaw in found]
    counted = (
        f"{len(schedule.meetings)} meetings, {sum(len(one.slots) for one in schedule.meetings)} times: no problem."
    )
    out.text(rows, [printable(told(flaw, words.say)) for flaw in found] or [counted])
    if found:
        click.echo(f"{len(found)} problem{'s' if len(found) > 1 else ''}.", err=True)
        sys.exit(1)
