# SPDX-License-Identifier: Apache-2.0
"""Artifacts of a private change: builds that were handed them read them while they run, and nobody else does."""

from __future__ import annotations

import re
import urllib.error
import urllib.request

import pytest

from gatebot.assignment import AssignedChange, Assignment, Checkout, FrozenJob, ProvidedArtifact
from gatebot.pipeline.artifact_passes import readable
from tests.fakes.site import RunningSite

LOGS = "https://review.example.org/logs/"
CONFIG = """\
- job: {name: make, run: ci/make}
- job: {name: take, run: ci/take, dependencies: [make]}
- project: {check: {jobs: [make, take]}}
"""
MAKE = """\
#!/bin/sh
echo sesame > "$GATEBOT_ARTIFACTS/word"
echo '{"zuul": {"artifacts": [{"name": "word", "url": "artifacts/word"}]}}' > "$GATEBOT_RESULT"
"""
TAKE = """\
#!/usr/bin/env python3
import json, os, pathlib, urllib.error, urllib.request

def ask(url, **headers):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code

shown = os.environ["GATEBOT_ARTIFACT_PASS"]
(made,) = json.loads(pathlib.Path(os.environ["GATEBOT_VARIABLES"]).read_text())["zuul"]["artifacts"]
log = made["url"].replace("artifacts/word", "job-output.txt")
print("alone:", ask(made["url"]))
print("with the pass:", ask(made["url"], **{"Gatebot-Build": shown}))
print("with another:", ask(made["url"], **{"Gatebot-Build": shown[::-1]}))
print("the log:", ask(log, **{"Gatebot-Build": shown}))
print("it is", shown)
(pathlib.Path(os.environ["GATEBOT_ARTIFACTS"]) / "pass").write_text(shown)
"""


def test_a_build_reads_private_artifacts_that_it_was_handed_until_it_ends(working_site: RunningSite) -> None:
    ann = working_site.person("ann")
    work = ann.clone("api")
    for name, text in {".zuul.yaml": CONFIG, "ci/make": MAKE, "ci/take": TAKE}.items():
        work.put(name, text)
        (work.path / name).chmod(0o755)
    work.commit("Whisper")
    done = work.run("push", "origin", "HEAD:refs/for/main%private")
    assert done.returncode == 0, done.stderr
    change = int(re.findall(r"/\+/(\d+)", done.stderr)[-1])
    builds = dict(re.findall(r"- (\w+) \S+/build/(\w+)", ann.hears(change, "Build succeeded.", 60)))
    told = "".join(ann.rest.text_lines(f"/logs/{builds['take']}/job-output.txt"))
    for line in ("alone: 404", "with the pass: sesame", "with another: 404", "the log: 404", "it is *****"):
        assert line in told
    shown = "".join(ann.rest.text_lines(f"/logs/{builds['take']}/artifacts/pass"))
    asked = f"{working_site.url}/logs/{builds['make']}/artifacts/word"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(urllib.request.Request(asked, headers={"Gatebot-Build": shown}))


def test_a_pass_opens_what_the_build_is_made_of_and_nothing_that_it_merely_names() -> None:
    artifacts = (
        ProvidedArtifact("own", f"{LOGS}aa/artifacts/x", "api", "make", change=7),
        ProvidedArtifact("past", f"{LOGS}bb/artifacts/x", "library", "make", change=3),
        ProvidedArtifact("strange", f"{LOGS}cc/artifacts/x", "vault", "make", change=4),
        ProvidedArtifact("elsewhere", "https://files.example.org/logs/dd/artifacts/x", "api", "make", change=7),
    )
    given = Assignment(
        "e" * 32, "f" * 32, "i", 1, "main", "check", False, "api", "main", "1" * 40, FrozenJob("take", "hash"),
        checkouts=(Checkout("library", "main", "2" * 40, "library"),), provided=artifacts,
        changes=(AssignedChange(7, 1, "api", "main", "1" * 40, "I7", "Whisper", ""),),
    )  # fmt: skip
    assert readable(given, LOGS) == {"aa", "bb"}
