# SPDX-License-Identifier: Apache-2.0
"""Every attribute of a job: what a child makes of its parent's, what a tag changes, and what is frozen in the end."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from gatebot.assignment import (
    FrozenJob,
    IncludeVars,
    JobDependency,
    NodeChoice,
    NodeGroup,
    NodeSpec,
    Playbook,
    ProjectChoice,
    RequiredProject,
    Role,
    SecretRef,
)
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.frozen import definition
from gatebot.pipeline.config.layout import Layout
from gatebot.words import say
from tests.fakes.configuration import tenant_layout

BOOK = Playbook("p", "main", "b.yaml")
LISTED = "- project: {check: {jobs: [x]}}\n"


def heir(parent: str, child: str, *, pipeline: str = "check", more: str = "") -> FrozenJob:
    """The job `x` of project `a`, which inherits from a job `p` of the same project."""
    text = f"- job: {{name: p, run: r, {parent}}}\n- job: {{name: x, parent: p, {child}}}\n{more}"
    layout = tenant_layout({"b": "", "a": text + f"- project: {{{pipeline}: {{jobs: [x]}}}}\n"})
    assert layout.errors == ()
    graph = freeze(layout, pipeline, "a", "main")
    assert graph.errors == ()
    return graph.jobs[0]


def refusals(layout: Layout, pipeline: str = "check") -> list[str]:
    return [say(error.reason) for error in freeze(layout, pipeline, "a", "main").errors]


@pytest.mark.parametrize(
    "attribute, parent, child, expected",
    [
        ("timeout", "timeout: 5", "attempts: 2", 5),
        ("timeout", "timeout: 5", "timeout: 7", 7),
        ("pre_timeout", "pre-timeout: 5", "timeout: 3", 3),
        ("post_timeout", "post-timeout: 5", "voting: true", 5),
        ("attempts", "attempts: 5", "voting: true", 5),
        ("voting", "voting: false", "timeout: 1", False),
        ("hold_following", "hold-following-changes: true", "timeout: 1", True),
        ("ansible_version", "ansible-version: 9", "ansible-version: 11", "11"),
        ("split_streams", "ansible-split-streams: true", "timeout: 1", True),
        ("type", "type: initializer", "timeout: 1", "initializer"),
        ("deduplicate", "deduplicate: false", "deduplicate: auto", None),
        ("deduplicate", "deduplicate: false", "timeout: 1", False),
        ("workspace_scheme", "workspace-scheme: flat", "workspace-scheme: unique", "unique"),
        ("workspace_checkout", "timeout: 1", "timeout: 2", True),
        ("workspace_checkout", "workspace-checkout: false", "workspace-checkout: auto", None),
        ("success_message", "success-message: good", "timeout: 1", "good"),
        ("failure_message", "failure-message: bad", "failure-message: worse", "worse"),
        ("secret_exposure", "timeout: 1", "timeout: 2", "ignore"),
        ("secret_exposure", "secret-exposure: fail", "timeout: 2", "fail"),
        ("tags", "tags: [a, b]", "tags: [b, c]", ("a", "b", "c")),
        ("tags", "tags: [a, b]", "tags: !override c", ("c",)),
        ("provides", "provides: a", "provides: b", ("a", "b")),
        ("provides", "provides: a", "provides: !override []", ()),
        ("requires", "requires: a", "requires: !inherit [b]", ("a", "b")),
        ("failure_output", "failure-output: [b]", "failure-output: a", ("a", "b")),
        ("failure_output", "failure-output: [b]", "failure-output: !override a", ("a",)),
        ("preserve_home_paths", "preserve-home-paths: [a]", "preserve-home-paths: ./b", ("a", "b")),
        ("semaphores", "semaphores: [b]", "semaphores: [a, {name: c, resources-first: true}]", ("a", "b", "c")),
        ("resources_first", "semaphore: {name: b, resources-first: true}", "semaphores: a", ("b",)),
        ("extra_vars", "extra-vars: {d: {x: 1, y: 1}}", "extra-vars: {d: {y: 2}}", {"d": {"x": 1, "y": 2}}),
        ("host_vars", "host-vars: {n: {x: 1}}", "host-vars: {n: {y: 2}, m: {z: 3}}",
         {"n": {"x": 1, "y": 2}, "m": {"z": 3}}),
        ("group_vars", "group-vars: {g: {x: 1}}", "group-vars: !override {g: {y: 2}}", {"g": {"y": 2}}),
        ("vars", "vars: {x: 1}", "vars: !override {}", {}),
        ("include_projects", "timeout: 1", "timeout: 2", None),
        ("include_projects", "include-projects: [a]", "include-projects: [b, {type: change}]",
         (ProjectChoice("name", "a"), ProjectChoice("name", "b"), ProjectChoice("change", ""))),
        ("exclude_projects", "exclude-projects: [a]", "exclude-projects: !override {type: item}",
         (ProjectChoice("item", ""),)),
        ("include_vars", "include-vars: one.yaml", "include-vars: [{name: two.yaml, required: false}, one.yaml]",
         (IncludeVars("one.yaml", "a", "main"), IncludeVars("two.yaml", "a", "main", required=False))),
        ("include_vars", "include-vars: one", "include-vars: !override {name: v, zuul-project: true, use-ref: false}",
         (IncludeVars("v", "", "", use_ref=False),)),
        ("include_vars", "timeout: 1", "include-vars: {name: v, project: config}",
         (IncludeVars("v", "config", "", trusted=True),)),
    ],
)  # fmt: skip
def test_each_attribute_is_replaced_or_merged_by_its_rule(
    attribute: str, parent: str, child: str, expected: object
) -> None:
    assert getattr(heir(parent, child), attribute) == expected


@pytest.mark.parametrize(
    "attribute, parent, child",
    [
        ("requires", "requires: a", "requires: b"),
        ("provides", "provides: a", "provides: b"),
        ("tags", "tags: a", "tags: b"),
        ("files", "files: a", "files: b"),
        ("irrelevant-files", "irrelevant-files: a", "irrelevant-files: b"),
        ("required-projects", "required-projects: a", "required-projects: b"),
        ("include-projects", "include-projects: a", "include-projects: b"),
        ("exclude-projects", "exclude-projects: a", "exclude-projects: b"),
        ("vars", "vars: {a: 1}", "vars: {b: 1}"),
        ("extra-vars", "extra-vars: {a: 1}", "extra-vars: {b: 1}"),
        ("host-vars", "host-vars: {n: {a: 1}}", "host-vars: {n: {b: 1}}"),
        ("group-vars", "group-vars: {n: {a: 1}}", "group-vars: {n: {b: 1}}"),
        ("include-vars", "include-vars: a", "include-vars: b"),
        ("dependencies", "dependencies: {name: base, soft: true}", "dependencies: {name: p, soft: true}"),
        ("failure-output", "failure-output: a", "failure-output: b"),
        ("type", "type: initializer", "type: regular"),
        ("pre-run", "pre-run: a", "pre-run: b"),
        ("run", "timeout: 1", "run: b"),
        ("post-run", "post-run: a", "post-run: b"),
        ("voting", "voting: true", "voting: false"),
    ],
)
def test_an_attribute_that_is_closed_by_attribute_control_cannot_be_set_again(
    attribute: str, parent: str, child: str
) -> None:
    closed = f"{parent}, attribute-control: {{{attribute}: {{final: true}}}}"
    text = f"- job: {{name: p, run: r, {closed}}}\n- job: {{name: x, parent: p, %s}}\n" + LISTED
    assert refusals(tenant_layout({"b": "", "a": text % child})) == [
        f"Job p has closed `{attribute}` by `attribute-control`. Do not set it again."
    ]
    assert refusals(tenant_layout({"b": "", "a": text % "attempts: 1"})) == []


def test_playbooks_keep_their_place_their_semaphores_and_whether_they_clean_up() -> None:
    job = heir("post-run: [p1, {name: p2, cleanup: true}]", "pre-run: {name: b, semaphores: [t, s]}, cleanup-run: c")
    assert [(book.path, book.cleanup) for book in job.post_run] == [("p1", False), ("p2", True)]
    assert [(book.project, book.branch, book.semaphores) for book in job.pre_run] == [("a", "main", ("s", "t"))]
    assert [book.path for book in job.cleanup_run] == ["c"]


def test_an_empty_list_of_playbooks_takes_none_of_the_parents_away() -> None:
    assert [book.path for book in heir("pre-run: b", "run: [], pre-run: []").run] == ["r"]


def test_a_job_without_anything_to_run_is_not_run() -> None:
    layout = tenant_layout({"config": "- job: {name: x, parent: null, pre-run: r}\n", "a": LISTED})
    assert refusals(layout) == ["Job x has nothing to run. Give it `run`."]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("- job: {name: x, run: {name: r, semaphores: s}, semaphores: s}",
         "Semaphore s is asked for by the job and by one of its playbooks. Keep one of them."),
        ("- job: {name: x, run: r, secrets: a-b}",
         "`a-b` cannot be the name of a variable, and the secret would be one. Write `{name: VARIABLE, secret: SECRET}`"
         " with letters, digits and underscores."),
        ("- job: {name: x, run: r, include-vars: {name: v, project: a, zuul-project: true}}",
         "`project` and `zuul-project` say two different things. Keep one."),
        ("- job: {name: x, run: r, include-projects: {type: change, name: a}}",
         "An entry of `include-projects` is the name of a project, or `{type: change}`, or `{type: item}`."),
        ("- job: {name: x, run: r, preserve-home-paths: [.ssh/./config]}",
         "`.ssh/config` cannot be kept between playbooks. Use another path, below the home directory."),
        ("- job: {name: x, run: r, failure-output: (}",
         "`failure-output`: `(` is not a regular expression of RE2: missing ): (."),
        ("- job: {name: x, run: r, nodeset: {nodes: [], alternatives: []}}",
         "A nodeset has `nodes` or `alternatives`, not both. Put the nodes into an entry of `alternatives`."),
        ("- job: {name: x, run: r, exclude-projects: gone}",
         "There is no project gone in this tenant. Correct the name, or add the project to the tenant."),
        ("- job: {name: x, run: r, include-vars: {name: v, project: gone}}",
         "There is no project gone in this tenant. Correct the name, or add the project to the tenant."),
        ("- job: {name: x, run: r, host-vars: {n: {zuul: 1}}}",
         "`job.host-vars.n`: the variable `zuul` belongs to the system. Choose another name."),
    ],
)  # fmt: skip
def test_what_one_definition_gets_wrong_is_said_at_its_line(text: str, sentence: str) -> None:
    assert [(error.at.line, say(error.reason)) for error in tenant_layout({"a": text + "\n"}).errors] == [(1, sentence)]


def test_a_semaphore_of_the_job_is_not_one_of_an_inherited_playbook() -> None:
    text = """
    - job: {name: p, run: {name: r, semaphores: s}}
    - job: {name: x, parent: p, semaphores: s}
    - project: {check: {jobs: [x]}}
    """
    assert refusals(tenant_layout({"a": text})) == [
        "Semaphore s is asked for by the job and by one of its playbooks. Keep one of them."
    ]


def test_secret_exposure_is_set_once() -> None:
    text = """
    - job: {name: p, run: r, secret-exposure: fail}
    - job: {name: x, parent: p, secret-exposure: ignore}
    - project: {check: {jobs: [x]}}
    """
    assert refusals(tenant_layout({"a": text})) == [
        "Job p has set `secret-exposure` to `fail`; it cannot be changed any more. Remove it here."
    ]


SECRETS = "- secret: {name: s, data: {k: v}}\n- secret: {name: t, data: {k: v}}\n"


def given(job: FrozenJob) -> dict[str, list[str]]:
    books = (*job.pre_run, *job.run, *job.post_run)
    return {book.path: [f"{one.name}={one.secret}@{one.project}" for one in book.secrets] for book in books}


def test_secrets_go_to_the_playbooks_of_their_own_definition_only() -> None:
    job = heir("secrets: s", "secrets: {name: token, secret: t}, post-run: q", pipeline="gate", more=SECRETS)
    assert given(job) == {"r": ["s=s@a"], "q": ["token=t@a"]}
    assert isinstance(job.run[0].secrets[0], SecretRef)
    assert job.post_review


def test_a_secret_that_is_passed_to_parents_reaches_their_playbooks_but_never_replaces_theirs() -> None:
    text = """
    - secret: {name: s, data: {k: v}}
    - secret: {name: t, data: {k: v}}
    - job: {name: p, run: r, pre-run: q, secrets: s}
    - job: {name: x, parent: p, secrets: [{name: s, secret: t, pass-to-parent: true}, {name: u, secret: t,
        pass-to-parent: true}]}
    - project: {name: a, check: {jobs: [x]}}
    """
    layout = tenant_layout({"config": text, "a": ""})
    (job,) = freeze(layout, "check", "a", "main").jobs
    assert given(job) == {"r": ["s=s@config", "u=t@config"], "q": ["s=s@config", "u=t@config"]}
    assert not job.post_review


def test_a_secret_that_is_passed_to_a_playbook_of_strangers_waits_for_review() -> None:
    text = """
    - secret: {name: s, data: {k: v}}
    - job: {name: x, parent: lib, secrets: {name: s, secret: s, pass-to-parent: true}}
    - project: {name: a, check: {jobs: [x]}, gate: {jobs: [x]}}
    """
    layout = tenant_layout({"b": "- job: {name: lib, run: r}\n", "config": text, "a": ""})
    assert refusals(layout) == [
        "Job x runs only after review, and pipeline check is before it. List the job in a pipeline with"
        " `post-review: true`."
    ]
    assert given(freeze(layout, "gate", "a", "main").jobs[0]) == {"r": ["s=s@config"]}


def test_a_secret_of_another_project_cannot_be_used() -> None:
    layout = tenant_layout({"b": SECRETS, "a": "- job:\n    name: x\n    run: r\n    secrets:\n      - s\n"})
    assert [(error.at.line, say(error.reason)) for error in layout.errors] == [
        (5, "Secret s belongs to project b: only jobs that are defined there may use it. Define the job there, or"
            " another secret here."),
    ]  # fmt: skip


def test_a_secret_in_a_listing_leaves_a_final_job_as_it_is() -> None:
    text = SECRETS + "- job: {name: x, run: r, final: true}\n- project: {gate: {jobs: [{x: {secrets: s}}]}}\n"
    assert refusals(tenant_layout({"a": text}), "gate") == []


def test_alternatives_of_nodesets_are_flattened_in_order() -> None:
    text = """
    - nodeset: {name: many, alternatives: [few, {nodes: {name: n, label: third}}]}
    - nodeset: {name: few, alternatives: [one, {nodes: {name: n, label: second}}]}
    - nodeset: {name: one, nodes: {name: n, label: first}, groups: {name: g, nodes: n}}
    - job: {name: x, run: r, nodeset: many}
    - job: {name: y, run: r, nodeset: one}
    - project: {check: {jobs: [x, y]}}
    """
    layout = tenant_layout({"a": text})
    assert layout.errors == ()
    x, y = freeze(layout, "check", "a", "main").jobs
    assert [one.nodes[0].label for one in x.alternatives] == ["first", "second", "third"]
    assert NodeChoice(x.nodes, x.groups, x.nodeset) == x.alternatives[0]
    assert [one.name for one in x.alternatives] == ["one", "", ""]
    assert (y.alternatives, y.nodes) == ((), x.nodes)


@pytest.mark.parametrize(
    "alternatives, sentence",
    [
        ("[gone]", "There is no nodeset gone. Define it, or correct the name."),
        ("[loop]", "Nodeset loop stands twice among the alternatives. Name it once."),
        ("[{nodes: [{name: [a, b, c, d, e, f], label: l}, {name: g, label: l}, {name: h, label: l},"
         " {name: i, label: l}, {name: j, label: l}, {name: k, label: l}]}]",
         "The job asks for 6 nodes; this tenant allows 5. Use fewer."),
    ],
)  # fmt: skip
def test_an_alternative_that_cannot_be_is_an_error_of_the_job(alternatives: str, sentence: str) -> None:
    text = f"- nodeset: {{name: loop, alternatives: {alternatives}}}\n- job: {{name: x, run: r, nodeset: loop}}\n"
    layout = tenant_layout({"a": text + LISTED})
    assert [say(error.reason) for error in layout.errors] == [sentence]
    assert refusals(layout) == [sentence]


def test_a_reporter_job_is_listed_where_the_tenant_allows_it() -> None:
    text = "- job: {name: x, run: r, type: reporter}\n"
    assert refusals(tenant_layout({"a": text + LISTED})) == [
        "Job x is a reporter job, and project a may not list such. List it in a config project, or allow it by"
        " `allow-reporter-jobs` in the tenant file."
    ]
    config = "- project: {name: a, check: {jobs: [x]}}\n"
    assert refusals(tenant_layout({"a": text, "config": config})) == []


def test_what_a_job_does_is_in_its_definition_and_what_its_result_means_is_not() -> None:
    plain = heir("timeout: 1", "attempts: 1").definition
    same = ("voting: false", "attempts: 2", "provides: a", "success-message: b", "semaphores: s", "deduplicate: true")
    other = ("extra-vars: {a: 1}", "host-vars: {n: {a: 1}}", "requires: a", "include-vars: v", "workspace-scheme: flat")
    assert [heir("timeout: 1", child).definition == plain for child in same] == [True] * len(same)
    assert [heir("timeout: 1", child).definition == plain for child in other] == [False] * len(other)


# When a job runs, what its result means, what things are called, and who is told.
NO_DEFINITION = {
    *("definition", "voting", "semaphores", "resources_first", "attempts", "parents", "description", "nodeset"),
    *("hold_following", "post_review", "provides", "type", "deduplicate", "success_message", "failure_message"),
    "image_build_name",
}
OTHERS: dict[str, object] = {
    "pre_run": (BOOK,), "run": (BOOK,), "post_run": (BOOK,), "cleanup_run": (BOOK,), "roles": (Role("r"),),
    "nodes": (NodeSpec(("n",), "l"),), "groups": (NodeGroup("g", ("n",)),),
    "required_projects": (RequiredProject("p"),), "dependencies": (JobDependency("d"),),
    "include_vars": (IncludeVars("v"),),
    "alternatives": (NodeChoice((NodeSpec(("n",), "l"),)),), "include_projects": (ProjectChoice(),),
    "exclude_projects": (ProjectChoice(),), "workspace_checkout": None, "split_streams": True,
    "pre_timeout": 1, "timeout": 1, "post_timeout": 1,
    **{name: {"a": {"b": [1]}} for name in ("vars", "extra_vars", "host_vars", "group_vars")},
    **dict.fromkeys(("ansible_version", "workspace_scheme", "secret_exposure", "override_checkout", "name"), "other"),
    **dict.fromkeys(("failure_output", "requires", "tags", "preserve_home_paths"), ("other",)),
}  # fmt: skip


def test_every_attribute_of_a_job_is_in_its_definition_or_left_out_on_purpose() -> None:
    plain = FrozenJob("x", "")
    assert {one.name for one in fields(FrozenJob)} == NO_DEFINITION | OTHERS.keys()
    jobs = [replace(plain, **{name: value}) for name, value in OTHERS.items()]
    assert len({definition(job) for job in (plain, *jobs)}) == len(jobs) + 1


def test_every_attribute_of_a_playbook_is_in_the_definition_of_its_job() -> None:
    others = {"trusted": True, "semaphores": ("s",), "secrets": (SecretRef("n", "s"),), "cleanup": True, "nesting": 1}
    others |= dict.fromkeys(("project", "branch", "path"), "other")
    assert {one.name for one in fields(Playbook)} == others.keys()
    books = [replace(BOOK, **{name: value}) for name, value in others.items()]
    assert len({definition(FrozenJob("x", "", run=(book,))) for book in (BOOK, *books)}) == len(books) + 1


def test_equal_jobs_have_one_definition_whatever_they_share() -> None:
    def made(word: str) -> FrozenJob:
        return FrozenJob(
            word, "", tags=(word, word), vars={word: [word, {word: word}]}, nodes=(NodeSpec((word,), word),)
        )

    shared, apart = made("".join(["w", "ord"])), made("".join(["wo", "rd"]))
    apart = replace(apart, tags=("".join(["wor", "d"]), apart.name))
    assert definition(shared) == definition(apart)
