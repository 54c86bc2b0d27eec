# SPDX-License-Identifier: Apache-2.0
"""Minutes as reStructuredText, read back by a small reader of what docutils would make of them.

It knows the block and inline markup that a line of a person could stumble into, and refuses what docutils warns of.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatebot.meetbot.minutes.fold import Minutes, fold
from gatebot.meetbot.minutes.rst import minutes_rst
from gatebot.meetbot.model import Entry, Line, Meeting, Setting
from gatebot.meetbot.reduce import reduce

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SETTING = Setting("#c", about="https://x.org/about")
RULE = re.compile(r"([!-/:-@\[-`{-~])\1{3,}")
BLOCK = re.compile(
    r"[-+•‣⁃*](?: |$)|\(?(?:[A-Za-z]|[ivxlcdmIVXLCDM]+|\d+|#)[.)](?: |$)|\.\.(?: |$)|>>>|\||:[^: ][^:]*:(?: |$)|__ "
    r"|\+[-=]|=+ +=|/[A-Za-z]|--?[A-Za-z]|[\"'>]{2}"
)
INLINE = re.compile(
    r"\\(?P<escaped>.|\n)|\*\*(?P<strong>(?=\S)(?:\\.|[^\\*])*?(?<!\s))\*\*|\*(?P<kind>[A-Z]+)\*"
    r"|`(?P<shown>(?:\\.|[^\\`<])+?)[ \n]+<(?P<url>(?:\\.|[^\\>])+)>`__|`(?P<named>[^`]+)`_"
    r"|(?P<bad>[*`|]|(?<=\w)_+(?!\w)|\\$)",
    re.DOTALL,
)


@dataclass
class Page:
    """What was read: the visible texts below each heading, and where their links lead."""

    title: str = ""
    parts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    urls: list[str] = field(default_factory=list[str])


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def visible(text: str, urls: list[str], named: set[str]) -> str:
    """A paragraph without its markup."""

    def put(found: re.Match[str]) -> str:
        assert found["bad"] is None, f"markup is left in {text!r}"
        if found["escaped"] is not None:
            return "" if found["escaped"].isspace() else found["escaped"]
        if found["strong"] is not None:
            return visible(found["strong"], urls, named)
        if found["url"] is not None:
            urls.append(re.sub(r"\\(.)", r"\1", found["url"]))
            return visible(found["shown"], urls, named)
        if found["named"]:
            named.add(found["named"])
        return found["kind"] or found["named"]

    return INLINE.sub(put, text)


def parsed(text: str) -> Page:
    """Read a page as docutils would; what it warns of fails."""
    page, named = Page(), set[str]()
    targets = set(re.findall(r"^\.\. _`([^`]+)`: \S+$", text, re.MULTILINE))
    head = ""
    blocks = [block for block in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n")) if not block.startswith(".. _")]
    for number, block in enumerate(blocks):
        rows = block.split("\n")
        if number == 0:
            assert len(rows) == 3
            assert rows[0] == rows[2]
            assert len(rows[0]) >= width(rows[1])
            page.title = visible(rows[1], page.urls, named)
            continue
        if len(rows) > 1 and RULE.fullmatch(rows[1]):
            assert len(rows[1]) >= width(rows[0])
            head, rows = rows[0], rows[2:]
            page.parts[head] = []
        if not rows:
            continue
        indent = len(rows[0]) - len(rows[0].lstrip(" "))
        bullet = rows[0].lstrip(" ").startswith("* ")
        inside = indent + 2 if bullet else indent
        assert all(row.startswith(" " * inside) and row[inside : inside + 1] != " " for row in rows[1:]), block
        first = rows[0][inside:].lstrip(" ")
        assert not BLOCK.match(first), f"{first!r} begins a block"
        words = "\n".join([first, *(row[inside:] for row in rows[1:])])
        assert not any(RULE.fullmatch(row.strip()) for row in words.split("\n")), f"a rule stands in {words!r}"
        assert not re.search(r"(?<!\\)(?:\\\\)*::$", words), f"{words!r} asks for a literal block"
        page.parts.setdefault(head, []).append(" ".join(visible(words, page.urls, named).split()))
    assert named <= targets
    return page


def minutes(*texts: str) -> Minutes:
    """A meeting with these lines, of ann's."""
    meeting: Meeting | None = None
    record: list[Entry] = []
    lines: list[Line] = []
    for n, text in enumerate(("#startmeeting Gate", *texts, "#endmeeting")):
        line = Line(NOON + timedelta(seconds=n), "ann", text)
        meeting, entries, _ = reduce(meeting, line, SETTING)
        record += entries
        lines.append(line)
    return fold(record, lines, SETTING)


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_minutes_are_read_back_with_headings_items_and_links() -> None:
    told = minutes(
        "#topic 문과 창문 *now*", "#info look: a_b_ `x`", "#action ann paints |it|", "#link see https://x.org/a_b now"
    )
    page = parsed(minutes_rst(told, SETTING))
    assert page.title == "#c: Gate"
    assert list(page.parts) == [
        "",
        "Meeting summary",
        "Action Items",
        "Action Items, by person",
        "People Present (lines said)",
    ]
    assert page.parts["Meeting summary"][:4] == [
        "문과 창문 *now* (ann, 12:00:01)",
        "look: a_b_ `x` (ann, 12:00:02)",
        "ACTION: ann paints |it| (ann, 12:00:03)",
        "LINK: see https://x.org/a_b now (ann, 12:00:04)",
    ]
    assert page.parts["Action Items, by person"] == ["ann", "ann paints |it|"]
    assert page.urls == [f"gate.2026-11-22-12.00.log.html#l-{number}" for number in (2, 3, 4, 5)]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "A. Smith",
            "iv) four",
            "3. three",
            "(1) x",
            "#. x",
            "- dash",
            ".. note:: x",
            "한글::",
            "====",
            "''''",
            ":a: b",
        ),
        *(">>> x", "+--+", "== ==", "__ x", "--opt x", "|", "\u3000wide\u3000", "a\\", "x " + "=" * 75),
    ],
)
def test_what_people_say_is_no_markup(text: str) -> None:
    told = minutes(f"#topic {text}", f"#info {text}", f"#action {text}", f"#idea {text}")
    page = parsed(minutes_rst(told, SETTING))
    assert page.parts["Action Items"] == [squeezed(text)]
    assert page.parts["Meeting summary"][1] == f"{squeezed(text)} (ann, 12:00:02)"


@given(
    st.text(st.sampled_from("ab1. *`_|\\:-=+#()[]<>가\u3000'\"/!~^@$&,;?{}%"), min_size=1, max_size=90).filter(
        lambda text: text.strip()
    )
)
@example("a*b")
@example("_")
def test_any_text_comes_back_as_it_was_said(text: str) -> None:
    page = parsed(minutes_rst(minutes(f"#topic {text}", f"#action {text}"), SETTING))
    assert page.parts["Action Items"] == [squeezed(text)]
    assert page.parts["Meeting summary"][0] == f"{squeezed(text)} (ann, 12:00:01)"
    assert page.parts["Meeting summary"][1] == f"ACTION: {squeezed(text)} (ann, 12:00:02)"
