# SPDX-License-Identifier: Apache-2.0
"""The configuration that every site begins with, and that of the tour: free of errors, and doing what is promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatebot.change import ChangeFacts, VoteFact
from gatebot.pipeline.config.build import build
from gatebot.pipeline.config.check import check, config_paths
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.layout import Layout, Sources
from gatebot.pipeline.config.model import Location, Manager, Moment, Reporter
from gatebot.pipeline.config.parse import parse_file
from gatebot.pipeline.config.tenant import simple
from gatebot.pipeline.triggers import Happening, wakes

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CHANGE = ChangeFacts(1, 1, 1, "I1", "new", "main", "c", ("p",), "s", "s\n", 1, "ann", 1, "NEW", "https://x/1")
GATE = "gatebot"
ROOT = Path(__file__).parent.parent.parent


def shipped() -> dict[str, bytes]:
    return {
        str(path.relative_to(ROOT / "jobs")): path.read_bytes() for path in (ROOT / "jobs").rglob("*") if path.is_file()
    }


def layout() -> Layout:
    tenant = simple("main", ("gatebot-config",), ("new",))
    at = [Location("gatebot-config", "main", path) for path in config_paths(shipped())[0]]
    files = {("gatebot-config", "main"): tuple(parse_file(shipped()[one.path], one) for one in at)}
    return build(tenant, Sources({"gatebot-config": ("main",), "new": ("main",)}, files))


def test_the_shipped_configuration_has_no_errors() -> None:
    assert check(shipped(), trusted=True, project="gatebot-config") == []
    assert layout().errors == ()
    assert list(layout().pipelines) == ["check", "gate", "post", "release", "periodic"]


@pytest.mark.parametrize("project", ["demo/api", "demo/client", "."])
def test_the_tour_and_gatebot_itself_fit_the_shipped_configuration(project: str) -> None:
    text = (ROOT / project / ".zuul.yaml").read_bytes()
    assert check({".zuul.yaml": text}, project=project, base=shipped()) == []


@pytest.mark.parametrize("pipeline", ["check", "gate"])
def test_a_project_without_configuration_merges_after_votes(pipeline: str) -> None:
    graph = freeze(layout(), pipeline, "new", "main", files=["README"])
    assert ([job.name for job in graph.jobs], graph.errors) == (["noop"], ())


def test_the_gate_merges_what_is_approved_and_checked() -> None:
    gate = layout().pipelines["gate"]
    assert (gate.manager, gate.merges, gate.post_review, gate.supercedes) == (Manager.DEPENDENT, True, True, ("check",))
    assert gate.reporters[Moment.FAILURE] == gate.reporters[Moment.MERGE_CONFLICT]
    assert gate.reporters[Moment.SUCCESS] == (Reporter("gatebot", (("Verified", 2),), submit=True),)
    (required,) = gate.require
    assert [approval.votes for approval in required.approvals] == [
        (("Code-Review", (2,)),),
        (("Workflow", (1,)),),
        (("Verified", (1, 2)),),
    ]


@pytest.mark.parametrize(
    "comment", ["recheck", "reverify", "Patch Set 3:\n\nrecheck", "Recheck please", "(1 comment)\n  recheck"]
)
def test_recheck_is_heard(comment: str) -> None:
    wanted = layout().pipelines["check"].triggers[2].comments
    assert any(pattern.found_in(comment) for pattern in wanted)


@pytest.mark.parametrize("comment", ["do not recheck", "recheck-acme", "reverify-acme", "acme recheck", "rechecked"])
def test_what_asks_another_system_or_nobody_does_not_start_our_check(comment: str) -> None:
    wanted = layout().pipelines["check"].triggers[2].comments
    assert not any(pattern.found_in(comment) for pattern in wanted)


@pytest.mark.parametrize(
    ("verified", "by", "woken"), [(-1, GATE, True), (-2, GATE, True), (1, GATE, False), (-1, "acme", False)]
)
def test_approving_over_a_failure_of_our_own_starts_check_again(verified: int, by: str, woken: bool) -> None:
    said = Happening("comment-added", "new", "main", 1, 1, username="bob", approvals=(("Workflow", 1),))
    vote = VoteFact("Verified", verified, 7, by, "", NOW)
    assert wakes(layout().pipelines["check"], said, replace(CHANGE, votes=(vote,)), NOW) is woken


def test_every_library_job_has_its_script() -> None:
    for variants in layout().jobs.values():
        for job in variants:
            for book in job.run or ():
                mode = (ROOT / "jobs" / book.path).stat().st_mode
                assert mode & 0o111 or book.path.endswith(".yaml"), "what is no playbook is run as it is"
