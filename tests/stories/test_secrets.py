# SPDX-License-Identifier: Apache-2.0
"""Secrets from the command line to the job: encrypted here, opened only for the playbook, never shown."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from gatebot.errors import GatebotError
from gatebot.keys import boxes
from tests.fakes.site import Builds, RunningSite, eventually
from tests.stories.test_cli import run, told

DATA = Path(__file__).resolve().parents[1] / "data" / "zuul-secrets"


def here(site: RunningSite, *words: str, ok: bool = True, password: str = "keystorepassword") -> str:
    """A command in the site's directory; what it printed."""
    env = {"PATH": "/usr/bin:/bin", "GATEBOT_KEYSTORE_PASSWORD": password}
    command = [sys.executable, "-m", "gatebot", *words, "--site", str(site.directory)]
    done = subprocess.run(
        command,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=DATA.parents[2],
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode == 0) is ok, done.stderr
    return done.stdout if ok else done.stderr


def opened(site: RunningSite, project: str, box: list[str]) -> bytes:
    """What a project's key makes of a box."""
    return site.do(asyncio.to_thread(site.app.gate.keys.decrypt, project, "gatebot-sealed", tuple(box)))


def test_a_value_is_sealed_for_a_project_and_opens_only_there(site: RunningSite, tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text("Sesame-opens-the-mountain\n")
    text = told(
        site, "ann", "secret", "encrypt", "--project", "api", "--name", "deploy", "--field", "password", str(file)
    )
    head, *box = text.splitlines()[3:]
    assert text.startswith("- secret:\n    name: deploy\n    data:\n      password: !encrypted/gatebot-sealed |\n")
    assert head == "      password: !encrypted/gatebot-sealed |"
    assert opened(site, "api", box) == b"Sesame-opens-the-mountain\n"
    with pytest.raises(GatebotError):
        opened(site, "client", box)
    refused = run(site, "ann", "secret", "encrypt", "--project", "none", str(file))
    assert (refused.exit_code, refused.stderr) == (
        1, "gatebot: There is no project none in the tenant main, or you may not see it.\n",
    )  # fmt: skip
    file.write_bytes(b"\xff\xfe")
    assert (
        "base64 FILE | gatebot secret encrypt"
        in run(site, "ann", "secret", "encrypt", "--project", "api", str(file)).stderr
    )


def test_keys_of_a_zuul_are_brought_and_taken_while_the_server_runs(site: RunningSite, tmp_path: Path) -> None:
    assert here(site, "keys", "list") == "No keys. A project's key is made when it is first asked for.\n"
    assert "wrong password" in here(site, "keys", "import", str(DATA / "export.json"), ok=False, password="x")
    assert here(site, "keys", "import", str(DATA / "export.json")) == (
        "Brought the keys of 1 project.\nLeft out 1 that are not used here (keys for SSH, of tenants, for OIDC).\n"
    )
    assert here(site, "keys", "import", str(DATA / "export.json")).startswith(
        "Brought the keys of 0 projects.\n"
        "Kept the keys that are here already (--force takes the file's): org/project2\n"
    )
    assert here(site, "keys", "list").startswith("org/project2\tpkcs1-oaep\t")
    exported = tmp_path / "keys.json"
    assert here(site, "keys", "export", str(exported)) == f"Wrote 1 keys to {exported}.\n"
    assert exported.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" in exported.read_text()
    assert "ENCRYPTED" in exported.read_text()
    assert "cannot be written" in here(site, "keys", "export", str(exported), ok=False)
    assert here(site, "keys", "import", str(exported), "--force").startswith("Brought the keys of 1 project.\n")


@pytest.mark.slow
def test_a_value_in_zuuls_format_is_for_a_project_that_a_zuul_gates_too(site: RunningSite, tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text("x" * 500)
    text = told(site, "ann", "secret", "encrypt", "--zuul", "--project", "api", str(file))
    assert text.startswith("- secret:\n    name: NAME\n    data:\n      FIELD: !encrypted/pkcs1-oaep\n        - ")
    assert text.count("        - ") == 2


def test_what_would_run_is_told_with_why(site: RunningSite) -> None:
    assert told(site, "ann", "job", "freeze", "--project", "api", "--pipeline", "gate", "--file", "a.txt") == (
        "+ unit\n+ noop\n"
    )
    shown = told(site, "ann", "job", "freeze", "--project", "api", "--pipeline", "gate", "--job", "unit")
    assert shown.startswith("unit\n  parents: base\n")
    assert "  api:ci/unit@main\n" in shown
    assert told(site, "ann", "job", "show", "unit").startswith("unit  api main .zuul.yaml:")
    assert "unit\t" in told(site, "ann", "job", "list")
    assert told(site, "ann", "semaphore", "list") == "No semaphores.\n"
    refused = run(site, "ann", "job", "freeze", "--project", "api", "--pipeline", "x")
    assert refused.stderr.startswith("gatebot: There is no pipeline x here. There are: ")


def test_a_change_is_enqueued_and_dequeued_by_hand(site: RunningSite, builds: Builds) -> None:
    builds.rule = lambda build: None
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    first = builds.runs("check", change)
    assert told(site, "ann", "change", "dequeue", str(change), "--pipeline", "check") == (
        f"Change {change} leaves check; its builds are stopped, and what is behind it is tested without it.\n"
    )
    builds.called_off(first)
    refused = run(site, "ann", "change", "enqueue", str(change), "--pipeline", "check")
    assert (refused.exit_code, "needs the permission enqueue" in refused.stderr) == (1, True)
    asked = ("change", "enqueue", f"{site.url}/c/api/+/{change}", "--pipeline", "check")
    assert told(site, "bob", *asked).startswith(f"Change {change} is being enqueued in check.")
    eventually(lambda: builds.running("check", change), "it runs again")
    assert told(site, "bob", "queue", "promote", str(change), "--pipeline", "check").startswith("To the head of check")


USES = """\
- secret:
    name: deploy
    data:
      user: me
      password: %s
- job: {name: publish, run: ci/publish, secrets: [{name: login, secret: deploy}]}
- job: {name: unit, run: ci/unit}
- project:
    queue: integrated
    check: {jobs: [unit]}
    gate: {jobs: [publish]}
"""
PUBLISH = """\
#!/usr/bin/env python3
import json, os
login = json.loads(os.environ["GATEBOT_SECRETS"])["login"]
assert login["password"] == "Sesame-" + "opens-the-mountain"
print(login["user"], "logs in with", login["password"])
"""


@pytest.mark.slow
def test_a_job_after_review_is_given_the_secret_and_its_log_does_not_show_it(working_site: RunningSite) -> None:
    site, ann, bob = working_site, working_site.person("ann"), working_site.person("bob")
    key = site.do(site.app.gate.keys.public("api", boxes.KIND))
    box = boxes.encrypt(key, "api", b"Sesame-opens-the-mountain")
    files = {".zuul.yaml": USES % f"!encrypted/gatebot-sealed {box}", "ci/publish": PUBLISH}
    change = ann.propose("api", "Publish", files)
    ann.hears(change, "Build succeeded.")
    bob.approve(change)
    ann.sees_merged(change)
    build = next(one for one in ann.rest.get("/api/builds", change=change) if one["job_name"] == "publish")
    log = "".join(ann.rest.text_lines(f"/logs/{build['uuid']}/job-output.txt"))
    assert "me logs in with *****" in log
    assert "Sesame" not in log


def test_a_change_whose_job_needs_a_secret_that_cannot_be_decrypted_does_not_merge(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    other = boxes.encrypt(boxes.public(boxes.make()), "api", b"x")
    files = {".zuul.yaml": USES % f"!encrypted/gatebot-sealed {other}", "ci/publish": PUBLISH}
    change = ann.propose("api", "Publish", files)
    ann.hears(change, "Build succeeded.")
    bob.approve(change)
    eventually(lambda: [text for text in ann.said(change) if "cannot be decrypted" in text], "told")
    told = next(text for text in ann.said(change) if "cannot be decrypted" in text)
    assert "The secret deploy of api cannot be decrypted. api has no key pair for gatebot-sealed here" in told
    assert ann.rest.get(f"/changes/{change}")["status"] == "NEW"
