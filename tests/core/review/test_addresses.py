# SPDX-License-Identifier: Apache-2.0
"""Where addresses of Gerrit's pages lead that name no change."""

from __future__ import annotations

import pytest

from gatebot.review.addresses.model import administered, documented, line_of, names_one, query_and_start, signing_in


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ("", "/projects"),
        ("repos", "/projects"),
        ("repos/q/filter:nova,25", "/projects"),
        ("repos/openstack/nova", "/project/openstack/nova"),
        ("repos/openstack/nova,access", "/project/openstack/nova"),
        ("projects/a b,branches", "/project/a%20b"),
        ("groups/uuid-1", "/projects"),
    ],
)
def test_repositories_have_pages(rest: str, path: str) -> None:
    assert administered(rest) == path


def test_who_signs_in_comes_to_a_page_of_this_site() -> None:
    assert signing_in("q/status:open") == "/login?next=/q/status%3Aopen"
    assert signing_in("#/c/12") == "/login?next=/c/12"
    assert signing_in("//evil.example.org/") == "/login?next=/evil.example.org/"


def test_a_query_may_say_from_where_on_it_is_shown() -> None:
    assert query_and_start("status:open,25") == ("status:open", 25)
    assert query_and_start("status:open") == ("status:open", 0)
    assert query_and_start("12,2") == ("12,2", 0)


def test_a_number_a_change_id_or_a_commit_names_one_change() -> None:
    assert names_one("12")
    assert names_one("I1d27c7b39ed4107714f989329d9eef8fecca652d")
    assert names_one("901bd018d7")
    assert not names_one("owner:12")
    assert not names_one("is")


def test_a_file_may_be_named_with_a_line() -> None:
    assert line_of("lib/a.py@12") == ("lib/a.py", "12")
    assert line_of("lib/a.py@b3") == line_of("lib/a.py@a3") == ("lib/a.py", "b3")
    for file in ("a.py", "a@b", "@5", "a@5x"):
        assert line_of(file) == (file, "")


def test_what_gerrit_documents_is_found_at_the_page_that_does_it() -> None:
    assert documented("/user-search-accounts.html") == "/q/status:open"
    assert documented("/rest-api.html") == "/openapi.json"
    assert documented("/index.html") == "/"
