# SPDX-License-Identifier: Apache-2.0
"""Lines of a log as HTML: numbered, each with its address, terminal colours as classes.

Pure. What a job prints is hostile: everything is escaped, of the terminal's language only colours
are kept, and nothing becomes a link. The script adds lines in the same form while a build runs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_STAMP = re.compile(r"\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d)\.\d+ \| ")
_COLOURS = re.compile(r"\x1b\[([0-9;]*)m")
# Every other sequence that a terminal would act on, and characters that print nothing.
_NOISE = re.compile(
    r"\x1b\[[0-9;?<=>!]*[A-Za-ln-z@]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]"
)
_STYLES = {"1": "bold", "2": "dim", "3": "italic", "4": "underline"}


def lines_html(lines: Iterable[str], first: int, error: int = 0) -> str:
    """Lines from number `first` on; the line of the first error is marked."""
    return "".join(_line(text, number, number == error) for number, text in enumerate(lines, first))


def plain(line: str) -> str:
    """A line's text without its time and its colours."""
    return _COLOURS.sub("", _NOISE.sub("", _STAMP.sub("", line, count=1))).replace("\x1b", "")


def _line(line: str, number: int, is_error: bool) -> str:
    stamp = _STAMP.match(line)
    clock, text = (stamp[1], line[stamp.end() :]) if stamp else ("", line)
    shown = f"<i>{clock}</i>" if clock else ""
    marked = ' class="error"' if is_error else ""
    return f'<div id="L{number}"{marked}><a href="#L{number}">{number}</a>{shown}<span>{coloured(text)}</span></div>\n'


def coloured(text: str) -> str:
    """A line with its colours as `<span class="f1 bold">`."""
    text = _NOISE.sub("", text)
    if "\x1b" not in text:
        return html.escape(text, quote=False)
    pieces = _COLOURS.split(text)
    style: frozenset[str] = frozenset()
    told = [_span(pieces[0], style)]
    for codes, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        style = _styled(style, codes)
        told.append(_span(piece, style))
    return "".join(told)


def _span(text: str, style: frozenset[str]) -> str:
    clean = html.escape(text.replace("\x1b", ""), quote=False)
    return f'<span class="{" ".join(sorted(style))}">{clean}</span>' if style and clean else clean


def _styled(style: frozenset[str], codes: str) -> frozenset[str]:
    """The style after a colour sequence; colours of 256 or more are left out."""
    rest = codes.split(";")
    while rest:
        code = rest.pop(0).lstrip("0")
        if code in ("38", "48"):
            del rest[: 2 if rest[:1] == ["5"] else 4]
        elif not code:
            style = frozenset()
        elif code in _STYLES:
            style |= {_STYLES[code]}
        elif code in ("22", "39"):
            style = frozenset(x for x in style if not (x.startswith("f") if code == "39" else x in ("bold", "dim")))
        elif (code[:1] == "3" and len(code) == 2) or (code[:1] == "9" and len(code) == 2):
            number = int(code[1]) + (8 if code[0] == "9" else 0)
            if code[1] in "01234567":
                style = frozenset(x for x in style if not x.startswith("f")) | {f"f{number}"}
    return style
