# SPDX-License-Identifier: Apache-2.0
"""What an item runs: inheritance, variants, matchers, templates, rules that forbid, and failing closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatebot.assignment import FrozenJob, JobDependency
from gatebot.pipeline.config.build import build
from gatebot.pipeline.config.freeze import freeze, participates
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.config.model import FrozenGraph, QueueKey
from gatebot.words import say
from tests.fakes.configuration import tenant_layout


def frozen(
    layout: Layout, branch: str = "main", files: list[str] | None = None, pipeline: str = "check"
) -> FrozenGraph:
    return freeze(layout, pipeline, "a", branch, files=files)


def only(graph: FrozenGraph) -> FrozenJob:
    assert graph.errors == ()
    (job,) = graph.jobs
    return job


def errors(graph: FrozenGraph) -> list[str]:
    return [say(error.reason) for error in graph.errors]


def listed(*jobs: str, more: str = "") -> str:
    return f"- project: {{check: {{jobs: [{', '.join(jobs)}]}}{more}}}\n"


def test_run_replaces_pre_run_grows_behind_and_post_run_in_front() -> None:
    layout = tenant_layout(
        {
            "config": """
            - job: {name: parent, pre-run: p-pre, run: p-run, post-run: [p-post1, p-post2], timeout: 60, attempts: 2}
            """,
            "a": "- job: {name: x, parent: parent, pre-run: x-pre, run: x-run.yaml, post-run: x-post}\n" + listed("x"),
        }
    )
    job = only(frozen(layout))
    assert [(book.project, book.path, book.trusted) for book in job.pre_run] == [
        ("config", "p-pre", True),
        ("a", "x-pre", False),
    ]
    assert [book.path for book in job.run] == ["x-run.yaml"]
    assert [book.path for book in job.post_run] == ["x-post", "p-post1", "p-post2"]
    inside = [book.nesting > job.pre_run[0].nesting for book in job.post_run]
    assert inside == [True, False, False], "post-runs of a job that never began are skipped by this"
    assert (job.timeout, job.attempts, job.parents) == (60, 2, ("base", "parent"))
    assert [(role.project, role.trusted) for role in job.roles] == [("a", False), ("config", True)]


def test_variables_merge_deeply_and_the_projects_stand_between_job_and_listing() -> None:
    layout = tenant_layout(
        {
            "config": "- job: {name: parent, run: r, vars: {deep: {a: 1, b: 1}, list: [1], who: parent}}\n",
            "a": """
            - job: {name: x, parent: parent, vars: {deep: {b: 2}, list: [2]}}
            - project:
                vars: {who: project, other: project}
                check: {jobs: [{x: {vars: {deep: {c: 3}}}}]}
            """,
        }
    )
    assert only(frozen(layout)).vars == {
        "deep": {"a": 1, "b": 2, "c": 3},
        "list": [2],
        "who": "parent",
        "other": "project",
    }


def test_override_and_inherit_turn_the_rule_of_an_attribute_round() -> None:
    layout = tenant_layout(
        {
            "b": "",
            "a": """
            - job:
                {name: p, run: r, vars: {x: 1}, files: [a/], required-projects: [b], tags: [one], dependencies: [base]}
            - job:
                {name: x, parent: p, vars: !override {y: 1}, files: !inherit [b/], required-projects: !override [a]}
            - project: {check: {jobs: [x, base]}}
            """,
        }
    )
    job = next(job for job in frozen(layout, files=["a/1"]).jobs if job.name == "x")
    assert job.vars == {"y": 1}
    assert [required.project for required in job.required_projects] == ["a"]
    assert job.dependencies == (JobDependency("base"),)
    assert [job.name for job in frozen(layout, files=["c/1"]).jobs] == ["base"]


def test_all_variants_that_fit_the_branch_are_applied_in_order() -> None:
    text = """
    - job: {name: x, run: r, timeout: 1, voting: true}
    - job: {name: x, branches: ^stable/, timeout: 2}
    - job: {name: x, branches: ^stable/old, voting: false}
    - project: {name: a, check: {jobs: [x]}}
    """
    layout = tenant_layout({"config": text, "a@main": "", "a@stable/old": "", "a@stable/new": ""})
    got = {branch: only(frozen(layout, branch)) for branch in ("main", "stable/new", "stable/old")}
    assert {branch: (job.timeout, job.voting) for branch, job in got.items()} == {
        "main": (1, True),
        "stable/new": (2, True),
        "stable/old": (2, False),
    }


def test_a_job_of_a_repository_with_several_branches_is_for_its_own_branch() -> None:
    text = "- job: {name: x, run: r, timeout: %d}\n" + listed("x")
    layout = tenant_layout({"a@main": text % 1, "a@stable": text % 2})
    assert [only(frozen(layout, branch)).timeout for branch in ("main", "stable")] == [1, 2]
    one = tenant_layout({"a@main": "- job: {name: x, run: r}\n", "b@main": listed("x"), "b@stable": listed("x")})
    assert [job.name for job in freeze(one, "check", "b", "stable").jobs] == ["x"]


def test_a_pragma_says_for_which_branches_a_file_is() -> None:
    text = "- pragma: {implied-branches: [^stable/]}\n- job: {name: x, run: r}\n"
    layout = tenant_layout({"jobs@main": text, "jobs@other": "", "a": listed("x"), "a@stable/1": listed("x")})
    assert [job.name for job in frozen(layout, "stable/1").jobs] == ["x"]
    (skipped,) = frozen(layout, "main").skipped
    assert say(skipped.reason) == "No definition of it is for branch main."


def test_a_checkout_that_is_overridden_chooses_the_definitions_of_that_branch() -> None:
    layout = tenant_layout(
        {
            "lib@main": "- job: {name: x, run: new}\n",
            "lib@stable": "- job: {name: x, run: old}\n",
            "a": "- project: {check: {jobs: [{x: {override-checkout: stable}}]}}\n",
        }
    )
    assert [book.path for book in only(frozen(layout)).run] == ["old"]


@pytest.mark.parametrize(
    "matchers, files, runs",
    [
        ("files: [^src/]", ["src/a.py"], True),
        ("files: [^src/]", ["doc/a"], False),
        ("files: [^src/]", ["doc/a", "src/a"], True),
        ("files: [^src/]", ["/COMMIT_MSG"], True),
        ("files: [^src/]", None, True),
        ("irrelevant-files: [^doc/]", ["doc/a"], False),
        ("irrelevant-files: [^doc/]", ["doc/a", "src/a"], True),
        ("irrelevant-files: [^doc/]", None, True),
        ("files: [{regex: ^doc/, negate: true}]", ["doc/a"], False),
        ("files: [{regex: ^doc/, negate: true}]", ["src/a"], True),
        ("files: [^src/]", ["tests.yaml"], True),
        ("files: [^src/], match-on-config-updates: false", ["tests.yaml"], False),
    ],
)
def test_file_matchers(matchers: str, files: list[str] | None, runs: bool) -> None:
    layout = tenant_layout({"a": f"- job: {{name: x, run: tests.yaml, {matchers}}}\n" + listed("x")})
    graph = frozen(layout, files=files)
    assert [job.name for job in graph.jobs] == (["x"] if runs else [])
    assert len(graph.skipped) == (0 if runs else 1)


def test_a_job_whose_definition_changes_runs_whatever_its_files_say() -> None:
    text = "- job: {name: x, run: r, files: [^src/], timeout: %d}\n" + listed("x")
    before, after = tenant_layout({"a": text % 1}), tenant_layout({"a": text % 2})
    assert freeze(after, "check", "a", "main", files=["zuul.yaml"], previous=before).jobs[0].timeout == 2
    assert freeze(before, "check", "a", "main", files=["zuul.yaml"], previous=before).jobs == ()


def test_templates_come_first_stanzas_follow_and_expressions_cover_whole_names() -> None:
    layout = tenant_layout(
        {
            "config": """
            - project-template: {name: t, check: {jobs: [one]}, queue: shared}
            - project: {name: ^a, check: {jobs: [three]}}
            - project: {name: a, templates: [t], check: {jobs: [two]}}
            - job: {name: one, run: r}
            - job: {name: two, run: r}
            - job: {name: three, run: r}
            """,
            "a": "",
            "ab": "",
        }
    )
    assert [job.name for job in frozen(layout).jobs] == ["one", "two", "three"]
    assert not participates(layout, "check", "ab", "main")
    assert layout.queue("a", "main")[0] == QueueKey("shared")
    assert layout.queue("ab", "main")[0] == QueueKey("ab")


def test_queues_may_be_per_branch() -> None:
    layout = tenant_layout(
        {"config": "- queue: {name: q, type: per-branch}\n- project: {name: a, queue: q}\n", "a": ""}
    )
    assert layout.queue("a", "stable")[0] == QueueKey("q", "stable")


def test_a_hard_dependency_runs_too_and_a_soft_one_does_not() -> None:
    layout = tenant_layout(
        {
            "a": """
            - job: {name: hard, run: r, files: never}
            - job: {name: soft, run: r, files: never}
            - job: {name: x, run: r, dependencies: [hard, {name: soft, soft: true}]}
            - project: {check: {jobs: [hard, soft, x]}}
            """
        }
    )
    assert [job.name for job in frozen(layout, files=["a"]).jobs] == ["hard", "x"]


@pytest.mark.parametrize(
    "jobs, sentence",
    [
        (
            "- job: {name: y, run: r}\n- job: {name: x, run: r, dependencies: [y]}\n",
            "Job x depends on y, which is not run here. List y too, or make the dependency soft.",
        ),
        (
            "- job: {name: x, run: r, dependencies: [x]}\n",
            "Job x depends on itself through other jobs. Remove one of these dependencies.",
        ),
        (
            "- job: {name: x, run: r, parent: y}\n- job: {name: y, parent: x}\n",
            "Job y inherits from itself through x. Choose another parent.",
        ),
        ("- job: {name: x, run: r, allowed-projects: [b]}\n", "Job x does not allow project a. Add the project to its"
         " `allowed-projects`, or use another job."),
        ("- job: {name: x, run: r, post-review: true}\n", "Job x runs only after review, and pipeline check is before"
         " it. List the job in a pipeline with `post-review: true`."),
        ("- job: {name: x, run: r, final: true}\n- job: {name: x, timeout: 3}\n", "Job x is final: `timeout` cannot be"
         " changed. Remove it here, or inherit from another job."),
        ("- job: {name: x, run: r, attribute-control: {run: {final: true}}}\n- job: {name: x, run: s}\n",
         "Job x has closed `run` by `attribute-control`. Do not set it again."),
        ("- job: {name: p, run: r, abstract: true, intermediate: true}\n- job: {name: x, parent: p}\n",
         "Job p is intermediate: only an abstract job may inherit from it. Add `abstract: true`, or choose another"
         " parent."),
    ],
)  # fmt: skip
def test_what_may_not_run_stops_the_item(jobs: str, sentence: str) -> None:
    layout = tenant_layout({"b": "", "a": jobs + listed("x")})
    assert sentence in errors(frozen(layout))


def test_jobs_that_inherit_in_a_circle_are_an_error_of_the_configuration_itself_whoever_lists_them() -> None:
    layout = tenant_layout(
        {"a": "- job: {name: x, parent: y}\n- job: {name: y, parent: z}\n- job: {name: z, parent: x}\n"}
    )
    assert [say(error.reason) for error in layout.errors] == [
        "Job x inherits from itself through y. Choose another parent.",
        "Job y inherits from itself through z. Choose another parent.",
        "Job z inherits from itself through x. Choose another parent.",
    ]
    above = "- job: {name: x, parent: y}\n- job: {name: y, parent: base}\n- job: {name: y, parent: x, branches: old}\n"
    assert not tenant_layout({"a": above}).errors, "what concerns some branches only is found where it is frozen"


def test_a_protected_job_is_not_inherited_elsewhere() -> None:
    text = "- job: {name: x, parent: p}\n" + listed("x")
    layout = tenant_layout({"b": "- job: {name: p, run: r, protected: true}\n", "a": text})
    assert errors(frozen(layout)) == [
        "Job x cannot inherit from p, which project b protects. Choose another parent.",
        "Job p is protected: only project b may change or inherit from it. Choose another parent.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "- job: {name: x, run: r, timeuot: 1}\n",
        "- job: {name: x, run: r}\n- job: {name: x, timeuot: 1}\n",
        "- job: {name: x, run: r, required-projects: [gone]}\n",
        "- job: {name: x, run: r, parent: gone}\n",
        "- job: {name: x, run: r, nodeset: gone}\n",
        "",
    ],
)
def test_an_item_never_passes_without_a_job_that_could_not_be_loaded(text: str) -> None:
    files = {"a": "- job: {name: y, run: r}\n" + listed("x", "y"), "b": text}
    assert frozen(tenant_layout(files)).errors != ()
    assert freeze(tenant_layout({**files, "c": listed("y")}), "check", "c", "main").errors == ()
    as_zuul = frozen(tenant_layout(files, fail_closed=False))
    assert "y" in [job.name for job in as_zuul.jobs]
    assert as_zuul.errors == ()


def test_without_the_default_parent_no_job_is_lost_in_silence() -> None:
    layout = tenant_layout({"a": "- job: {name: x, run: r}\n" + listed("x")}, default_parent="ground")
    assert errors(frozen(layout)) == ["Job x inherits from ground, which there is not. Define it, or correct the name."]


def test_roles_are_known_with_the_definition_that_names_them_first() -> None:
    text = "- job: {name: x, run: r, roles: [{zuul: b}]}\n- job: {name: y, parent: x, roles: [{zuul: b}, {zuul: c}]}\n"
    layout = tenant_layout({"a": text + listed("y"), "b": "", "c": ""})
    nesting = {role.project: role.nesting for role in only(frozen(layout)).roles}
    books = {book.path: book.nesting for book in only(frozen(layout)).run}
    assert nesting["b"] == nesting["a"] == books["r"]
    assert nesting["c"] == nesting["b"] + 1
    assert nesting["config"] == 0


def test_roles_of_a_project_that_is_gone_are_told_and_take_no_job_away() -> None:
    layout = tenant_layout({"a": "- job: {name: x, run: r, roles: [{zuul: gone}]}\n" + listed("x")})
    assert [error.reason.kind for error in layout.errors] == ["config.unknown-role-project"]
    assert only(frozen(layout)).name == "x"


@pytest.mark.parametrize(
    "files",
    [
        {"a": "- project: {check: {jobs: [base]}, typo: 1}\n"},
        {"a": "- project: {check: {jobs: [base]}}\n", "config": "- project: {name: a, typo: 1}\n"},
        {"a": "- project: {check: {jobs: [base]}}\n", "config": "- project: {name: ^.*, typo: 1}\n"},
        {
            "a": "- project: {templates: [t], check: {jobs: [base]}}\n",
            "config": "- project-template: {name: t, typo: 1}\n",
        },
        {"a": "- project: {check: {jobs: [base]}\n"},
        {"a": "- project: {check: {jobs: [{base: {typo: 1}}]}}\n"},
    ],
)
def test_a_broken_list_of_jobs_stops_the_items_of_its_project(files: dict[str, str]) -> None:
    assert frozen(tenant_layout(files)).errors != ()
    assert participates(tenant_layout(files), "check", "a", "main")


def test_a_secret_keeps_a_job_of_an_untrusted_project_after_review_and_at_home() -> None:
    text = "- job: {name: x, run: r, secrets: [s]}\n- secret: {name: s, data: {k: v}}\n"
    layout = tenant_layout({"b": text, "a": listed("x")})
    assert any("Job x uses a secret of b and so runs for that project alone" in said for said in errors(frozen(layout)))


def test_noop_passes_at_once_and_takes_only_what_says_when_it_runs() -> None:
    layout = tenant_layout(
        {"a": "- project: {check: {jobs: [{noop: {voting: false}}]}, gate: {jobs: [{noop: {timeout: 1}}]}}\n"}
    )
    assert (only(frozen(layout)).name, only(frozen(layout)).run, only(frozen(layout)).voting) == ("noop", (), False)
    assert errors(frozen(layout, pipeline="gate")) == [
        "Job noop is final: `timeout` cannot be changed. Remove it here, or inherit from another job."
    ]


def test_the_definition_is_the_same_for_what_runs_the_same() -> None:
    text = "- job: {name: x, run: r, voting: %s, timeout: %d}\n" + listed("x")
    made = [
        only(frozen(tenant_layout({"a": text % values}))).definition
        for values in (("true", 1), ("false", 1), ("true", 2))
    ]
    assert made[0] == made[1] != made[2]


def test_first_wins_for_fail_fast_and_a_foreign_project_is_not_configured() -> None:
    layout = tenant_layout(
        {"config": "- project: {name: a, check: {fail-fast: true, jobs: [base]}}\n",
         "a": "- project: {check: {fail-fast: false}}\n",
         "b": "- project: {name: a, check: {jobs: [noop]}}\n"}
    )  # fmt: skip
    assert frozen(layout).fail_fast
    assert [job.name for job in frozen(layout).jobs] == ["base"]
    assert "This repository may not configure project a. Move the stanza there, or to a config project." in [
        say(error.reason) for error in layout.errors
    ]


def test_shadowing_lets_the_other_projects_job_win_without_an_error() -> None:
    layout = tenant_layout({"first": "- job: {name: x, run: one}\n", "a": "- job: {name: x, run: two}\n" + listed("x")})
    projects = tuple(replace(p, shadows=("first",)) if p.name == "a" else p for p in layout.tenant.projects)
    shadowed = build(replace(layout.tenant, projects=projects), layout.sources)
    assert len(layout.errors) == 1
    assert shadowed.errors == ()
    assert [book.path for book in only(frozen(shadowed)).run] == ["one"]


def test_a_tag_has_the_definitions_of_the_branches_that_it_is_part_of() -> None:
    layout = tenant_layout(
        {
            "a@main": "- job: {name: x, run: main}\n- job: {name: new, run: r}\n" + listed("x", "new"),
            "a@stable": "- job: {name: x, run: stable}\n" + listed("x", "{old: {branches: ^refs/tags/v}}"),
            "config": """
            - job: {name: old, run: r}
            - job: {name: named, run: r}
            - job: {name: elsewhere, run: r, branches: [^stable$]}
            - project: {name: a, check: {jobs: [{named: {branches: ^refs/tags/v}}, elsewhere]}}
            """,
        }
    )

    def runs(tag: str, *containing: str) -> dict[str, tuple[str, ...]]:
        graph = freeze(layout, "check", "a", f"refs/tags/{tag}", containing=containing)
        assert graph.errors == ()
        return {job.name: tuple(book.path for book in job.run) for job in graph.jobs}

    assert runs("v1", "main") == {"named": ("r",), "x": ("main",), "new": ("r",)}
    assert runs("v1", "stable") == {"named": ("r",), "elsewhere": ("r",), "x": ("stable",), "old": ("r",)}
    assert runs("w1", "main", "stable") == {"elsewhere": ("r",), "x": ("stable",), "new": ("r",)}
    assert runs("v1") == {"named": ("r",)}
    assert not participates(layout, "gate", "a", "refs/tags/v1", ("main",))
