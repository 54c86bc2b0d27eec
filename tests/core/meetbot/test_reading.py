# SPDX-License-Identifier: Apache-2.0
"""Texts: formatting bytes, links, nicks in actions, tokens, what is linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from gatebot import targets, words
from gatebot.access_rules import Actor
from gatebot.errors import Invalid
from gatebot.meetbot import lines, linkify, tokens
from gatebot.meetbot.model import Bug, State
from gatebot.meetbot.search import query
from gatebot.reasons import reason


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
    assert tokens.indexed(tokens.words("회의를 Nova")) == ["회", "의", "를", "회의", "의를", "nova"]
    assert tokens.indexed(tokens.words("Ｎｏｖａ")) == ["nova"]


def test_decomposed_hangul_is_the_same_word() -> None:
    assert list(tokens.words("\u1112\u116c\u110b\u1174")) == ["회의"]


@pytest.mark.parametrize(
    ("asked", "text", "side_by_side"),
    [
        ("nova 인스턴스", "오늘 Nova 인스턴스가 느려요", True),
        ("인스턴스 느려", "인스턴스가 느려요", True),
        ("인스턴스 nova", "nova 인스턴스", False),
        ("the gate", "is the gate, open", True),
        ("the gate", "the gates", False),
        ("스턴스 느려", "인스턴스 느려", False),
        ("안 돼", "안 돼", True),
        ("안 돼요", "안 돼요", True),
        ('"the gate" slow', "the gate slow", True),
    ],
)
def test_words_are_neighbours_whatever_particle_ends_them(asked: str, text: str, side_by_side: bool) -> None:
    read = query.parse(asked)
    assert query.stands(text, read.row) is side_by_side
    indexed = query.line_tokens("ann", "#c", text, 0)
    if side_by_side:
        assert all(run[0] in indexed for group in query.neighbours(read) for run in group)


def test_words_have_an_order_only_where_they_may_stand_apart() -> None:
    assert query.parse("nova from:ann").row == ()
    assert query.parse('"the gate" in:nova').row == ()
    assert query.parse('slow "the gate" before:2026').row == ("slow", "the", "gate")


@pytest.mark.parametrize("day", ["9999-99", "2026-13", "0000", "yesterday", "2026-11-22 25:00", "2026-11-22 1"])
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(Invalid) as refused:
        query.parse(f'slow after:"{day}"')
    assert words.say(refused.value.reason or reason("x")) == (
        f"“{day}” is no day. Days are written like 2026-11-22, months like 2026-11, years like 2026."
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            "has:foo slow",
            "has:foo finds nothing: has:link finds lines with an address, and no other has: there is. "
            'To find these very words, put them in quotes: "has:foo".',
        ),
        (
            "slow from: ann",
            "from: says nothing without a word right behind it: from:ann. "
            'To find this very word, put it in quotes: "from:".',
        ),
        (
            'in:"" x',
            "in: says nothing without a word right behind it: in:#gatebot. "
            'To find this very word, put it in quotes: "in:".',
        ),
    ],
)
def test_a_part_that_asks_for_nothing_is_refused_and_a_quoted_one_is_words(asked: str, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        query.parse(asked)
    assert words.say(refused.value.reason or reason("x")) == told
    assert query.parse('"from:" "has:foo"').words == ("from",)


def test_a_moment_is_a_day_and_a_time_of_utc() -> None:
    moments = ("2026", "2026-11", "2026-11-22", "2026-11-22 12:30", "2026-11-22T12:30:05Z")
    read = [query.parse(f'after:"{moment}"').after for moment in moments]
    assert [f"{moment:%m-%d %H:%M:%S}" for moment in read if moment] == [
        "01-01 00:00:00",
        "11-01 00:00:00",
        "11-22 00:00:00",
        "11-22 12:30:00",
        "11-22 12:30:05",
    ]


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


class Site:
    """A site where change 12 is merged, a build runs, and bugs have a tracker; change 13 is not for everybody."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.read: list[str] = []

    async def of(self, actor: Actor, targets: Sequence[str]) -> Mapping[str, State]:
        self.asked.append(list(targets))
        known = {
            "change/12": State("change", "MERGED", 'Fix "it"'),
            "change/13": State("change", "NEW", "Secret"),
            f"build/{'a' * 32}": State("build", "", "unit (api 12,1)"),
            "bug/https://bugs.example.org/7": State("bug", "FIX_IN_REVIEW", "12: Fix it", url="/12"),
        }
        return {
            target: known[target] for target in targets if target in known and (actor.account or target[-2:] != "13")
        }

    def bugs(self, text: str) -> Sequence[Bug]:
        self.read.append(text)
        at = text.find("bug 7")
        return [Bug(at, at + 5, "https://bugs.example.org/7")] if at >= 0 else []

    def bug_at(self, address: str) -> str:
        return "https://bugs.example.org/7" if address.endswith("/+bug/7") else ""


TEXTS = (
    "change 13을 보고 https://x.org/c/demo/api/+/12/3, then bug 7 in https://y.org/bug 7",
    f"build {'A' * 32} of https://x.org/12를",
)


async def test_what_a_line_names_is_told_with_its_state_to_who_may_see_it() -> None:
    site, stranger, owner = Site(), Actor(None, frozenset()), Actor(1, frozenset())
    seen = await linkify.known(site, stranger, "https://x.org", TEXTS)
    assert [(one.text, one.url, one.state and one.state.word) for one in seen.pieces(TEXTS[0]) if one.url] == [
        ("change 13", "/13", None),
        ("https://x.org/c/demo/api/+/12/3", "https://x.org/c/demo/api/+/12/3", "MERGED"),
        ("bug 7", "https://bugs.example.org/7", "FIX_IN_REVIEW"),
        ("https://y.org/bug", "https://y.org/bug", None),
    ]
    assert [(one.text, one.url) for one in seen.pieces(TEXTS[1]) if one.url] == [
        ("build " + "A" * 32, "/build/" + "a" * 32),
        ("https://x.org/12", "https://x.org/12"),
    ]
    assert "".join(one.text + one.tail for text in TEXTS for one in seen.pieces(text)) == "".join(TEXTS)
    assert [one.tail for one in seen.pieces(TEXTS[1]) if one.state] == ["", "를"]
    bug = targets.topic_of("bug/https://bugs.example.org/7")
    assert len(bug) == 24
    assert seen.topics == f",{bug},build/{'a' * 32},change/12"
    assert seen.html("see change 12 & change 13") == (
        'see <a href="/12" title="Fix &quot;it&quot;">change 12</a> <span class="state change">[merged]</span> &amp; '
        '<a href="/13">change 13</a>'
    )
    assert [target for target, _ in seen.named(TEXTS[0], datetime(2014, 5, 27, tzinfo=UTC))] == [
        "change/12",
        "bug/https://bugs.example.org/7",
    ]
    assert site.read[:3] == [*TEXTS, "see change 12 & change 13"]  # each text once, however often it is looked at
    mine = await linkify.known(site, owner, "https://x.org", TEXTS)
    assert "change/13" in mine.states
    assert len(site.asked) == 2  # once for all texts of a page
    await linkify.known(site, owner, "https://x.org", ["nothing", "change 0", "https://y.org/12"])
    assert len(site.asked) == 2
    pasted = await linkify.known(site, owner, "https://x.org", ["look: https://y.org/+bug/7!"])
    assert pasted.html("look: https://y.org/+bug/7!") == (
        'look: <a href="https://y.org/+bug/7" title="12: Fix it">https://y.org/+bug/7</a> '
        '<span class="state bug">[fix in review]</span>!'
    )


async def test_of_too_many_things_the_last_are_followed() -> None:
    class Everything(linkify.Unknown):
        async def of(self, actor: Actor, targets: Sequence[str]) -> Mapping[str, State]:
            return {target: State("change", "NEW", draft=True) for target in targets}

    texts = [f"change {number}" for number in range(1, 601)]
    known = await linkify.known(Everything(), Actor(None, frozenset()), "", texts)
    assert (len(known.states), next(iter(known.states))) == (500, "change/101")
    assert known.topics.split(",")[1:] == [f"change/{number}" for number in range(561, 601)]
    assert known.html("change 600").endswith("[work in progress]</span>")


async def test_a_line_that_is_older_than_a_change_does_not_mean_it() -> None:
    class Young(linkify.Unknown):
        async def of(self, actor: Actor, targets: Sequence[str]) -> Mapping[str, State]:
            return {target: State("change", "NEW", since=datetime(2026, 11, 22, tzinfo=UTC)) for target in targets}

    text = "change 7 and https://x.org/7"
    known = await linkify.known(Young(), Actor(None, frozenset()), "https://x.org", [text])
    old, new = datetime(2014, 5, 27, tzinfo=UTC), datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert [(one.text, one.state) for one in known.pieces(text, old)] == [
        ("change 7 and ", None),
        ("https://x.org/7", None),
    ]
    assert [one.state is not None for one in known.pieces(text, new) if one.url] == [True, True]
    assert (known.named(text, old), len(known.named(text, new))) == ([], 1)
