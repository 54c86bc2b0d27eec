# SPDX-License-Identifier: Apache-2.0
"""A job that fails only here: its node is asked for, kept, looked at, and let go."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.fakes.doors import Visitor
from tests.fakes.site import ZUUL, Builds, RunningSite
from tests.shells.test_pages import words
from tests.stories.test_cli import run, told


@contextmanager
def at_a_terminal(site: RunningSite, who: str, *words: str) -> Iterator[Callable[..., str]]:
    """Type lines to a command that has a terminal; each answers what was shown until then."""
    own, its = pty.openpty()
    fcntl.ioctl(own, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    env = {**os.environ, "GATEBOT_URL": site.url, "GATEBOT_USER": who, "GATEBOT_TOKEN": site.tokens[who]}
    env |= {"TERM": "xterm", "LINES": "24", "COLUMNS": "80"}  # as of another terminal: they must not count
    line = [sys.executable, "-m", "gatebot", *words]
    visit = subprocess.Popen(line, stdin=its, stdout=its, stderr=its, env=env, start_new_session=True)

    def typing(text: str, until: str, *, rows: int = 0, columns: int = 0, status: int | None = None) -> str:
        if rows:
            fcntl.ioctl(own, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            visit.send_signal(signal.SIGWINCH)
        os.write(own, f"{text}\n".encode())
        shown = ""
        while until not in shown:
            readable, _, _ = select.select([own], [], [], 30)
            assert readable, f"{until!r} did not come; there was {shown!r}"
            shown += os.read(own, 65536).decode(errors="replace")
        if status is not None:
            assert visit.wait(30) == status
        return shown

    try:
        begun, _, _ = select.select([own], [], [], 30)
        assert begun, "there is no prompt"
        yield typing
    finally:
        visit.kill()
        visit.wait(10)
        os.close(own)
        os.close(its)


@pytest.mark.slow
@pytest.mark.zuul(115)
def test_the_node_of_a_failed_build_is_kept_for_whoever_asked(working_site: RunningSite) -> None:
    site, ann = working_site, working_site.person("ann")
    asked = ("autohold", "add", "--project", "api", "--job", "unit", "--reason", "It fails on Mondays.")
    assert told(site, "bob", *asked) == "The next failed build of unit in api keeps its nodes for 24 hours.\n"
    refused = run(site, "ann", *asked)
    assert "This needs the permission autohold on refs/* of api." in refused.stderr
    assert told(site, "ann", "autohold", "list") == "1\tapi\tunit\t.*\t0 of 1\tIt fails on Mondays.\n"
    change = ann.propose("api", "Break", {"ci/unit": "#!/bin/sh\necho evidence > kept\nexit 1\n"})
    ann.hears(change, "Build failed.")
    (build,) = ann.rest.get("/api/builds", change=change)
    assert told(site, "ann", "autohold", "show", "1") == (
        f"1  unit of api, .*\n  It fails on Mondays.\n  used 1 of 1\n  holds default of build {build['uuid']}\n"
    ).replace("default", build["nodeset"])
    assert site.app.executor is not None
    held = site.app.executor.held
    log = "".join(ann.rest.text_lines(f"/logs/{build['uuid']}/job-output.txt"))
    assert "by the request 1. To enter: gatebot node ssh " + build["uuid"] in log
    assert "Held until " in words(Visitor(site).get(f"/build/{build['uuid']}").text)
    assert [path.read_text() for path in held.layer(build["uuid"]).rglob("kept")] == ["evidence\n"]
    assert told(site, "ann", "node", "list").startswith(f"{build['uuid']}\theld until ")
    assert "It fails on Mondays." in Visitor(site).get("/nodes").text
    assert told(site, "bob", "node", "ssh", build["uuid"], "--", "find", ".", "-name", "kept") != ""
    with at_a_terminal(site, "bob", "node", "ssh", build["uuid"]) as typing:
        # The size goes its own way to the node, so what is typed waits for it there.
        typing("until stty size | grep -qx '30 100'; do :; done; echo seen $((1+1))", "seen 2", rows=30, columns=100)
        typing("until stty size | grep -qx '40 120'; do :; done; echo seen $((2+1))", "seen 3", rows=40, columns=120)
        typing("exit 5", "exit 5", status=5)
    left = run(site, "bob", "node", "ssh", build["uuid"], "--", "echo one; exit", "7")
    assert (left.stdout, left.exit_code) == ("one\n", 7)
    refused = run(site, "ann", "node", "ssh", build["uuid"])
    assert f"The node {build['uuid']} is held for somebody else" in refused.stderr
    assert told(site, "bob", "node", "hold", build["uuid"], "--hours", "2").startswith(
        f"The node {build['uuid']} is held until "
    )
    assert told(site, "bob", "autohold", "delete", "1") == "Request 1 is gone.\n"
    site.do(held.sweep())
    assert not held.layer(build["uuid"]).exists()
    assert told(site, "ann", "autohold", "list") == "No nodes are asked for.\n"
    gone = run(site, "bob", "autohold", "delete", "1")
    assert gone.stderr == "gatebot: There is no request 1 for held nodes. /autoholds lists all.\n"


@pytest.mark.slow
def test_a_held_node_is_let_go_by_whom_it_is_held_for(working_site: RunningSite) -> None:
    site, ann = working_site, working_site.person("ann")
    told(site, "bob", "autohold", "add", "--project", "api", "--job", "unit", "--reason", "Look.", "--hours", "0")
    change = ann.propose("api", "Break", {"ci/unit": "#!/bin/sh\nexit 1\n"})
    ann.hears(change, "Build failed.")
    (build,) = ann.rest.get("/api/builds", change=change)
    listed = told(site, "ann", "node", "list")
    assert listed.startswith(f"{build['uuid']}\theld until it is let go for bob\t")
    assert run(site, "ann", "node", "delete", build["uuid"]).exit_code == 1
    assert told(site, "bob", "node", "delete", build["uuid"]) == f"The node {build['uuid']} is gone.\n"
    assert told(site, "ann", "node", "list") == "No build has a node now.\n"
    gone = run(site, "bob", "node", "ssh", build["uuid"])
    assert gone.stderr.startswith(f"gatebot: No node {build['uuid']} is held.")


def test_a_job_that_waits_in_an_open_change_for_its_first_build_is_known(site: RunningSite, builds: Builds) -> None:
    ann = site.person("ann")
    builds.rule = lambda _: None
    own = ZUUL.replace("check: {jobs: [unit", "check: {jobs: [unit, {unit-next: {dependencies: [unit]}}")
    change = ann.propose("api", "Bring a job", {".zuul.yaml": f"- job: {{name: unit-next, run: ci/unit}}\n{own}"})
    builds.runs("check", change)
    asking = ("autohold", "add", "--project", "api", "--reason", "look", "--job")
    assert "known yet" not in told(site, "bob", *asking, "unit-next")
    assert "Did you mean: unit-next" in told(site, "bob", *asking, "unit-nxet")


def test_nodes_of_any_job_may_be_asked_for_and_names_that_nobody_knows_are_told(site: RunningSite) -> None:
    ann = site.person("ann")
    own = ZUUL.replace("check: {jobs: [unit", "check: {jobs: [unit-lately")
    change = ann.propose("api", "Bring a job", {".zuul.yaml": f"- job: {{name: unit-lately, run: ci/unit}}\n{own}"})
    ann.hears(change, "Build succeeded.")
    asking = ("autohold", "add", "--project", "api", "--reason", "look", "--job")
    assert told(site, "bob", *asking, "unit-lately", "--count", "2", "--hours", "1") == (
        "The next 2 failed builds of unit-lately in api keep their nodes for 1 hour each.\n"
    )
    stands = "No job unit-latly is known yet. The request stands, for when a change brings one."
    doubt = f"{stands} Did you mean: unit-lately"
    assert doubt in told(site, "bob", *asking, "unit-latly", "--hours", "0")
    assert doubt in told(site, "ann", "autohold", "show", "2")
    page = words(Visitor(site).get("/autoholds").text)
    assert page.count("is known yet") == 1
    assert doubt in page
