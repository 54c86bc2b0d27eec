# SPDX-License-Identifier: Apache-2.0
"""What freezing remembers alters nothing: a job is the same alone, among others, and on a layout after another."""

from __future__ import annotations

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatebot.pipeline.config.build import build
from gatebot.pipeline.config.drafting import hand_on
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.config.model import FrozenGraph, Location
from gatebot.pipeline.config.parse import parse_file
from tests.fakes.configuration import tenant_layout

law = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = "uvwxyz"
BRANCHES = ("main", "stable")
ATTRIBUTES = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES), "run": st.just("run")},
    optional={
        "parent": st.sampled_from([*NAMES, "base", "nowhere"]),
        "branches": st.sampled_from(BRANCHES),
        "override-checkout": st.sampled_from(BRANCHES),
        "nodeset": st.sampled_from(["n", "m"]),
        "vars": st.dictionaries(st.sampled_from("kl"), st.dictionaries(st.sampled_from("ab"), st.integers(0, 2))),
        "secrets": st.sampled_from(["s", "t"]),
        "intermediate": st.booleans(),
        "abstract": st.booleans(),
        "final": st.booleans(),
        "files": st.sampled_from(["src", "doc"]),
    },
)
JOBS = st.lists(ATTRIBUTES, min_size=1, max_size=6)
LISTED = st.permutations(NAMES).flatmap(lambda names: st.integers(1, len(names)).map(lambda count: names[:count]))
SMALL = """
- nodeset: {name: n, nodes: {name: one, label: %s}}
- secret: {name: s, data: {k: %s}}
- secret: {name: t, data: {k: v}}
"""


def stanzas(jobs: list[dict[str, object]]) -> str:
    return yaml.safe_dump([{"job": job} for job in jobs])


def layout_of(jobs: list[dict[str, object]], others: list[dict[str, object]], listed: list[str]) -> Layout:
    """Jobs of two projects, one of two branches, and what one of them lists."""
    project = f"- project: {{check: {{jobs: [{', '.join(listed)}]}}}}\n"
    small = SMALL % ("small", "v")
    return tenant_layout({"config": small, "a": stanzas(jobs) + project, "a@stable": project, "b": stanzas(others)})


def graph(layout: Layout, branch: str) -> FrozenGraph:
    return freeze(layout, "check", "a", branch, files=["src"])


@law
@given(JOBS, JOBS, LISTED)
def test_a_job_is_the_same_alone_and_among_others(
    jobs: list[dict[str, object]], others: list[dict[str, object]], listed: list[str]
) -> None:
    whole, parts = layout_of(jobs, others, listed), [layout_of(jobs, others, [name]) for name in listed]
    for branch in BRANCHES:
        together, alone = graph(whole, branch), [graph(part, branch) for part in parts]
        assert list(together.jobs) == [job for one in alone for job in one.jobs]
        assert set(together.skipped) == {skipped for one in alone for skipped in one.skipped}
        found = {(error.reason, error.stanza) for error in together.errors}
        assert found == {(error.reason, error.stanza) for one in alone for error in one.errors}


@law
@given(JOBS, JOBS, JOBS, LISTED, st.sampled_from(["small", "big"]), st.sampled_from(["v", "w"]))
def test_a_layout_that_follows_another_freezes_as_if_it_were_the_first(
    jobs: list[dict[str, object]],
    before: list[dict[str, object]],
    after: list[dict[str, object]],
    listed: list[str],
    label: str,
    value: str,
) -> None:
    last = layout_of(jobs, before, listed)
    for branch in BRANCHES:
        graph(last, branch)
    sources = last.sources.replaced(
        "b", "main", (parse_file(stanzas(after).encode(), Location("b", "main", "zuul.yaml")),)
    )
    small = parse_file((SMALL % (label, value)).encode(), Location("config", "main", "small.yaml"))
    (own,) = last.sources.files["config", "main"]
    pipelines = parse_file("\n".join(own.lines).replace(SMALL % ("small", "v"), "").encode(), own.at)
    sources = sources.replaced("config", "main", (pipelines, small))
    new, first = build(last.tenant, sources), build(last.tenant, sources)
    hand_on(last, new)
    for branch in BRANCHES:
        assert graph(new, branch) == graph(first, branch)
