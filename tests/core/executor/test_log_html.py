# SPDX-License-Identifier: Apache-2.0
"""Lines of logs as HTML: hostile text is text, of the terminal's language only colours are left."""

from __future__ import annotations

import pytest

from gatebot.executor.log_html import coloured, lines_html, plain

STAMP = "2026-01-05 09:00:01.123456 | "


def test_each_line_has_its_number_its_address_and_its_time() -> None:
    assert lines_html([f"{STAMP}one", "two"], 7, error=8) == (
        '<div id="L7"><a href="#L7">7</a><i>09:00:01</i><span>one</span></div>\n'
        '<div id="L8" class="error"><a href="#L8">8</a><span>two</span></div>\n'
    )


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("<b>&", "&lt;b&gt;&amp;"),
        ("\x1b[31mred\x1b[0m.", '<span class="f1">red</span>.'),
        ("\x1b[1;92ma\x1b[22m b\x1b[39m.", '<span class="bold f10">a</span><span class="f10"> b</span>.'),
        ("\x1b[38;5;196mno\x1b[m \x1b[48;2;1;2;3myes", "no yes"),
        ("\x1b[01;31m\x1b[Kx\x1b[m", '<span class="bold f1">x</span>'),
        ("\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07", "link"),
        ("\x1b[2J\x1b[1;1Hgone\x00\x08", "gone"),
        ("\x1b[31m<script>", '<span class="f1">&lt;script&gt;</span>'),
        ("half \x1b[3", "half [3"),
    ],
)  # fmt: skip
def test_of_the_terminals_language_only_colours_are_left(printed: str, shown: str) -> None:
    assert coloured(printed) == shown


def test_a_line_in_a_sentence_has_neither_time_nor_colour() -> None:
    assert plain(f"{STAMP}\x1b[31mE   assert 1 == 2\x1b[0m") == "E   assert 1 == 2"
