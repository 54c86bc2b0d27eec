# SPDX-License-Identifier: Apache-2.0
"""gertty 1.6.0 in a terminal, as a reviewer uses it: subscribe to a project, and see its changes.

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
    pytest.mark.timeout(300),
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

    def shows(self, text: str, seconds: float = 25.0) -> str:
        """Wait for a text on the screen; the whole screen."""
        return eventually(lambda: (seen := self.screen) if text in (seen := self.screen) else "", text, seconds)

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
        print(terminal.screen, (home / "errors").read_text()[-3000:])
        raise
    finally:
        terminal.close()


def test_the_changes_of_a_project_are_synced_and_listed(site: RunningSite, tmp_path: Path) -> None:
    ann, cho = site.person("ann"), site.person("cho")
    ann.propose("api", "Add discounts", {"discount": "10\n20\n"}, body="For all.")
    with gertty(site, cho, tmp_path / "desk") as terminal:
        terminal.shows("Welcome to Gertty!")
        terminal.press("Enter")
        terminal.press("L")
        terminal.shows("gatebot-config")
        below = sorted(ann.rest.get("/projects/")).index("api")
        terminal.press(*["Down"] * below, "s", "Enter")
        assert "Ann" in terminal.shows("Add discounts")
        # As with any Gerrit since 3.4: `is:mergeable` is not kept for queries, and gertty says so.
        terminal.shows("Unable to sync conflicts")
