# SPDX-License-Identifier: Apache-2.0
"""What of a build leaves the site, and what of its repositories a workspace has: decided without any of them."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.assignment import (
    Assignment,
    Checkout,
    FrozenJob,
    IncludeVars,
    JobDependency,
    NodeSpec,
    Playbook,
    ProvidedArtifact,
    Role,
    SecretRef,
)
from gatebot.cli.given import lacks
from gatebot.executor.model import Places
from gatebot.executor.workspace_order import order
from gatebot.pipeline.reproducing.bare import bare, commits_of, kept, lacking, store_of, whole
from gatebot.pipeline.reproducing.model import Handed

PHASES = ("pre_run", "run", "post_run", "cleanup_run")
books = st.builds(
    lambda path, names: Playbook(
        "api", "main", path, secrets=tuple(SecretRef(name, name, "api", f"sealed-{name}") for name in names)
    ),
    st.sampled_from(["run", "ci/run", "playbooks/a/run.yaml"]),
    st.lists(st.sampled_from(["deploy", "signing"]), unique=True),
)
jobs = st.fixed_dictionaries({phase: st.lists(books, max_size=2).map(tuple) for phase in PHASES}).map(
    lambda phases: FrozenJob("unit", "hash", **phases)
)


def build(job: FrozenJob) -> Assignment:
    there = Checkout("api", "main", "a" * 40, "speculation/check")
    shared = Checkout("lib", "main", "b" * 40, "lib", required=False)
    return Assignment(
        "0" * 32, "s", "i", 1, "main", "check", False, "api", "main", "a" * 40, job, (there, shared),
        secrets={"deploy": "Sesame"}, secret_data={"told": "Sesame"},
    )  # fmt: skip


@given(jobs)
def test_no_secret_is_kept_or_handed_on_sealed_or_open(job: FrozenJob) -> None:
    handed = whole(kept(build(job)), job, ())
    for told in (kept(build(job)), handed):
        text = msgspec.json.encode(told)
        assert b"Sesame" not in text
        assert b"sealed" not in text
    assert handed.job == bare(job)
    named = {ref.secret for phase in PHASES for book in getattr(job, phase) for ref in book.secrets}
    assert set(lacking(job)) == named


def test_a_build_is_made_of_the_commits_of_its_checkouts_and_of_its_item() -> None:
    tagged = replace(build(FrozenJob("unit", "hash")), new_commit="c" * 40, old_commit="0" * 40)
    assert commits_of(tagged, "api") == {"a" * 40, "c" * 40}
    assert commits_of(tagged, "lib") == {"b" * 40}
    assert (store_of(tagged, "api"), store_of(tagged, "lib")) == ("speculation/check", "lib")


def test_what_only_the_site_has_is_told() -> None:
    job = FrozenJob("unit", "hash", dependencies=(JobDependency("build"),), requires=("image",))
    alone = Handed(build(job), "localhost", ("deploy",))
    kinds = [one.kind for one in lacks(alone)]
    assert kinds == ["executor.secrets-stay", "executor.parents-elsewhere", "executor.artifacts-elsewhere"]
    had = replace(alone.assignment, inherited={"a": 1}, provided=(ProvidedArtifact("image", "x", "api", "build"),))
    assert list(lacks(Handed(had, "localhost"))) == []


@pytest.mark.parametrize(
    ("job", "only"),
    [
        (FrozenJob("unit", "hash"), None),
        (FrozenJob("unit", "hash", workspace_checkout=False), ()),
        (FrozenJob("unit", "hash", workspace_checkout=None), None),
        (FrozenJob("unit", "hash", workspace_checkout=None, nodes=(NodeSpec(("n",), "small"),)), ()),
        (
            FrozenJob("unit", "hash", workspace_checkout=False, include_vars=(IncludeVars("vars/a/b.yaml"),)),
            ("vars/a",),
        ),
    ],
)
def test_a_repository_without_playbooks_has_all_files_or_those_at_the_top(
    job: FrozenJob, only: tuple[str, ...] | None
) -> None:
    tree, *_ = order(build(job), Places("/home/job", "/play", "localhost"), "/layer", str).trees
    assert tree.only == only


def test_a_repository_of_playbooks_has_their_directories_and_those_of_roles() -> None:
    job = FrozenJob("unit", "hash", workspace_checkout=False, roles=(Role("lib"),))
    found = order(
        build(replace(job, run=(Playbook("api", "main", "playbooks/a/run.yaml"),))),
        Places("/home/job", "/play", "localhost"), "/layer", str,
    )  # fmt: skip
    api, lib = (tree.only or () for tree in found.trees)
    assert set(api) - set(lib) == {"playbooks/a"}
    assert {"roles", "tasks", "library"} <= set(lib)
