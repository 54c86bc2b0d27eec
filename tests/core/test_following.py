# SPDX-License-Identifier: Apache-2.0
"""Whoever follows a log sees each of its bytes once, whatever breaks on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot.cli.following import follow
from gatebot.errors import NotFound, Unavailable


class Breaking:
    """A site with a log of which each request brings no more than the next of some sizes; with a negative one none.

    A request with a size of 0 finds no log yet.
    """

    def __init__(self, log: bytes, sizes: list[int]) -> None:
        self.log, self.sizes = log, sizes

    def get(self, path: str) -> Any:
        return {"result": "" if self.sizes else "SUCCESS"}

    def pieces(self, path: str) -> Iterator[bytes]:
        start = int(path.rpartition("=")[2])
        size = self.sizes.pop(0) if self.sizes else len(self.log)
        if size < 0:
            raise Unavailable("The site does not answer.")
        if not start and not size:
            raise NotFound("No log yet.")
        yield from self.log[start : start + size].splitlines(keepends=True)
        if start + size < len(self.log):
            raise ConnectionResetError


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a line", "another", "", "ends"]), max_size=8).map("\n".join),
    st.lists(st.integers(-1, 12), max_size=12),
)
def test_every_byte_of_a_log_is_shown_once_however_often_the_connection_breaks(text: str, sizes: list[int]) -> None:
    shown: list[bytes] = []
    heard: list[Mapping[str, Any] | str] = []
    size = follow(Breaking(text.encode(), sizes), "b", shown.append, heard.append, lambda: None)
    assert b"".join(shown).decode() == text
    assert size == len(text)


def test_a_site_that_never_answered_is_not_waited_for() -> None:
    class Nowhere(Breaking):
        def get(self, path: str) -> Any:
            raise Unavailable("The site does not answer.")

    with pytest.raises(Unavailable):
        follow(Nowhere(b"", []), "b", lambda line: None, lambda known: None, lambda: None)


def test_a_site_that_does_not_answer_is_told_and_asked_again() -> None:
    shown: list[bytes] = []
    heard: list[Mapping[str, Any] | str] = []
    follow(Breaking(b"one\ntwo\n", [4, -1, 0]), "b", shown.append, heard.append, lambda: None)
    assert shown == [b"one\n", b"two\n", b""]
    assert heard == ["The site does not answer."]
