# SPDX-License-Identifier: Apache-2.0
"""Changes of a real Gerrit are checked, gated and merged there."""

from __future__ import annotations

from tests.gerrit.house import Author, House


async def test_an_uploaded_change_is_checked_and_voted_on(house: House, author: Author) -> None:
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    await house.runs("check", change)
    await house.ends("check", change)
    await house.until(lambda: author.vote(change) == 1, "the gate voted")
    assert any("Build succeeded" in text for text in author.said(change))


async def test_two_approved_changes_are_tested_together_and_merge_in_order(house: House, author: Author) -> None:
    one, two = author.push("api", {"a.txt": "a\n"}, "Add a"), author.push("client", {"b.txt": "b\n"}, "Add b")
    author.approve(one, two)
    await house.runs("gate", one, two)
    await house.ends("gate", two)
    await house.ends("gate", one)
    await house.merged(one, two)
    assert author.content("api", "a.txt") == "a\n"
    assert author.content("client", "b.txt") == "b\n"
