# SPDX-License-Identifier: Apache-2.0
"""What the command line is made of: its help, and what a question to a server need not import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gatebot.cli import main
from gatebot.cli.lazy import Named
from gatebot.cli.output import Output
from tests.fakes.irc import free_port

#: What a site is made of, and its questions are not.
HEAVY = ("aiohttp", "ansible", "babel", "cryptography", "gatebot.app", "gatebot.db", "gatebot.site", "jinja2",
         "msgspec", "pygit2", "sqlalchemy", "yaml")  # fmt: skip
QUESTIONS = (
    "autohold list", "build list", "build show 0123456789abcdef0123456789abcdef", "change list", "change show 1",
    "ci list", "config errors", "executor list", "job list", "node labels", "node list", "node providers",
    "project list", "queue show", "semaphore list", "user list", "why 1",
)  # fmt: skip
ASKING = """
import sys
from gatebot.cli import main
for question in sys.argv[2:]:
    try:
        main(["--url", sys.argv[1], *question.split()])
    except SystemExit:
        pass
print("imported:", *sys.modules)
"""


def imported(*questions: str) -> tuple[str, set[str]]:
    """What commands said of their ends in one process, and which heavy modules it imported."""
    command = [sys.executable, "-c", ASKING, f"http://127.0.0.1:{free_port()}", *questions]
    done = subprocess.run(command, capture_output=True, text=True)
    modules = done.stdout.rpartition("imported:")[2].split()
    assert "gatebot.cli" in modules, done.stderr
    return done.stderr, {name for name in modules for heavy in HEAVY if name == heavy or name.startswith(f"{heavy}.")}


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command, click.Command]]:
    """Every command with its path; as its group knows it, and itself."""
    for name, known in group.commands.items():
        found = known.command() if isinstance(known, Named) else known
        yield f"{path}{name}", known, found
        if isinstance(found, click.Group):
            yield from commands(found, f"{path}{name} ")


def test_help_imports_no_command() -> None:
    assert imported("--help") == ("", set())


def test_help_of_groups_imports_nothing_of_a_site() -> None:
    assert imported(*(f"{group} --help" for group in ("build", "config", "node", "project", "secret"))) == ("", set())


def test_questions_to_a_server_import_nothing_of_a_site() -> None:
    told, heavy = imported(*QUESTIONS)
    assert told.count("does not answer") == len(QUESTIONS), told
    assert heavy == set()


def test_groups_say_of_commands_elsewhere_what_these_say_of_themselves() -> None:
    sentence = {
        path: (known.get_short_help_str(200), found.get_short_help_str(200)) for path, known, found in commands(main)
    }
    assert len(sentence) > 60
    assert {path: pair for path, pair in sentence.items() if pair[0] != pair[1]} == {}


def test_no_sentence_of_a_list_of_commands_is_cut() -> None:
    groups = {path: found for path, _, found in commands(main) if isinstance(found, click.Group)}
    shown = {path: CliRunner().invoke(main, [*path.split(), "--help"], terminal_width=80) for path in ("", *groups)}
    told = [(path, line) for path, done in shown.items() for line in done.output.partition("Commands:")[2].splitlines()]
    assert len(told) > 60
    assert [one for one in told if one[1].endswith("...")] == []


def test_admin_token_of_a_directory_is_for_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gatebot.toml").write_text(f"[web]\nlisten = '127.0.0.1:{free_port()}'\n")
    (tmp_path / "admin.token").write_text("gbt_x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEBOT_TOKEN", raising=False)
    refused = CliRunner().invoke(main, ["node", "list"], env={"GATEBOT_USER": "bob"})
    assert refused.stderr == (
        "gatebot: GATEBOT_TOKEN is not set, and admin.token here is not bob's. "
        "Set GATEBOT_TOKEN to your password or token, and GATEBOT_USER (or --user) to your name.\n"
    )
    client = Output(as_json=False, url=None, user=None).client()
    assert (client.user, client.token) == ("admin", "gbt_x")


def test_in_a_clone_the_site_it_came_from_is_asked_with_what_git_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GATEBOT_TOKEN", "GATEBOT_URL", "GATEBOT_USER"):
        monkeypatch.delenv(name, raising=False)
    where = "Which site? Give --url, set GATEBOT_URL, or run this in the directory of a site or in a clone of it."
    assert where in CliRunner().invoke(main, ["why", "1"]).stderr
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "remote", "add", "origin", "http://alice@127.0.0.1:8080/hello"], check=True)
    subprocess.run(["git", "config", "credential.helper", f"store --file={tmp_path / 'known'}"], check=True)
    asking = Output(as_json=False, url=None, user=None)
    stranger = asking.client()
    assert (stranger.url, stranger.user, stranger.token) == ("http://127.0.0.1:8080", "", "")
    (tmp_path / "known").write_text("http://alice:secret@127.0.0.1%3a8080\nhttp://bob:other@127.0.0.1%3a8080\n")
    assert (asking.client().user, asking.client().token) == ("alice", "secret")
    assert Output(as_json=False, url=None, user="bob").client().token == "other"


def test_a_token_goes_to_no_site_that_only_a_clone_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEBOT_URL", raising=False)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "remote", "add", "origin", "http://127.0.0.1:8080/hello"], check=True)
    refused = CliRunner().invoke(main, ["why", "1"], env={"GATEBOT_TOKEN": "gbt_x"})
    assert "Which site is GATEBOT_TOKEN for? Set GATEBOT_URL, too: this is a clone from http://127.0.0.1:8080." in (
        refused.stderr
    )
