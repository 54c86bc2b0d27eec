# SPDX-License-Identifier: Apache-2.0
"""Configuration that is changed as everything else is: by a change, tested before it merges."""

from __future__ import annotations

from tests.fakes.site import ZUUL, Builds, RunningSite

BROKEN = """\
- job:
    name: unit
    run: ci/unit
    attemps: 2
- project:
    queue: integrated
    check: {jobs: [unit, lint]}
    gate: {jobs: [unit]}
"""
PIPELINE = "- pipeline: {name: mine, manager: independent, trigger: {gatebot: [{event: patchset-created}]}}\n"


def checking(*jobs: str) -> str:
    """The configuration of a project with these jobs in check."""
    return ZUUL.replace("check: {jobs: [unit]}", f"check: {{jobs: [{', '.join(jobs)}]}}")


def test_broken_configuration_is_told_with_file_and_line_and_does_not_merge(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    tip = site.branch("api")
    change = ann.propose("api", "Try twice", {".zuul.yaml": BROKEN})
    assert ann.hears(change, "Configuration error") == (
        "Patch Set 1: Verified-1\n\n"
        "(2 comments)\n\n"
        "Configuration error (check pipeline).\n\n"
        "The configuration that this change would run with cannot be used (errors: 2). "
        "api .zuul.yaml:4: `attemps` is not an attribute of `job`. Did you mean `attempts`? "
        "api .zuul.yaml:7: There is no job lint. Define it, or correct the name."
    )
    remarks = ann.rest.get(f"/changes/{change}/comments")[".zuul.yaml"]
    assert [(one["line"], one["message"]) for one in remarks] == [
        (4, "`attemps` is not an attribute of `job`. Did you mean `attempts`?"),
        (7, "There is no job lint. Define it, or correct the name."),
    ]
    bob.approve(change)
    good = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(good)
    builds.finish("gate", good)
    ann.sees_merged(good)
    assert ann.status(change) == "NEW"
    assert site.file("api", ".zuul.yaml") == ZUUL
    assert site.branch("api") != tip


def test_what_is_not_yaml_is_told_with_its_line(site: RunningSite) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Hurry", {".zuul.yaml": "- job:\n    name: [unit\n"})
    assert ann.hears(change, "Configuration error").endswith(
        "api .zuul.yaml:2: This is not YAML: while parsing a flow sequence, did not find expected ',' or ']'. "
        "Look at this line and the one before."
    )


def test_a_project_may_not_bring_pipelines(site: RunningSite) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Go our own way", {".zuul.yaml": ZUUL + PIPELINE})
    assert ann.hears(change, "Configuration error").endswith(
        "api .zuul.yaml:6: Pipeline mine cannot be defined here: only config projects define pipelines. Move it there."
    )


def test_a_new_job_runs_in_the_change_that_brings_it(site: RunningSite, builds: Builds) -> None:
    ann = site.person("ann")
    text = checking("unit", "lint") + "- job: {name: lint, run: ci/lint}\n"
    change = ann.propose("api", "Lint", {".zuul.yaml": text, "ci/lint": "#!/bin/sh\n"})
    ann.hears(change, "Build succeeded.")
    assert builds.assigned == [("check", change, "unit"), ("check", change, "lint")]


def test_a_job_of_the_config_project_can_be_used_once_it_has_merged(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    job = {"zuul.d/hello.yaml": "- job: {name: hello, run: scripts/hello}\n", "scripts/hello": "#!/bin/sh\n"}
    change = ann.propose("gatebot-config", "Say hello", job)
    bob.approve(change)
    ann.sees_merged(change)
    using = ann.propose("api", "Greet", {".zuul.yaml": checking("unit", "hello")})
    ann.hears(using, "Build succeeded.")
    assert builds.assigned == [("check", using, "unit"), ("check", using, "hello")]


def test_a_project_without_configuration_merges_what_people_approve(site: RunningSite, builds: Builds) -> None:
    ann, bob, admin = site.person("ann"), site.person("bob"), site.person("admin")
    admin.rest.call("PUT", "/projects/fresh", {"create_empty_commit": True})
    change = ann.propose("fresh", "Begin", {"a.txt": "a\n"})
    ann.hears(change, "Build succeeded.")
    bob.approve(change)
    ann.sees_merged(change)
    assert site.file("fresh", "a.txt") == "a\n"
    assert builds.assigned == []


def test_what_depends_on_unusable_configuration_is_not_tested_with_it(site: RunningSite, builds: Builds) -> None:
    """The same job in two projects: `unit` is the one of api, and it must not run on the content of fresh."""
    ann, bob, admin = site.person("ann"), site.person("bob"), site.person("admin")
    admin.rest.call("PUT", "/projects/fresh", {"create_empty_commit": True})
    work = ann.clone("fresh")
    work.commit("Test", **{".zuul.yaml": ZUUL, "ci/unit": "#!/bin/sh\n"})
    broken = ann.push(work)
    work.commit("Add a", **{"a.txt": "a\n"})
    child = ann.push(work)
    work.commit("Add b", **{"b.txt": "b\n"})
    grandchild = ann.push(work)
    footer = f"Depends-On: {site.url}/c/fresh/+/{broken}"
    friend = ann.propose("api", "Follow", {"c.txt": "c\n"}, body=footer)
    own = "fresh .zuul.yaml:1: A job named unit is defined in project api already. Choose another name."
    unusable = f"The configuration that this change would run with cannot be used (errors: 1). {own}"
    needs_it = f"It needs change {broken}, whose configuration cannot be used. Correct that one first. {unusable}"
    told = "Patch Set 1: Verified-1\n\nConfiguration error (check pipeline).\n\n"
    assert ann.hears(broken, "Configuration error").replace("(1 comment)\n\n", "") == told + unusable
    assert ann.hears(child, "Configuration error") == told + needs_it
    assert ann.hears(friend, "Configuration error") == told + needs_it
    assert ann.hears(grandchild, "Configuration error") == told + needs_it
    assert builds.assigned == []
    bob.approve(broken, child, grandchild, friend)
    good = ann.propose("api", "Go on", {"d.txt": "d\n"})
    bob.approve(good)
    builds.finish("gate", good)
    ann.sees_merged(good)
    assert [ann.status(change) for change in (broken, child, grandchild, friend)] == ["NEW"] * 4
    assert builds.assigned == [("check", good, "unit"), ("gate", good, "unit")]
