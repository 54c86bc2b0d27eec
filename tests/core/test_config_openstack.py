# SPDX-License-Identifier: Apache-2.0
"""Real configuration: the graphs that Zuul itself froze from the same files, name by name, in order."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from gatebot.pipeline.config.build import build
from gatebot.pipeline.config.check import config_paths
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.layout import Layout, Sources
from gatebot.pipeline.config.model import Location
from gatebot.pipeline.config.parse import parse_file
from gatebot.pipeline.config.parse_tenants import parse_tenants

DATA = Path(__file__).parent.parent / "data" / "openstack"
EXPECTED = json.loads((DATA / "expected.json").read_text())


@cache
def layout() -> Layout:
    tenants, errors = parse_tenants((DATA / "tenant.yaml").read_bytes(), "tenant.yaml")
    assert errors == ()
    files = {}
    for project in tenants[0].projects:
        root = DATA / "repos" / project.name
        known = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
        files[project.name, "master"] = tuple(
            parse_file(known[path].read_bytes(), Location(project.name, "master", path))
            for path in config_paths(known)[0]
        )
    tenant = replace(tenants[0], hosts=("review.example.com",))
    return build(tenant, Sources({project.name: ("master",) for project in tenants[0].projects}, files))


@pytest.mark.parametrize("case", EXPECTED)
def test_the_graph_is_that_of_zuul(case: str) -> None:
    project, path, pipeline = case.split()
    graph = freeze(layout(), pipeline, project, "master", files=[path])
    assert [(job.name, job.voting) for job in graph.jobs] == [
        (job["name"], job["voting"]) for job in EXPECTED[case]["jobs"]
    ]


def test_every_job_that_is_not_run_has_a_reason() -> None:
    graph = freeze(layout(), "check", "openstack/nova", "master", files=["doc/source/index.rst"])
    run, skipped = {job.name for job in graph.jobs}, {one.job for one in graph.skipped}
    assert run == {
        "openstack-tox-docs",
        "build-openstack-releasenotes",
        "openstack-tox-pep8",
        "nova-tox-validate-backport",
    }
    assert {one.reason.kind for one in graph.skipped} == {
        "config.skip-irrelevant-files",
        "config.skip-files",
        "config.skip-not-listed",
    }
    assert not run & skipped


def test_devstack_s_gate_has_the_groups_of_its_nodes_and_nothing_is_refused() -> None:
    graph = freeze(layout(), "gate", "openstack/devstack", "master", files=["stack.sh"])
    assert graph.errors == ()
    job = next(job for job in graph.jobs if job.name == "devstack-multinode")
    assert set(job.group_vars) <= {group.name for group in job.groups}
    assert job.group_vars["subnode"]


def test_a_devstack_job_has_the_playbooks_and_projects_of_all_its_parents() -> None:
    graph = freeze(layout(), "gate", "openstack/devstack", "master", files=["stack.sh"])
    job = next(job for job in graph.jobs if job.name == "tempest-full-py3")
    assert job.parents[0] == "base"
    assert [book.path for book in job.run] == ["playbooks/devstack-tempest.yaml"]
    assert [book.project for book in job.run] == ["openstack/tempest"]
    assert "openstack/nova" in {required.project for required in job.required_projects}
    assert job.timeout == 9000
