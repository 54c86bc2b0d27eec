# SPDX-License-Identifier: Apache-2.0
"""What runs without a change in review: after a branch has moved, and every night."""

from __future__ import annotations

from typing import Any

from tests.fakes.site import ZUUL, Builds, RunningSite, eventually

MORE = """\
    post: {jobs: [unit]}
    periodic: {jobs: [unit]}
"""


def _built(site: RunningSite, pipeline: str) -> list[Any]:
    return list(site.person("ann").rest.get("/api/builds", pipeline=pipeline, project="api"))


def _merge_the_jobs(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Run the tests after merges and at night", {".zuul.yaml": ZUUL + MORE})
    bob.approve(change)
    builds.finish("gate", change)
    ann.sees_merged(change)


def test_post_runs_on_what_was_merged(site: RunningSite, builds: Builds) -> None:
    builds.rule = lambda build: None if build.pipeline == "gate" else "SUCCESS"
    _merge_the_jobs(site, builds)
    (build,) = eventually(lambda: [one for one in _built(site, "post") if one["result"]], "a build of post")
    assert (build["job_name"], build["result"], build["branch"], build["change"]) == ("unit", "SUCCESS", "main", None)
    (given,) = [one for one in builds.given if one.pipeline == "post"]
    assert (given.commit, given.changes) == (site.branch("api"), ())


def test_periodic_runs_on_the_tip_when_its_time_comes(site: RunningSite, builds: Builds) -> None:
    builds.rule = lambda build: None if build.pipeline == "gate" else "SUCCESS"
    _merge_the_jobs(site, builds)
    timer = site.app.gate.timer
    assert timer.scheduled == (("main", "periodic", 0),)
    layout = site.app.gate.layouts.current("main")
    assert layout is not None
    site.do(timer.fire(("main", "periodic", 0), layout.pipelines["periodic"].timers[0]))
    (build,) = eventually(lambda: [one for one in _built(site, "periodic") if one["result"]], "a build of periodic")
    assert (build["job_name"], build["result"], build["branch"]) == ("unit", "SUCCESS", "main")
    (given,) = [one for one in builds.given if one.pipeline == "periodic" and one.project == "api"]
    assert given.commit == site.branch("api")
