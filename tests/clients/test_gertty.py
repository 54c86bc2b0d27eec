# SPDX-License-Identifier: Apache-2.0
"""gertty 1.6.0 in a terminal, as a reviewer uses it: subscribe to a project, open a change, comment, and vote.

`make test-clients` installs it beside the tests, with the older libraries that it needs. tmux is the terminal.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.site import Person, RunningSite, eventually
from tests.programs import need

PROGRAM = Path(__file__).resolve().parents[2] / "build" / "gertty" / "bin" / "gertty"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not PROGRAM.exists(), reason="gertty is not installed: make test-clients installs it"),
]
CONFIG = """\
servers:
  - name: here
    url: {url}
    username: {name}
    password: "{token}"
    auth-type: basic
    git-root: {home}/git
    dburi: sqlite:///{home}/gertty.db
    log-file: {home}/gertty.log
    lock-file: {home}/gertty.lock
    socket: {home}/gertty.sock
"""


class Terminal:
    """A window of 120 columns with a program in it."""

    def __init__(self, socket: Path, command: str) -> None:
        self._tmux = [need("tmux"), "-S", str(socket), "-f", "/dev/null"]
        self._run("new-session", "-d", "-x", "120", "-y", "40", command)

    def _run(self, *words: str) -> str:
        return subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True).stdout

    @property
    def screen(self) -> str:
        """What a person sees."""
        return self._run("capture-pane", "-p")

    def shows(self, text: str, seconds: float = 120.0) -> str:
        """Wait for a text on the screen; the whole screen."""
        return eventually(lambda: seen if text in (seen := self.screen) else "", text, seconds)

    def hides(self, text: str, seconds: float = 120.0) -> None:
        """Wait until a text is no longer on the screen."""
        eventually(lambda: text not in self.screen, f"without {text}", seconds)

    def press(self, *keys: str) -> None:
        """Keys by their names."""
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        """A text, letter by letter."""
        self._run("send-keys", "-l", text)

    def close(self) -> None:
        """End the program and its window."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@contextmanager
def gertty(site: RunningSite, who: Person, home: Path) -> Generator[Terminal]:
    """gertty as somebody runs it."""
    home.mkdir()
    config = home / "gertty.yaml"
    config.write_text(CONFIG.format(url=site.url, name=who.name, token=who.token, home=home))
    config.chmod(0o600)
    line = shlex.join(["env", f"HOME={home}", "LC_ALL=C.UTF-8", str(PROGRAM), "-d", "-c", str(config)])
    terminal = Terminal(home / "tmux", f"{line} 2> {home}/errors")
    try:
        yield terminal
    except BaseException:
        print((home / "errors").read_text()[-3000:])
        print(terminal.screen)
        raise
    finally:
        terminal.close()


def open_project(terminal: Terminal, who: Person, project: str) -> None:
    """Subscribe to a project on the first screen, and enter the list of its changes."""
    terminal.shows("Welcome to Gertty!")
    terminal.press("Enter")
    terminal.press("L")
    terminal.shows("gatebot-config")
    below = sorted(who.rest.get("/projects/")).index(project)
    terminal.press(*["Down"] * below, "s", "Enter")


def test_the_changes_of_a_project_are_synced_and_listed(site: RunningSite, tmp_path: Path) -> None:
    ann, cho = site.person("ann"), site.person("cho")
    ann.propose("api", "Add discounts", {"discount": "10\n20\n"}, body="For all.")
    with gertty(site, cho, tmp_path / "desk") as terminal:
        open_project(terminal, ann, "api")
        assert "Ann" in terminal.shows("Add discounts")
        # As with any Gerrit since 3.4: `is:mergeable` is not kept for queries, and gertty says so.
        terminal.shows("Unable to sync conflicts")


def test_a_change_is_opened_commented_in_a_line_and_voted_on(site: RunningSite, tmp_path: Path) -> None:
    ann, cho = site.person("ann"), site.person("cho")
    change = ann.propose("api", "Add discounts", {"discount": "10\n20\n"}, body="For all.")
    with gertty(site, cho, tmp_path / "desk") as terminal:
        open_project(terminal, ann, "api")
        terminal.shows("Unable to sync conflicts")
        terminal.press("Escape")
        terminal.hides("Unable to sync conflicts")
        terminal.press("Enter")
        terminal.shows("< Review >")
        terminal.press("d")
        terminal.shows("from base to patchset 1")
        terminal.press("End", "Enter")  # the last line, and a box for a comment below it
        terminal.type("Why not 30?")
        terminal.shows("Why not 30?")
        terminal.press("Escape")
        terminal.shows("(1 draft)")
        terminal.press("r")
        terminal.shows("(X)  0  No score")
        terminal.press("Up", "Up", "Space")
        terminal.shows("(X) +2  Looks good to me, approved")
        terminal.press(*["Down"] * 8)  # past the values of both labels
        terminal.type("Fine but for a question.")
        terminal.shows("Fine but for a question.")
        terminal.press("Down", "Enter")
        found = eventually(lambda: ann.rest.get(f"/changes/{change}/comments"), "the comment is here", 120)
        terminal.shows("(1 inline comment)")
    assert [(one["line"], one["message"], one["author"]["username"]) for one in found["discount"]] == [
        (2, "Why not 30?", "cho")
    ]
    detail = ann.rest.get(f"/changes/{change}/detail")
    assert {vote["username"]: vote["value"] for vote in detail["labels"]["Code-Review"]["all"]}["cho"] == 2
    assert "Fine but for a question." in detail["messages"][-1]["message"]
