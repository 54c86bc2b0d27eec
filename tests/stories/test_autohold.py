# SPDX-License-Identifier: Apache-2.0
"""A job that fails only here: its node is asked for, kept, looked at, and let go."""

from __future__ import annotations

import pytest

from tests.fakes.site import RunningSite
from tests.stories.test_cli import run, told


@pytest.mark.slow
@pytest.mark.zuul(115)
def test_the_node_of_a_failed_build_is_kept_for_whoever_asked(working_site: RunningSite) -> None:
    site, ann = working_site, working_site.person("ann")
    asked = ("autohold", "add", "--project", "api", "--job", "unit", "--reason", "It fails on Mondays.")
    assert told(site, "bob", *asked) == "The next 1 failed builds of unit in api keep their nodes for 24 hours each.\n"
    refused = run(site, "ann", *asked)
    assert "This needs the permission autohold on refs/* of api." in refused.stderr
    assert told(site, "ann", "autohold", "list") == "1\tapi\tunit\t.*\t0 of 1\tIt fails on Mondays.\n"
    change = ann.propose("api", "Break", {"ci/unit": "#!/bin/sh\necho evidence > kept\nexit 1\n"})
    ann.hears(change, "Build failed.")
    (build,) = ann.rest.get("/api/builds", change=change)
    assert told(site, "ann", "autohold", "show", "1") == (
        f"1  unit of api, .*\n  It fails on Mondays.\n  used 1 of 1\n  holds default of build {build['uuid']}\n"
    ).replace("default", build["nodeset"])
    assert site.app.executor is not None
    held = site.app.executor.held
    log = "".join(ann.rest.text_lines(f"/logs/{build['uuid']}/job-output.txt"))
    assert f"the node is kept by the request 1; its files are in {held.layer(build['uuid'])}" in log
    assert [path.read_text() for path in held.layer(build["uuid"]).rglob("kept")] == ["evidence\n"]
    assert told(site, "bob", "autohold", "delete", "1") == "Request 1 is gone.\n"
    site.do(held.sweep())
    assert not held.layer(build["uuid"]).exists()
    assert told(site, "ann", "autohold", "list") == "No nodes are asked for.\n"
    gone = run(site, "bob", "autohold", "delete", "1")
    assert gone.stderr == "gatebot: There is no request 1 for held nodes. /autoholds lists all.\n"
