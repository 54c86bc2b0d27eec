# SPDX-License-Identifier: Apache-2.0
"""Minutes made again from a log, on the command line and without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatebot.cli import main

LOG = """\
14:00:02 <ann> #startmeeting Infra
14:00:02 <gatebot> Meeting started Tue Nov 17 14:00:02 2026 UTC and is due to finish in 60 minutes.
14:00:09 <ann> #topic Gate
14:00:20 <bob> #info the gate merged 12 changes
14:00:31 <bob> #action bob to raise the window
14:00:40 <ann> #endmeeting
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of one meeting."""
    path = tmp_path / "infra.2026-11-17.log.txt"
    path.write_text(LOG)
    return path


def replay(*words: str | Path) -> Result:
    """`gatebot meeting replay WORDS`."""
    return CliRunner().invoke(main, ["meeting", "replay", *map(str, words)], catch_exceptions=False)


def test_the_minutes_of_a_log_are_printed(log: Path) -> None:
    done = replay(log)
    assert done.exit_code == 0
    assert done.stdout.startswith("=============\n#infra: Infra\n=============\n")
    assert (
        "Meeting started by ann at 14:00:02 UTC.  The full logs are available at\ninfra.2026-11-17.log.html ."
        in done.stdout
    )
    assert "* Gate  (ann, 14:00:09)\n  * the gate merged 12 changes  (bob, 14:00:20)\n" in done.stdout
    assert "* bob\n  * bob to raise the window\n" in done.stdout


def test_every_format_is_written_into_a_directory(log: Path, tmp_path: Path) -> None:
    done = replay(log, "--out", tmp_path / "out")
    base = tmp_path / "out" / "infra.2026-11-17"
    endings = (".html", ".txt", ".log.html", ".log.txt", ".json", ".md", ".rst", ".mediawiki")
    assert done.stdout.splitlines() == [f"{base}{ending}" for ending in endings]
    assert all(Path(line).is_file() for line in done.stdout.splitlines())


def test_channel_and_date_can_be_told(tmp_path: Path) -> None:
    path = tmp_path / "something.txt"
    path.write_text(LOG.replace("Tue Nov 17 14:00:02 2026 UTC", "some day"))
    done = replay(path, "--channel", "#openstack-infra", "--date", "2026-01-02", "--format", "html", "--strict")
    assert "<title>#openstack-infra: Infra</title>" in done.stdout


def test_a_log_without_a_meeting_and_one_that_would_be_written_over_are_refused(log: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.log.txt"
    empty.write_text("14:00:02 <ann> hello\n")
    done = replay(empty)
    assert (done.exit_code, done.stderr) == (
        1,
        f"gatebot: {empty}: This log holds no meeting: no line in it begins with #startmeeting. Where one did begin, "
        "put such a line there, for example “12:00:00 <nick> #startmeeting NAME”.\n",
    )
    empty.write_bytes(b"")
    assert replay(empty).stderr == (
        f"gatebot: {empty}: This is no log of a channel: no line in it reads like “12:00:00 <nick> text” or "
        "“12:00:00 * nick does something”.\n"
    )
    done = replay(log, "--out", tmp_path)
    assert (done.exit_code, done.stderr) == (
        1,
        f"gatebot: {log} itself would be written over. Name another directory with --out.\n",
    )
    assert log.read_text() == LOG


def test_every_meeting_of_a_log_is_written_and_the_first_printed(tmp_path: Path) -> None:
    path = tmp_path / "infra.log.txt"
    path.write_text("09:00:00 <eve> morning\n" + LOG + LOG.replace("Infra", "Again").replace("Nov 17", "Nov 24"))
    done = replay(path, "--format", "txt")
    assert "#infra: Infra\n" in done.stdout
    assert done.stderr == f"{path} holds 2 meetings; this is the first. Write all with --out DIR.\n"
    done = replay(path, "--format", "json", "--out", tmp_path / "out")
    first, second = [json.loads(Path(line).read_text()) for line in done.stdout.splitlines()]
    assert (first["title"], first["started"]) == ("Infra", "2026-11-17T14:00:02+00:00")
    assert (second["title"], second["started"]) == ("Again", "2026-11-24T14:00:02+00:00")
    assert second["location"] == "infra-2"


@pytest.mark.parametrize(
    "raw",
    [
        LOG.encode("utf-8-sig"),
        LOG.encode("utf-16"),
        LOG.replace("\n", "\r\n").encode(),
        LOG.replace("\n", "\r").encode(),
        LOG.replace(":02 <", " <").replace(":40 <", " <").encode(),
        LOG.replace("14:", "[14:").replace(" <", "] <").encode(),
        LOG.replace("14:", "2026-11-17T14:").encode(),
        LOG.replace("<ann>", "<@ann>").replace("<bob>", "< bob>").encode(),
    ],
)
def test_a_log_is_read_however_it_was_kept(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "infra.log.txt"
    path.write_bytes(raw)
    done = replay(path)
    assert "* Gate  (ann, 14:00:09)\n  * the gate merged 12 changes  (bob, 14:00:20)\n" in done.stdout
    assert "* bob\n  * bob to raise the window\n" in done.stdout


def test_korean_of_another_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "infra.log.txt"
    path.write_bytes(LOG.replace("the gate merged", "게이트가 병합함").encode("cp949"))
    assert "  * 게이트가 병합함 12 changes  (bob, 14:00:20)\n" in replay(path).stdout
