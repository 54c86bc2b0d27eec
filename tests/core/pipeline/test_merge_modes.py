# SPDX-License-Identifier: Apache-2.0
"""Zuul's merge modes against Gerrit's submit types."""

from __future__ import annotations

import pytest

from gatebot.pipeline.merge_modes import contradiction
from gatebot.words import say


@pytest.mark.zuul(93)
@pytest.mark.parametrize(
    ("mode", "submit_type"),
    [
        (None, "CHERRY_PICK"),
        ("merge", "MERGE_ALWAYS"),
        ("merge-resolve", "MERGE_IF_NECESSARY"),
        ("merge-ort", "FAST_FORWARD_ONLY"),
        ("cherry-pick", "CHERRY_PICK"),
        ("rebase", "REBASE_ALWAYS"),
        ("rebase-first-parent", "REBASE_IF_NECESSARY"),
    ],
)
def test_a_merge_mode_that_says_what_the_project_does_is_fine(mode: str | None, submit_type: str) -> None:
    assert contradiction("api", mode, submit_type) is None


@pytest.mark.zuul(93)
def test_a_merge_mode_that_says_something_else_is_refused_with_those_that_fit() -> None:
    found = contradiction("api", "cherry-pick", "REBASE_ALWAYS")
    assert found is not None
    assert say(found) == (
        "The configuration of api says `merge-mode: cherry-pick`, and its changes are submitted by REBASE_ALWAYS: what "
        "is tested would not be what merges. Write one of rebase, rebase-first-parent, or leave `merge-mode` out."
    )
    assert contradiction("api", "squash-merge", "MERGE_ALWAYS") is not None
