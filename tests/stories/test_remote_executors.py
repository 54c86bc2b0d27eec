# SPDX-License-Identifier: Apache-2.0
"""Builds on other machines: a change goes through the gate there, and nothing is lost or doubled when one dies."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatebot.cli import main
from gatebot.events import BuildCompleted
from gatebot.executor.fleet.nats_child import program
from gatebot.pipeline import history
from tests.fakes.clock import SkippingClock
from tests.fakes.doors import Visitor
from tests.fakes.irc import free_port
from tests.fakes.machines import begin as begin_machine
from tests.fakes.machines import machine
from tests.fakes.site import RunningSite, Template, begin, eventually, open_place
from tests.stories.test_autohold import at_a_terminal
from tests.stories.test_cli import run, told
from tests.stories.test_nodes import HERE

pytestmark = pytest.mark.slow
#: More than the lease of a build.
LEASE = 21.0


@pytest.fixture
def place() -> Iterator[Path]:
    with open_place() as found:
        yield found


def without_own_builds(template: Template, place: Path, more: dict[str, object] | None = None) -> RunningSite:
    """A site whose builds all run on other machines, about to run.

    Its tenant has a name of its own, and so its builds have ids of their own: without a sandbox, processes are found by
    their build, and copies of one site beside each other would end each other's.
    """
    changes: dict[str, object] = {
        "executor.enabled": False, "dispatch.nats": "embedded", "dispatch.listen": f"127.0.0.1:{free_port()}",
        "gate.tenant": place.name, **(more or {}),
    }  # fmt: skip
    made = begin(template, place, changes=changes)
    made.clock = SkippingClock()
    return made


@pytest.fixture
def site(template: Template, place: Path) -> Iterator[RunningSite]:
    with without_own_builds(template, place) as running:
        yield running


def waiting_for(flag: Path) -> dict[str, str]:
    """A job that ends when somebody makes a file."""
    return {"ci/unit": f"#!/bin/sh\necho it began\nwhile [ ! -e {flag} ]; do sleep 0.05; done\necho it went on\n"}


def later(site: RunningSite) -> None:
    """More than a lease goes by."""
    assert isinstance(site.clock, SkippingClock)
    site.clock.skip(LEASE)


def told_once(site: RunningSite, build: str) -> BuildCompleted:
    """The one completion of a build in the journal."""
    entries = site.do(site.app.journal.read(0, kinds=(BuildCompleted,), limit=1000))
    found = [entry.event for entry in entries if isinstance(entry.event, BuildCompleted) and entry.event.build == build]
    assert len(found) == 1
    return found[0]


def row(site: RunningSite, build: str) -> history.BuildRow:
    found = site.do(site.app.db.read(history.build, build))
    assert found is not None
    return found


def log(site: RunningSite, build: str) -> str:
    return "\n".join(site.app.logs.lines(build, 1, 1000))


def test_a_change_goes_through_the_gate_with_its_builds_on_another_machine(site: RunningSite, place: Path) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    with machine(site, place, "far") as far:
        change = ann.propose("api", "Add a test", {"test_a.py": "import unittest\n"})
        ann.hears(change, "succeeded", 60)
        bob.approve(change)
        bob.sees_merged(change, 60)
        assert far.shown["running"] == 0
        assert far.shown["version"] == "0.1.0"
        assert list(far.directory.rglob("*.db")) == []  # it has no database
        page = Visitor(site, "admin", site.tokens["admin"]).get("/executors").text
        assert "0 of 2 slots in use" in page
        site.person("admin").rest.call("DELETE", "/api/executors/far")
        far.says("gatebot executor enrol NAME")
        eventually(lambda: far.process.poll() is not None, "far ends")


def test_a_build_of_a_machine_that_was_killed_runs_on_another_and_is_told_once(site: RunningSite, place: Path) -> None:
    ann, flag = site.person("ann"), place / "flag"
    with machine(site, place, "one") as one:
        change = ann.propose("api", "Wait", waiting_for(flag))
        (build,) = one.runs()
        eventually(lambda: "it began" in log(site, build), "its first line is here while it runs", 60)
        (node,) = eventually(lambda: ann.rest.get("/api/nodes")["nodes"], "the machine says which nodes it has")
        assert (node["build"], node["label"], node["executor"]) == (build, "small", "one")
        assert [label["executors"] for label in ann.rest.get("/api/nodes")["labels"] if label["name"] == "small"] == [
            ["one"]
        ]
        with machine(site, place, "two") as two:
            one.signal(signal.SIGKILL)
            later(site)
            assert two.runs() == [build], two.said
            flag.touch()
            ann.hears(change, "succeeded", 60)
            assert (told_once(site, build).fence, row(site, build).result) == (2, "SUCCESS")
            assert log(site, build).count("it went on") == 1


def test_a_machine_that_was_stopped_too_long_is_not_listened_to_any_more(site: RunningSite, place: Path) -> None:
    ann, flag = site.person("ann"), place / "flag"
    with machine(site, place, "one") as one:
        change = ann.propose("api", "Wait", waiting_for(flag))
        (build,) = one.runs()
        with machine(site, place, "two") as two:
            one.signal(signal.SIGSTOP)
            later(site)
            assert two.runs() == [build]
            flag.touch()  # both of them end now
            ann.hears(change, "succeeded", 60)
            one.signal(signal.SIGCONT)
            one.says("came too late")
            assert told_once(site, build).fence == 2
            assert len([text for text in ann.said(change) if "succeeded" in text]) == 1
            assert log(site, build).count("it went on") == 1
            one.lives()


def test_a_build_goes_on_while_the_server_is_away_for_a_minute(template: Template, place: Path) -> None:
    flag, first = place / "flag", without_own_builds(template, place)
    with ExitStack() as ends:
        with first:
            ann, far = first.person("ann"), ends.enter_context(machine(first, place, "far"))
            change = ann.propose("api", "Wait", waiting_for(flag))
            (build,) = far.runs()
            eventually(lambda: "it began" in log(first, build), "it runs", 60)
        away = RunningSite(first.directory, template.tokens, first.homes)
        away.clock = clock = SkippingClock()
        clock.skip(60)
        with away as again:
            assert replace(far, site=again).runs() == [build]
            flag.touch()
            again.person("ann").hears(change, "succeeded", 60)
            assert told_once(again, build).fence == 1, far.said
            assert log(again, build).count("it began") == log(again, build).count("it went on") == 1


def test_a_node_on_another_machine_is_held_and_entered_until_it_is_let_go(template: Template, place: Path) -> None:
    first = without_own_builds(template, place)
    with ExitStack() as ends:
        with first:
            ann, far = first.person("ann"), ends.enter_context(machine(first, place, "far"))
            told(first, "bob", "autohold", "add", "--project", "api", "--job", "unit", "--reason", "Look at it.")
            change = ann.propose("api", "Break", {"ci/unit": "#!/bin/sh\necho evidence > kept\nexit 1\n"})
            ann.hears(change, "Build failed.", 60)
            (build,) = [one["uuid"] for one in ann.rest.get("/api/builds", change=change)]
            assert "To enter: gatebot node ssh " + build in log(first, build)
        with RunningSite(first.directory, template.tokens, first.homes) as site:
            replace(far, site=site).lives()
            listed = told(site, "ann", "node", "list")
            assert listed.startswith(f"{build}\theld until ")
            assert listed.endswith(f" UTC for bob\tsmall\t{HERE} native\tlocal\tfar\tunit of api\n")
            (kept,) = far.directory.rglob("api/kept")
            assert kept.read_text() == "evidence\n"
            assert told(site, "bob", "node", "ssh", build, "--", "find", ".", "-name", "kept") != ""
            with at_a_terminal(site, "bob", "node", "ssh", build) as typing:
                typing(
                    "until stty size | grep -qx '40 120'; do :; done; echo seen $((2+1))",
                    "seen 3",
                    rows=40,
                    columns=120,
                )
                typing("sleep 1000\n\x03", "^C")
                typing("exit 5", "exit 5", status=5)
            assert run(site, "ann", "node", "ssh", build).stderr.startswith(f"gatebot: The node {build} is held for")
            far.signal(signal.SIGKILL)
            far.process.wait(20)
            again = begin_machine(site, place, "far")
            ends.callback(again.end)
            looks = ("node", "ssh", build, "--", "find", ".", "-name", "kept")
            eventually(lambda: run(site, "bob", *looks).exit_code == 0, "the node is there again", 60)
            assert told(site, "bob", *looks) != ""
            gone = told(site, "bob", "node", "delete", build)
            assert gone == f"The node {build} goes as soon as the executor far hears of it.\n"
            eventually(lambda: told(site, "ann", "node", "list") == "No build has a node now.\n", "it is gone", 60)
            assert not kept.exists()


def test_a_nats_server_of_the_sites_own_does_as_well(template: Template, place: Path) -> None:
    port = free_port()
    changes: dict[str, object] = {
        "executor.enabled": False,
        "dispatch.nats": f"nats://127.0.0.1:{port}",
        "dispatch.password_file": "nats.password",
    }  # fmt: skip
    made = begin(template, place, changes=changes)
    told = CliRunner().invoke(main, ["executor", "nats-config", "--site", str(made.directory)])
    assert told.exit_code == 0, told.output
    password = re.search(r'password: "(.*?)"', told.output)
    assert password is not None
    (made.directory / "nats.password").write_text(password[1])
    config = place / "nats.conf"
    config.write_text(f'listen: 127.0.0.1:{port}\njetstream {{ store_dir: "{place / "store"}" }}\n{told.output}')
    nats = subprocess.Popen([program(), "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: reached(port), "nats listens")
        with made as site, machine(site, place, "far"):
            ann = site.person("ann")
            ann.hears(ann.propose("api", "Add a", {"a.txt": "a"}), "succeeded", 60)
            health = Visitor(site, "admin", site.tokens["admin"]).get("/health").text
            assert "1 of 1 on other machines live" in health
    finally:
        nats.terminate()
        nats.wait(20)


def test_all_of_it_goes_by_tls(template: Template, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = place / "site.crt", place / "site.key"
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run([*line, *more], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # whom this machine, and the other one, believe
    made = without_own_builds(template, place, {"web.tls_certificate": str(certificate), "web.tls_key": str(key)})
    made.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.tls.load_cert_chain(certificate, key)
    with made as site, machine(site, place, "far"):
        assert site.url.startswith("https://")
        ann = site.person("ann")
        ann.hears(ann.propose("api", "Add a", {"a.txt": "a"}), "succeeded", 60)


def reached(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_line_without_a_good_token_says_what_to_do(site: RunningSite, place: Path) -> None:
    wrong = begin_machine(site, place, "wrong", token="gbx_mistyped")
    assert wrong.process.wait(20) == 1
    assert wrong.said.strip().endswith(
        "gatebot: This token lets nobody in: it was used already, or replaced, or mistyped. "
        "Make another on the site: gatebot executor enrol NAME"
    )
    without = begin_machine(site, place, "without")
    assert without.process.wait(20) == 1
    assert "Run the line that `gatebot executor enrol NAME` prints there" in without.said
