# SPDX-License-Identifier: Apache-2.0
"""The graphs of OpenStack's whole configuration are those that Zuul 14.3 froze, attribute by attribute."""

from __future__ import annotations

import pytest

from tests.clients.graphs import cases, digested, kept, layout, ours


@pytest.mark.slow
def test_every_graph_of_every_project_and_pipeline_is_zuul_s() -> None:
    theirs = kept()
    assert len(theirs) > 3700
    different = {}
    for case in cases():
        mine = ours(case)
        if (None if mine is None else [digested(job) for job in mine]) != theirs.get(case):
            different[case] = mine
    assert different == {}


def test_zuul_loads_as_many_jobs_templates_nodesets_and_pipelines() -> None:
    found = layout()
    counts = len(found.jobs), sum(map(len, found.jobs.values())), len(found.templates), len(found.nodesets)
    assert (*counts, len(found.pipelines)) == (1412, 1451, 230, 102, 17)  # Zuul counts noop as well
