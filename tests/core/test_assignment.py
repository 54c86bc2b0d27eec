# SPDX-License-Identifier: Apache-2.0
"""What executors are given survives a trip through JSON."""

from __future__ import annotations

import msgspec

from gatebot.assignment import Assignment, Checkout, FrozenJob, NodeSpec, Playbook

JOB = FrozenJob(
    "unit",
    "0123",
    run=(Playbook("api", "main", "ci/unit"),),
    nodes=(NodeSpec(("node",), "small"),),
    vars={"deep": {"list": [1, 2.5, "three", None, True, {"more": []}]}},
)


def test_a_frozen_job_is_the_same_after_a_trip_through_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(JOB), type=FrozenJob) == JOB


def test_an_assignment_is_the_same_after_a_trip_through_json() -> None:
    assignment = Assignment(
        build="b", buildset="s", item="i", fence=1, tenant="main", pipeline="gate", post_review=True, project="api",
        branch="main", commit="c", job=JOB, checkouts=(Checkout("api", "main", "c", "speculation/q"),),
    )  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(assignment), type=Assignment) == assignment
