# SPDX-License-Identifier: Apache-2.0
"""Which site a clone names: the one that its remotes are reached at over HTTP."""

from __future__ import annotations

import pytest

from gatebot.cli.clones import site_of


@pytest.mark.parametrize(
    ("remotes", "url"),
    [
        ({"origin": "http://alice@127.0.0.1:8080/hello"}, "http://127.0.0.1:8080"),
        ({"origin": "https://review.example.org/a/demo/api"}, "https://review.example.org"),
        (
            {"origin": "https://code.example.org/fork", "gerrit": "https://review.example.org/api"},
            "https://review.example.org",
        ),
        ({"upstream": "http://[::1]:8080/hello"}, "http://[::1]:8080"),
    ],
)
def test_a_remote_over_http_names_the_site(remotes: dict[str, str], url: str) -> None:
    site = site_of(remotes)
    assert site is not None
    assert site.url == url


@pytest.mark.parametrize(
    "remotes",
    [
        {},
        {"origin": "ssh://alice@review.example.org:29418/api"},
        {"origin": "/srv/git/api"},
        {"one": "http://a.example.org/api", "two": "http://b.example.org/api"},
        {"origin": "http://[broken/api"},
    ],
)
def test_no_site_is_guessed_from_other_remotes(remotes: dict[str, str]) -> None:
    assert site_of(remotes) is None
