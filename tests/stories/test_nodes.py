# SPDX-License-Identifier: Apache-2.0
"""The nodes of a site, as people see them: what is in use, what is held, what labels and providers there are."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from gatebot import __version__
from gatebot.architectures import canonical
from tests.fakes.doors import Visitor
from tests.fakes.site import RunningSite, Template, begin, eventually
from tests.stories.test_cli import told

HERE = canonical(platform.machine())


@pytest.mark.slow
def test_a_node_is_on_the_list_while_its_build_runs(working_site: RunningSite, tmp_path: Path) -> None:
    site, ann = working_site, working_site.person("ann")
    change = ann.propose("api", "Wait", {"ci/unit": "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\n"})
    eventually(lambda: ann.rest.get("/api/nodes")["nodes"] != [], "the node is in use")
    (node,) = ann.rest.get("/api/nodes")["nodes"]
    listed = told(site, "ann", "node", "list")
    assert listed == f"{node['build']}\tin use\tsmall\t{HERE} native\tlocal\tthis server\tunit of api\n"
    page = Visitor(site).get("/nodes").text
    assert f'<a href="/build/{node["build"]}">unit</a>' in page
    assert site.app.executor is not None
    (place,) = site.app.executor.supply.nodes[node["build"]]
    (site.app.executor.held.layer(place.node) / "home/job/src/127.0.0.1/api/go").touch()
    ann.hears(change, "succeeded")
    assert told(site, "ann", "node", "list") == "No build has a node now.\n"


@pytest.mark.slow
def test_what_nobody_can_ever_serve_is_told_while_all_others_wait(template: Template, tmp_path: Path) -> None:
    with begin(template, tmp_path, changes={"executor.slots": 1}) as site:
        ann = site.person("ann")
        own = (site.file("api", ".zuul.yaml") or "").replace("check: {jobs: [unit]}", "check: {jobs: [unit, typo]}")
        more = "- job: {name: typo, run: ci/unit, nodeset: {nodes: [{name: node, label: smal}]}}\n"
        runs = {"ci/unit": "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\n"}
        ann.propose("api", "Take the only slot", runs)
        eventually(lambda: ann.rest.get("/api/nodes")["nodes"] != [], "the slot is taken")
        second = ann.propose("api", "Ask for what is not there", {".zuul.yaml": own + more})
        failed = "/api/tenant/main/builds?job_name=typo&result=NODE_FAILURE"
        eventually(lambda: ann.rest.get(failed) != [], "it is told")
        assert "smal" in ann.rest.get(failed)[0]["error_detail"]
        why = told(site, "ann", "why", str(second))
        assert "\n    unit: waiting. It waits for a free executor. Builds that run now: 1.\n" in why
        assert "\n    typo: NODE_FAILURE. No node has the label smal. This site has: " in why
        assert [one["build"] for one in ann.rest.get("/api/nodes")["nodes"]], "the slot is still taken"


def test_labels_say_who_serves_them_and_providers_what_they_can_do(working_site: RunningSite) -> None:
    labels = told(working_site, "ann", "node", "labels")
    assert "small\tthis server\tlocal\t2 CPUs, 2 GiB memory, 2 GiB disk\tmirrors\t\n" in labels
    (provider,) = told(working_site, "ann", "node", "providers").splitlines()
    assert provider.startswith(f"this server\tlocal\t0 in use\t{HERE} native")
    page = Visitor(working_site).get("/executors").text
    assert f'this server <span class="soft">gatebot {__version__}</span>' in page
    assert re.search(rf'<p class="small soft">local: {HERE} native', page)
