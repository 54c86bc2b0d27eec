# SPDX-License-Identifier: Apache-2.0
"""What the README promises: a site of one's own, from `gatebot init` to a merged change, with the real commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.git import WorkTree
from tests.fakes.irc import free_port
from tests.fakes.served import Served
from tests.fakes.site import Person


def gatebot(directory: Path, *words: str) -> str:
    """A command in the site's directory, where it needs no password; what it printed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GATEBOT_")}
    command = [sys.executable, "-m", "gatebot", *words]
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_site_from_init_to_its_first_merged_change(place: Path) -> None:
    site, port = place / "site", free_port()
    said = gatebot(place, "init", str(site), "--listen", f"127.0.0.1:{port}", "--ssh-listen", "")
    assert re.fullmatch(
        rf"A new site is in {site}. Its settings, each explained: {site}/gatebot.toml\n"
        r"Administrator: admin, password \(shown once\): \S{16}\n"
        rf"Start it: gatebot serve {site}    Then open http://127.0.0.1:{port}\n",
        said,
    )
    settings = (site / "gatebot.toml").read_text()
    (site / "gatebot.toml").write_text(settings.replace('#sandbox = "auto"', 'sandbox = "none"'))
    source = WorkTree.new(place / "hello")
    source.commit("Say hello", hello="hello\n")
    served = Served(site, place / "homes")
    served.start()
    try:
        served.answers()
        tokens = {
            name: gatebot(site, "user", "add", name, *more).split()[-1]
            for name, more in (("ann", ()), ("bob", ("--core",)))
        }
        gatebot(site, "project", "create", "hello", "--import", str(source.path))
        ann = Person.of(served, "ann", tokens)
        zuul = "- job: {name: greet, run: greet}\n- project: {check: {jobs: [greet]}, gate: {jobs: [greet]}}\n"
        change = ann.propose("hello", "Greet", {".zuul.yaml": zuul, "greet": "#!/bin/sh\ngrep hello hello\n"})
        ann.hears(change, "Build succeeded.")
        Person.of(served, "bob", tokens).approve(change)
        ann.sees_merged(change)
        source.git("pull", "-q", f"{served.url}/hello", "main")
        assert source.git("log", "--format=%s").splitlines() == ["Greet", "Say hello"]
        assert "greet\tSUCCESS\thello\t1" in gatebot(site, "build", "list")
    finally:
        assert served.stop() == 0
