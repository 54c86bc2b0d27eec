# SPDX-License-Identifier: Apache-2.0
"""Which site and project a work tree is of, by the address that it was cloned from."""

from __future__ import annotations

import pytest

from gatebot.repo.worktrees import cloned_from


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://review.example.org/a/demo/api", ("review.example.org", "demo/api")),
        ("https://ann@review.example.org:8443/demo/api.git", ("review.example.org", "demo/api")),
        ("ssh://ann@review.example.org:29418/api", ("review.example.org", "api")),
        ("git@example.org:team/api.git", ("example.org", "team/api")),
        ("/srv/git/api.git", ("", "")),
        ("file:///srv/git/api.git", ("", "")),
        ("../api", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_address_of_a_clone_names_its_host_and_its_project(address: str, found: tuple[str, str]) -> None:
    assert cloned_from(address) == found
