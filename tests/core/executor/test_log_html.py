# SPDX-License-Identifier: Apache-2.0
"""Lines of logs as HTML: hostile text is text, of the terminal's language only colours are left."""

from __future__ import annotations

import pytest

from gatebot.executor.log_html import Shown, calmed, coloured, folded_html, lines_html, plain

STAMP = "2026-01-05 09:00:01.123456 | "


def test_each_line_has_its_number_its_address_and_its_time() -> None:
    assert lines_html([f"{STAMP}one", "two"], 7, Shown(error=8)) == (
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


PLAY = [
    f"{STAMP}gatebot: prepared",
    f"{STAMP}run: api ci/run.yaml",
    f"{STAMP}TASK [build : compile <x>] ***",
    *[f"{STAMP}line {n}" for n in range(30)],
    "2026-01-05 09:00:09.000000 | TASK [test] ***",
    "2026-01-05 09:00:09.500000 | ok",
    "2026-01-05 09:00:10.000000 | result: SUCCESS",
]


def test_a_log_is_folded_by_step_and_by_task() -> None:
    told = folded_html(PLAY, 1, Shown(growing=False))
    assert '<details class="step" open><summary>run: api ci/run.yaml</summary>' in told
    assert '<details class="task"><summary>task: build : compile &lt;x&gt; <small>31</small></summary>' in told
    assert '<details class="task" open><summary>task: test' in told
    assert [told.count(tag) for tag in ("<details", "</details>", '<div id="L')] == [3, 3, len(PLAY)]


def test_a_long_task_is_open_where_the_error_is_and_while_the_build_runs() -> None:
    for shown in (Shown(error=5, growing=False), Shown(growing=True)):
        assert '<details class="task" open><summary>task: build' in folded_html(PLAY, 1, shown)


def test_a_request_id_leads_to_its_lines_and_nothing_else_becomes_a_link() -> None:
    id = "req-e4b65285-c9b2-48cb-963d-97cc84135279"
    assert coloured(f"[{id}] http://x", "/r/") == f'[<a href="/r/{id}">{id}</a>] http://x'
    assert coloured(f"\x1b[31m{id}", "/r/") == f'<span class="f1"><a href="/r/{id}">{id}</a></span>'
    assert coloured("req-<b>", "/r/") == "req-&lt;b&gt;"


@pytest.mark.parametrize("hostile", ["\x1b]0;title\x07", "\x1bPq\x1b\\", "\x9b", "\u202e", "\x1b[?25l", "\x1b[2J"])
def test_a_terminal_gets_colours_at_most(hostile: str) -> None:
    assert calmed(f"a{hostile}b", colours=True) == "ab"
    assert calmed("\x1b[31mred", colours=True) == "\x1b[31mred\x1b[0m"
    assert calmed("\x1b[31mred\x1b", colours=False) == "red"


def test_a_line_of_a_megabyte_is_cut_on_the_page_and_says_by_how_much() -> None:
    assert '<b class="cut">+996000</b>' in lines_html(["x" * 1_000_000], 1)


def test_the_options_of_a_service_are_folded_and_the_lines_around_them_are_not() -> None:
    option = "2026-11-28 18:43:03.843 438 DEBUG nova.cmd.compute [-] my_ip = 127.0.0.1 log_opt_values /x/cfg.py:1"
    shown = folded_html(["begins", *[option] * 30, "goes on", *[option] * 3], 1, Shown(growing=False))
    before, _, rest = shown.partition(
        '<details class="task"><summary>options: nova.cmd.compute <small>30</small></summary>'
    )
    inside, _, after = rest.partition("</details>")
    assert (before.count("<div"), inside.count("<div"), after.count("<div")) == (1, 30, 4)
    assert '<div id="L32">' in after
    assert '<details class="task" open>' in folded_html([option] * 30, 1, Shown(error=5))
