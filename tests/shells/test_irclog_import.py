# SPDX-License-Identifier: Apache-2.0
"""`gatebot irclog import` on a folder of old logs: lines and meetings, each once, and what is no log passed over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatebot.cli import main

BOT = "<bot> Meeting started Tue May 27 23:58:00 2014 UTC and is due to finish in 60 minutes.  The chair is ann."
EVENING = f"""\
2014-05-27T23:58:00  <ann> #startmeeting Gate
2014-05-27T23:58:01  {BOT}
2014-05-27T23:59:00  <bob> #action bob looks
"""
NIGHT = """\
2014-05-28T00:05:00  <ann> #agreed we go on
2014-05-28T00:06:00  <ann> #endmeeting
2014-05-28T00:06:01  <bot> Meeting ended Wed May 28 00:06:00 2014 UTC.
2014-05-28T09:00:00  <eve> #startmeeting Nobody ends it
"""
PLACE = "gate/2014/gate.2014-05-27-23.58"


@pytest.fixture
def site(migrated_sqlite: Path, tmp_path: Path) -> Path:
    """A site with a folder of logs beside it."""
    data, logs = tmp_path / "site" / "data", tmp_path / "logs" / "#gate"
    data.mkdir(parents=True)
    logs.mkdir(parents=True)
    shutil.copyfile(migrated_sqlite, data / "gatebot.db")
    (tmp_path / "site" / "gatebot.toml").write_text('[site]\ndata = "data"\n')
    (logs / "#gate.2014-05-27.log").write_text(EVENING)
    (logs / "#gate.2014-05-28.log").write_text(NIGHT)
    (logs / "notes.txt").write_text("Dear all,\nthis is a letter.\n")
    return tmp_path / "site"


def imported(site: Path, *options: str) -> Result:
    """The import of the folder."""
    words = ["--json", "irclog", "import", "--site", str(site), *options, str(site.parent / "logs")]
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_a_meeting_over_midnight_is_put_on_record_once_from_two_logs(site: Path) -> None:
    old = site / "data" / "meetings" / f"{PLACE}.txt"
    old.parent.mkdir(parents=True)
    old.write_text("as the bot of then wrote it")
    alone = json.loads(imported(site, "--no-meetings").stdout)
    assert [(log["added"], log["meetings"]) for log in alone] == [
        (3, {"minutes": [], "known": 0, "without_end": 0}), (4, {"minutes": [], "known": 0, "without_end": 0}),
    ]  # fmt: skip
    nameless, dayless = (site.parent / "logs" / name for name in ("evening.log", "night.log"))
    nameless.write_text(EVENING)
    dayless.write_text("[12:00:00] <ann> on which day?\n")
    first = imported(site)
    evening, night = json.loads(first.stdout)
    assert (evening["added"], evening["meetings"]) == (
        0, {"minutes": [f"/meetings/{PLACE}"], "known": 0, "without_end": 0},
    )  # fmt: skip
    assert night["meetings"] == {"minutes": [], "known": 0, "without_end": 1}
    notes = f"{site.parent / 'logs' / '#gate' / 'notes.txt'} is no log that can be read: passed over.\n"
    assert first.stderr.splitlines()[-2:] == [
        f"{nameless}: neither its name nor its folder tells the channel. Name it with --channel '#NAME'. "
        "It is passed over.",
        f"{dayless}: nothing tells the day of its lines. Name it with --date YYYY-MM-DD. It is passed over.",
    ]
    assert first.stderr.startswith(notes)
    minutes = json.loads(old.with_suffix(".json").read_text())
    assert (minutes["ended"], minutes["people"]) == (
        "2014-05-28T00:06:00+00:00",
        [{"nick": "ann", "lines": 3}, {"nick": "bot", "lines": 1}, {"nick": "bob", "lines": 1}],
    )
    assert minutes["actions_by_person"] == {"bob": ["bob looks"]}
    assert old.read_text() == "as the bot of then wrote it"
    again = json.loads(imported(site).stdout)
    assert [log["meetings"]["known"] for log in again] == [1, 0]
