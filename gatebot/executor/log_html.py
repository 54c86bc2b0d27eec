# SPDX-License-Identifier: Apache-2.0
"""Lines of a log as HTML: numbered, each with its address, folded by step and task, terminal colours as classes.

Pure. What a job prints is hostile: everything is escaped, of the terminal's language only colours are kept, and nothing
becomes a link but request ids, which lead to a page of ours. The script adds lines in the same form while a build runs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d))\.\d+ \| ")
_COLOURS = re.compile(r"\x1b\[([0-9;]*)m")
# Every other sequence that a terminal would act on, characters that print nothing, and those that turn the direction.
_NOISE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-ln-~]|\x1b\[[0-9;]*[<-?][0-?]*m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b[()*+][A-Z0-9]|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_STYLES = {"1": "bold", "2": "dim", "3": "italic", "4": "underline"}
_STEP = re.compile(r"(?:pre-run|run|post-run|cleanup): \S+ \S+$|result: [A-Z_]+")
_TASK = re.compile(r"(PLAY|TASK|RUNNING HANDLER) \[([^\]]*)\]|PLAY RECAP")
#: An id that services of a cloud give a request and write into each line about it.
REQUEST = re.compile(r"\breq-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_SHOWN = 4_000  # characters of a line; the rest is in the plain text
_LONG = 20  # lines of a task that is folded when all went well
#: A line of the dump of all options with which a service of OpenStack begins: half of the lines of a short log.
_OPTION = " log_opt_values "
_LOGGER = re.compile(r"^\S+ \S+ \d+ [A-Z]+ (\S+) ")


@dataclass(frozen=True, slots=True)
class Shown:
    """How lines are shown: which holds the first error, whether more may come, where request ids lead."""

    error: int = 0
    growing: bool = True
    requests: str = ""


def lines_html(lines: Iterable[str], first: int, shown: Shown | None = None) -> str:
    """Lines from number `first` on; the line of the first error is marked."""
    how = shown or Shown()
    return "".join(_line(text, number, how) for number, text in enumerate(lines, first))


def folded_html(lines: Sequence[str], first: int, shown: Shown) -> str:
    """The same in sections that can be folded: one for each step, in it one for each play and task; options."""
    starts = [(at, heading) for at, line in enumerate(lines) if (heading := heading_of(line)) is not None]
    if not starts:
        return _without_options(lines, first, shown)
    told = [_without_options(lines[: starts[0][0]], first, shown)]
    in_step = False
    for (at, (step, title)), (end, _) in pairwise([*starts, (len(lines), (False, ""))]):
        if step:
            told.append("</details>\n" if in_step else "")
            in_step = not title.startswith("result: ")
            told.append(f'<details class="step" open><summary>{_title(title)}</summary>\n' if in_step else "")
            told.append(_without_options(lines[at:end], first + at, shown))
            continue
        holds = at <= shown.error - first < end
        opened = " open" if shown.growing or holds or end - at <= _LONG or end == len(lines) else ""
        told.append(f'<details class="task"{opened}><summary>{_title(title)}{_measure(lines[at:end])}</summary>\n')
        told.append(lines_html(lines[at:end], first + at, shown) + "</details>\n")
    told.append("</details>\n" if in_step else "")
    return "".join(told)


def _without_options(lines: Sequence[str], first: int, shown: Shown) -> str:
    """Lines, in which what a service says of all its options is folded."""
    told: list[str] = []
    for options, group in groupby(lines, lambda line: _OPTION in line):
        run = list(group)
        text = lines_html(run, first, shown)
        if options and len(run) > _LONG:
            logger = _LOGGER.match(run[0])
            opened = " open" if first <= shown.error < first + len(run) else ""
            title = f"{_title(f'options: {logger[1]}' if logger else 'options')} <small>{len(run)}</small>"
            text = f'<details class="task"{opened}><summary>{title}</summary>\n{text}</details>\n'
        told.append(text)
        first += len(run)
    return "".join(told)


def heading_of(line: str) -> tuple[bool, str] | None:
    """Whether a line begins a step, or a task of a playbook, and its title; None: neither."""
    stamp = _STAMP.match(line)
    text = line[stamp.end() :] if stamp else line
    if text[:1] in "prc" and _STEP.match(text):
        return True, text
    if text[:1] in "PTR" and (task := _TASK.match(text)):
        return False, f"{task[1].lower()}: {task[2]}" if task[1] else "play recap"
    return None


def plain(line: str) -> str:
    """A line's text without its time and its colours."""
    return _COLOURS.sub("", _NOISE.sub("", _STAMP.sub("", line, count=1))).replace("\x1b", "")


def calmed(line: str, *, colours: bool) -> str:
    """A line that may be written to a terminal: it colours at most, and no colour lasts beyond it."""
    quiet = re.sub(r"\x1b(?!\[[0-9;]*m)", "", _NOISE.sub("", line))
    if "\x1b" not in quiet:
        return quiet
    return f"{quiet}\x1b[0m" if colours else _COLOURS.sub("", quiet)


def _title(title: str) -> str:
    return html.escape(plain(title)[:200], quote=False)


def _measure(lines: Sequence[str]) -> str:
    """How many lines, and how many seconds from the first to the last."""
    ends = [_STAMP.match(lines[0]), _STAMP.match(lines[-1])]
    told = [f" <small>{len(lines)}</small>"]
    if ends[0] is not None and ends[1] is not None:
        try:
            began, ended = (datetime.fromisoformat(one[1]) for one in ends if one is not None)
        except ValueError:
            return told[0]
        if (seconds := int((ended - began).total_seconds())) > 0:
            told.append(f" <small>{seconds} s</small>")
    return "".join(told)


def _line(line: str, number: int, shown: Shown) -> str:
    stamp = _STAMP.match(line)
    clock, text = (stamp[2], line[stamp.end() :]) if stamp else ("", line)
    time = f"<i>{clock}</i>" if clock else ""
    more = f'<b class="cut">+{len(text) - _SHOWN}</b>' if len(text) > _SHOWN else ""
    marked = ' class="error"' if number == shown.error else ""
    said = coloured(text[:_SHOWN], shown.requests)
    return f'<div id="L{number}"{marked}><a href="#L{number}">{number}</a>{time}<span>{said}{more}</span></div>\n'


def coloured(text: str, requests: str = "") -> str:
    """A line with its colours as `<span class="f1 bold">`."""
    text = _NOISE.sub("", text)
    if "\x1b" not in text:
        return _linked(text, requests)
    pieces = _COLOURS.split(text)
    style: frozenset[str] = frozenset()
    told = [_span(pieces[0], style, requests)]
    for codes, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        style = _styled(style, codes)
        told.append(_span(piece, style, requests))
    return "".join(told)


def _span(text: str, style: frozenset[str], requests: str) -> str:
    clean = _linked(text.replace("\x1b", ""), requests)
    return f'<span class="{" ".join(sorted(style))}">{clean}</span>' if style and clean else clean


def _linked(text: str, requests: str) -> str:
    escaped = html.escape(text, quote=False)
    if not requests or "req-" not in escaped:
        return escaped
    return REQUEST.sub(lambda found: f'<a href="{requests}{found[0]}">{found[0]}</a>', escaped)


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
