# SPDX-License-Identifier: Apache-2.0
"""Tenant files in Zuul's format."""

from __future__ import annotations

from textwrap import dedent

from gatebot.pipeline.config.tenant import parse_tenants
from gatebot.words import say


def test_projects_come_in_order_with_their_options_and_groups() -> None:
    text = """\
    - tenant:
        name: main
        max-nodes-per-job: 10
        source:
          gerrit:
            config-projects:
              - site/config: {allow-base-jobs: false, load-branch: master}
            untrusted-projects:
              - one
              - two: {shadow: one, exclude: [secret], extra-config-paths: [ci/]}
              - include: [job]
                projects: [three, four: {exclude-branches: old.*}]
    """
    (tenant,), errors = parse_tenants(dedent(text).encode(), "tenant.yaml")
    assert errors == ()
    assert (tenant.name, tenant.max_nodes_per_job, tenant.max_job_timeout) == ("main", 10, 10800)
    assert [(project.name, project.trusted) for project in tenant.projects] == [
        ("site/config", True),
        ("one", False),
        ("two", False),
        ("three", False),
        ("four", False),
    ]
    config, _, two, three, four = tenant.projects
    assert (config.base_jobs, config.load_branch) == (False, "master")
    assert (two.shadows, two.extra_paths, "secret" in two.loads) == (("one",), ("ci/",), False)
    assert three.loads == {"job", "pragma"}
    assert [four.loads_branch(name) for name in ("main", "old-1")] == [True, False]


def test_mistakes_are_all_told_with_their_lines() -> None:
    text = """\
    - tenant:
        nam: main
        source: []
    - tenant:
        name: two
        max-dependencies: 3
        source:
          gerrit:
            untrusted-projects: [a: {shadwo: b}]
    - role: {name: x}
    """
    _, errors = parse_tenants(dedent(text).encode(), "tenant.yaml")
    assert [(error.at.line, say(error.reason)) for error in errors] == [
        (2, "`nam` is not an attribute of `tenant`. Did you mean `name`?"),
        (2, "`tenant` needs `name`. Add it."),
        (3, "`tenant.source` must be mapping, not `a list`."),
        (
            6,
            "`tenant.max-dependencies` is known to Zuul, but gatebot does not act on it. What has it is not run."
            " Remove it.",
        ),
        (9, "`shadwo` is not an attribute of `a`. Did you mean `shadow`?"),
        (10, "`role` is not an object of the configuration. Use one of: tenant."),
    ]
