# SPDX-License-Identifier: Apache-2.0
"""What Kubernetes' answers mean, whatever they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatebot.executor.model import Label
from gatebot.executor.providers.pods import State, architectures, owned, pod, state, version
from tests.fakes.cluster import POD, complaints

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["status", "phase", "containerStatuses", "state", "waiting", "reason", "ready", "items", "metadata",
                 "labels", "gatebot.org/node", "conditions", "type", "nodeInfo", "architecture", "minor"]
            ),
            inner, max_size=4,
        )
    ),
    max_leaves=5,
)  # fmt: skip
NAME = st.text("abcdef0123456789", min_size=32, max_size=32)


@settings(deadline=None)
@given(NAME, st.sampled_from(["x86_64", "arm64", "ppc64le", "s390x", "riscv64"]), st.integers(1 << 20, 1 << 44))
def test_every_pod_keeps_to_the_schema_of_kubernetes(node: str, arch: str, size: int) -> None:
    made = pod(node, Label("l", memory=size, disk=size, cpus=0.5), image="debian:12", arch=arch, instance="0" * 12)
    assert complaints(POD, made) == []


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(["status", "items", "major", "minor"]), ANYTHING, max_size=4))
def test_no_answer_does_more_than_say_nothing(answer: dict[str, Any]) -> None:
    assert isinstance(state(answer), State)
    assert isinstance(owned(answer), tuple)
    assert isinstance(architectures(answer), tuple)
    assert len(version(answer)) == 2


def waiting(reason: str) -> dict[str, Any]:
    told = {"ready": False, "state": {"waiting": {"reason": reason, "message": "m"}}}
    return {"status": {"phase": "Pending", "containerStatuses": [told]}}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ({}, State()),
        ({"status": {"phase": "Running", "containerStatuses": [{"ready": True}]}}, State(ready=True)),
        (waiting("ContainerCreating"), State(why="ContainerCreating: m")),
        (waiting("ImagePullBackOff"), State(hopeless=True, why="ImagePullBackOff: m")),
        ({"status": {"phase": "Failed", "reason": "Evicted"}}, State(hopeless=True, why="the pod ended: Evicted")),
        (
            {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "no room"}]}},
            State(why="no room"),
        ),
    ],
)
def test_how_far_a_pod_is(found: dict[str, Any], wanted: State) -> None:
    assert state(found) == wanted


def test_versions_and_machines_are_read_as_clusters_tell_them() -> None:
    assert version({"major": "1", "minor": "30+"}) == (1, 30)
    told = ["arm64", "amd64", "amd64", ""]
    assert architectures({"items": [{"status": {"nodeInfo": {"architecture": one}}} for one in told]}) == (
        "x86_64", "arm64",
    )  # fmt: skip
