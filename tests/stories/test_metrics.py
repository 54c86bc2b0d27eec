# SPDX-License-Identifier: Apache-2.0
"""What an operator's Prometheus reads of a running site."""

from __future__ import annotations

import urllib.request

from tests.fakes.site import Builds, RunningSite, eventually


def _metrics(site: RunningSite) -> dict[str, float]:
    with urllib.request.urlopen(f"{site.url}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_metrics_tell_what_waits_in_each_pipeline(site: RunningSite, builds: Builds) -> None:
    builds.rule = lambda build: None
    change = site.person("ann").propose("api", "Add a", {"a.txt": "a\n"})
    builds.runs("check", change)
    told = _metrics(site)
    assert told['gatebot_queue_items{pipeline="check",tenant="main"}'] == 1
    assert told['gatebot_builds_unfinished{pipeline="check",tenant="main"}'] == 1
    assert told["gatebot_journal_last_id"] > 0
    builds.finish("check", change)
    empty = 'gatebot_queue_items{pipeline="check",tenant="main"}'
    assert eventually(lambda: _metrics(site).get(empty, 0) == 0 or None, "the queue is empty")
