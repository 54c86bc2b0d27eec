# SPDX-License-Identifier: Apache-2.0
"""Texts: formatting bytes, links, nicks in actions, tokens, what is linked."""

from __future__ import annotations

import pytest

from gatebot.meetbot import lines, linkify, tokens
from gatebot.meetbot.search import query


def test_colours_and_control_bytes_go_and_digits_that_are_text_stay() -> None:
    assert lines.plain("\x0304,01red\x03 \x02bold\x0f 12\x00\r\n") == "red bold 12"
    assert lines.plain("\x03" + "04" + "2 apples") == "2 apples"


@pytest.mark.parametrize(
    ("text", "nick", "found"),
    [
        ("dave[m] on matrix", "dave[m]", True),
        ("dave without bracket", "dave[m]", False),
        ("dave[m] on matrix", "dave", False),
        ("bob_ does it", "bob", False),
        ("yann's job", "Yann", True),
        ("#Zoe: this", "zoe", True),
        ("ALICE, bob: meet", "alice", True),
        ("jonathan reviews", "jon", False),
        ("철수가 테스트 작성", "철수", True),
        ("철수님에게 부탁", "철수", True),
        ("철수네 집", "철수", False),
        ("carol|away returns", "carol|away", True),
    ],
)
def test_a_nick_is_found_as_a_whole(text: str, nick: str, found: bool) -> None:
    assert (lines.nick_pattern(nick).search(text) is not None) is found


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://x.org", True),
        ("ssh://host", True),
        ("no", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("java\tscript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
    ],
)
def test_only_harmless_schemes_are_linked(url: str, safe: bool) -> None:
    assert lines.is_safe_url(url) is safe


def test_syllables_and_their_pairs_are_indexed() -> None:
    assert tokens.indexed("회의를 Nova") == ["회", "의", "를", "회의", "의를", "nova"]
    assert tokens.indexed("Ｎｏｖａ") == ["nova"]


def test_decomposed_hangul_is_the_same_word() -> None:
    assert tokens.indexed("\u1112\u116c\u110b\u1174") == tokens.indexed("회의")


def test_pairs_from_different_places_do_not_make_a_word() -> None:
    asked = query.parse("Ｎｏｖａ 인스턴스")
    assert query.holds("nova 인스턴스를 만든다", asked)
    assert not query.holds("nova 인스 스턴 턴스", asked)


def test_addresses_changes_and_builds_become_links_without_the_sentences_punctuation() -> None:
    many = "http://x/" + ")" * 60_000  # each is looked at once
    assert next(linkify.pieces(many)).url == "http://x/"
    text = "see https://x.org/a_(b), change 12 & build " + "a" * 32 + "."
    assert [(piece.text, piece.url) for piece in linkify.pieces(text) if piece.url] == [
        ("https://x.org/a_(b)", "https://x.org/a_(b)"),
        ("change 12", "/12"),
        ("build " + "a" * 32, "/build/" + "a" * 32),
    ]
    assert "".join(piece.text for piece in linkify.pieces(text)) == text
    assert linkify.html("<b> & change 7") == '&lt;b&gt; &amp; <a href="/7">change 7</a>'
