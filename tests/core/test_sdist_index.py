# SPDX-License-Identifier: Apache-2.0
"""Which source distribution a requirement means."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot.cli.sdist_index import chosen, in_order, page_of, requirement
from gatebot.errors import Invalid

PAGE = "https://index.example.org/simple/shop/"


def answer(*versions: str, withdrawn: str = "") -> bytes:
    files = [
        {"filename": f"shop-{one}{end}", "url": f"../../files/shop-{one}{end}", "hashes": {"sha256": "aa" + one},
         "yanked": one == withdrawn and "broken"}
        for one in versions
        for end in (".tar.gz", "-py3-none-any.whl")
    ]  # fmt: skip
    return json.dumps({"files": files}).encode()


def version(text: str, listing: bytes) -> str:
    return str(chosen(requirement(text), PAGE, listing).version)


def test_the_newest_version_that_fits_is_chosen() -> None:
    listing = answer("1.0", "1.10", "1.9", "2.0", "3.0rc1")
    assert version("shop", listing) == "2.0"
    assert version("shop<2", listing) == "1.10"
    assert version("Shop == 1.0", listing) == "1.0"
    assert version("shop==3.0rc1", listing) == "3.0rc1"


def test_a_withdrawn_version_is_chosen_only_by_its_name() -> None:
    listing = answer("1.0", "2.0", withdrawn="2.0")
    assert version("shop", listing) == "1.0"
    assert version("shop==2.0", listing) == "2.0"


def test_addresses_are_relative_to_the_page_of_the_package() -> None:
    found = chosen(requirement("shop"), PAGE, answer("1.0"))
    assert (found.name, found.url, found.sha256) == ("shop", "https://index.example.org/files/shop-1.0.tar.gz", "aa1.0")
    assert page_of("https://index.example.org/simple/", requirement("My.Shop")) == (
        "https://index.example.org/simple/my-shop/"
    )


@pytest.mark.parametrize(
    ("text", "listing", "said"),
    [
        ("shop==9", answer("1.0"), f"The index has no source distribution of shop==9: {PAGE}"),
        ("shop", b"<html>", f"{PAGE} does not answer as a package index does. Name another with --index."),
        ("shop", b'{"files": [{}]}', f"{PAGE} does not answer as a package index does. Name another with --index."),
        ("../x", b"", "'../x' names no package. Give a name, and a version if it matters: nova==34.0.0"),
        ("shop[all]", b"", "'shop[all]' names no package. Give a name, and a version if it matters: nova==34.0.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_said(text: str, listing: bytes, said: str) -> None:
    with pytest.raises(Invalid) as problem:
        version(text, listing)
    assert str(problem.value) == said


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, unique=True))
def test_a_history_begins_with_the_oldest(numbers: list[int]) -> None:
    listing = answer(*(f"1.{one}" for one in numbers))
    ordered = in_order(chosen(requirement(f"shop==1.{one}"), PAGE, listing) for one in (*numbers, *numbers))
    assert [str(one.version) for one in ordered] == [f"1.{one}" for one in sorted(numbers)]


def test_two_packages_are_no_history() -> None:
    other = answer("1.0").replace(b"shop", b"till")
    with pytest.raises(Invalid) as problem:
        in_order((chosen(requirement("shop"), PAGE, answer("1.0")), chosen(requirement("till"), PAGE, other)))
    assert str(problem.value) == "These are several packages. Import each into a project of its own."


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_answer_of_an_index_does_more_than_be_refused(noise: bytes) -> None:
    with pytest.raises(Invalid):
        chosen(requirement("shop"), PAGE, noise)
