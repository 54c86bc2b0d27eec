# SPDX-License-Identifier: Apache-2.0
"""Tenant files in Zuul's format."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gatebot.pipeline.config.parse_tenants import parse_tenant_file, parse_tenants
from gatebot.pipeline.config.tenant import CLASSES, JOB_CLASSES, Access, Rule, Tenant
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


def parsed(text: str) -> Tenant:
    (tenant,), errors = parse_tenants(dedent(text).encode(), "tenant.yaml")
    assert errors == ()
    return tenant


def test_a_tenant_has_zuuls_defaults() -> None:
    tenant = parsed("- tenant: {name: main}\n")
    assert (tenant.default_parent, tenant.max_nodes_per_job, tenant.max_job_timeout) == ("base", 5, 10800)
    assert (tenant.max_dependencies, tenant.max_changes_per_pipeline) == (None, None)
    assert (tenant.max_oidc_ttl, tenant.default_oidc_ttl, tenant.allowed_oidc_issuers) == (10800, 3600, ())
    assert (tenant.allowed_triggers, tenant.allowed_reporters, tenant.allowed_labels) == (None, None, ())
    assert (tenant.fail_closed, tenant.use_nodepool, tenant.access) == (True, True, Access())


def test_every_attribute_of_a_tenant_is_kept() -> None:
    tenant = parsed("""\
    - global-semaphore: {name: cloud, max: 3}
    - global-semaphore: {name: other}
    - admin-rule: {name: boss, conditions: [{iss: here, groups: core}, {sub: me}]}
    - authorization-rule: {name: dev, conditions: {groups: [dev]}}
    - role: {name: op, permissions: {autohold: true, enqueue: {conditions: {project: a, ref: refs/heads/x}}}}
    - tenant:
        name: main
        default-parent: root
        default-ansible-version: 11
        max-nodes-per-job: -1
        max-job-timeout: 60
        max-dependencies: 4
        max-changes-per-pipeline: 50
        max-oidc-ttl: 7
        default-oidc-ttl: 6
        allowed-oidc-issuers: https://x
        allowed-triggers: [gerrit]
        allowed-reporters: []
        allowed-labels: [^small]
        disallowed-labels: small-arm
        semaphores: cloud
        use-nodepool: false
        web-root: https://zuul.example.org
        admin-rules: boss
        role-mappings: {dev: [op, read]}
        authentication-realm: sso
        exclude-unprotected-branches: true
        report-build-page: true
        hosts: opendev.org
        source: {opendev.org: {}}
    """)
    assert (tenant.default_parent, tenant.default_ansible_version) == ("root", "11")
    assert (tenant.max_nodes_per_job, tenant.max_job_timeout) == (-1, 60)
    assert (tenant.max_dependencies, tenant.max_changes_per_pipeline) == (4, 50)
    assert (tenant.max_oidc_ttl, tenant.default_oidc_ttl, tenant.allowed_oidc_issuers) == (7, 6, ("https://x",))
    assert (tenant.allowed_triggers, tenant.allowed_reporters) == (("gerrit",), ())
    assert [tenant.allows_label(name) for name in ("small", "small-arm64", "large")] == [True, False, False]
    assert (tenant.global_semaphores, tenant.use_nodepool) == ({"cloud": 3}, False)
    assert tenant.access.admin_rules == (Rule("boss", ({"iss": "here", "groups": "core"}, {"sub": "me"})),)
    ((rule, roles),) = tenant.access.role_mappings
    assert (rule.name, [role.name for role in roles], tenant.access.realm) == ("dev", ["op", "read"], "sso")
    assert roles[0].permissions == {"autohold": True, "enqueue": {"project": "a", "ref": "refs/heads/x"}}
    assert tenant.connections["opendev.org"] == "gerrit"
    assert tenant.short("opendev.org/a/b") == "a/b"


def test_the_root_of_the_api_has_rules_of_its_own() -> None:
    text = "- authorization-rule: {name: r, conditions: {a: b}}\n- api-root: {role-mappings: {r: admin}}\n"
    made = parse_tenant_file(text.encode(), "tenant.yaml")
    assert (made.errors, made.tenants) == ((), ())
    assert [(rule.name, [role.name for role in roles]) for rule, roles in made.api_root.role_mappings] == [
        ("r", ["admin"])
    ]


def test_groups_and_projects_say_which_kinds_of_objects_are_taken_from_them() -> None:
    tenant = parsed("""\
    - tenant:
        name: main
        source:
          gerrit:
            config-projects: config
            untrusted-projects:
              - plain
              - none: {include: []}
              - nodes: {include-provider-config: true, exclude: job}
              - projects:
                  - in-group
                  - own: {include: [secret]}
                include: [job, project]
                exclude: project
    """)
    config, plain, none, nodes, grouped, own = tenant.projects
    assert (config.loads, plain.loads) == (CLASSES, JOB_CLASSES)
    assert none.loads == {"pragma"}
    assert nodes.loads == CLASSES - {"job"}
    assert (grouped.loads, own.loads) == ({"job", "pragma"}, {"secret", "pragma"})


def test_branches_are_read_left_out_or_dynamic() -> None:
    tenant = parsed("""\
    - tenant:
        name: main
        source:
          gerrit:
            untrusted-projects:
              - some: {include-branches: [main, stable/.*]}
              - none: {include-branches: []}
              - live: {exclude-branches: old, always-dynamic-branches: [feature/.*]}
    """)
    branches = ("main", "stable/1", "feature/a", "old")
    some, none, live = tenant.projects
    assert [some.loads_branch(name) for name in branches] == [True, True, False, False]
    assert not any(none.loads_branch(name) for name in branches)
    assert [live.loads_branch(name) for name in branches] == [True, True, False, False]
    assert [live.dynamic(name) for name in branches] == [False, False, True, False]


def test_a_project_may_configure_others_but_never_a_config_project() -> None:
    text = """\
    - tenant:
        name: main
        source:
          gerrit:
            config-projects: [site/config]
            untrusted-projects: [team/lead: {configure-projects: %s}, team/a, other/b]
    """
    lead, a, b = parsed(text % "team/.*").projects[1:]
    assert [lead.may_configure(other) for other in (lead, a, b)] == [True, True, False]
    assert not a.may_configure(lead)
    _, errors = parse_tenants(dedent(text % ".*").encode(), "tenant.yaml")
    assert [say(error.reason) for error in errors] == [
        "Project team/lead may configure site/config, which is a config project: only config projects may. Narrow its"
        " `configure-projects`."
    ]


def test_mistakes_are_all_told_with_their_lines() -> None:
    text = """\
    - tenant:
        nam: main
        source: []
    - tenant:
        name: two
        anonymous-read-access: false
        source:
          gerrit:
            untrusted-projects: [a: {shadwo: b}]
    - role: {name: admin, permissions: {read: true}}
    - job: {name: x}
    - tenant:
        name: three
        semaphores: [cloud]
        admin-rules: nobody
        role-mappings:
          nobody: [chief]
        source:
          gerrit:
            untrusted-projects:
              - a: {extra-config-paths: zuul.d/}
              - b: {exclude-branches: (}
    """
    _, errors = parse_tenants(dedent(text).encode(), "tenant.yaml")
    assert [(error.at.line, say(error.reason)) for error in errors] == [
        (2, "`nam` is not an attribute of `tenant`. Did you mean `name`?"),
        (2, "`tenant` needs `name`. Add it."),
        (3, "`tenant.source` must be mapping, not `a list`."),
        (
            6,
            "`tenant.anonymous-read-access` is `false`, which gatebot does not act on; it acts on: true. What has it is"
            " not run. Change it.",
        ),
        (9, "`shadwo` is not an attribute of `a`. Did you mean `shadow`?"),
        (10, "A second role named admin stands here. Rename or remove one."),
        (
            11,
            "`job` is not an object of the configuration. Use one of: tenant, global-semaphore, authorization-rule,"
            " admin-rule, role, api-root.",
        ),
        (14, "There is no `global-semaphore` named cloud in this file. Add it, or use one of: -."),
        (15, "There is no `authorization-rule` named nobody in this file. Add it, or use one of: -."),
        (17, "There is no `role` named chief in this file. Add it, or use one of: admin, read."),
        (17, "There is no `authorization-rule` named nobody in this file. Add it, or use one of: -."),
        (21, "`zuul.d/` is read anyway. Remove it from `extra-config-paths`."),
        (22, "`b.exclude-branches`: `(` is not a regular expression of RE2: missing ): (."),
    ]


@pytest.mark.parametrize(("version", "known"), [("9", True), ("'11'", True), ("8", False), ("'2.9'", False)])
def test_only_versions_of_ansible_that_zuul_knows_may_be_named(version: str, known: bool) -> None:
    text = f"- tenant: {{name: main, source: {{}}, default-ansible-version: {version}}}\n"
    tenants, errors = parse_tenants(text.encode(), "tenants.yaml")
    assert [say(error.reason).partition(". ")[0] for error in errors] == (
        [] if known else [f"`default-ansible-version`: there is no Ansible {version.strip(chr(39))}"]
    )
    assert not known or tenants[0].default_ansible_version == version.strip("'")
