# SPDX-License-Identifier: Apache-2.0
"""A page that irclog2html made of a log, read back into a log, in both of its XHTML styles.

Pure. The moment of a line is in the id of its row (`t2014-05-27T22:00:05`, `-2` behind it for another line of that
second); what stands in the row is who and what, or an event as the log had it.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

NAME = "irclog2html"
_PAGE = re.compile(r"<(?:table|div) class=\"irclog\">")
_MOMENT = re.compile(r"t(?:(\d{4}-\d\d-\d\d)T)?(\d\d:\d\d(?::\d\d)?)(?:-\d+)?")


def is_page(text: str) -> bool:
    """Whether a text is such a page."""
    return _PAGE.search(text) is not None


def as_log(text: str) -> str:
    """Its lines, each with its moment, as loggers write them."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return "\n".join(reader.lines)


class _Reader(HTMLParser):
    """Collects rows: a `tr`, or a `p`, below the log's own element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._log = ""  # the element that holds the rows, while it is open
        self._row: str | None = None
        self._moment = self._nick = self._text = ""
        self._part = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A row begins, or the part of one that holds nick, text or clock."""
        told = dict(attrs)
        kind = told.get("class") or ""
        if tag in ("table", "div") and kind == "irclog":
            self._log = tag
        elif self._log and tag in ("tr", "p"):
            self._row, self._moment, self._nick, self._text = tag, told.get("id") or "", "", ""
            self._part = "text" if tag == "p" else ""
        elif self._row and kind in ("nick", "time"):
            self._part = kind
        elif self._row and tag in ("td", "span"):
            self._part = "text" if kind else ""

    def handle_endtag(self, tag: str) -> None:
        """A row ends, or the clock before the text of a `p`."""
        if self._row == "p" and tag == "a" and self._part == "time":
            self._part = "text"
        if tag != self._row:
            self._log = "" if tag == self._log else self._log
            return
        found = _MOMENT.fullmatch(self._moment)
        text = self._text.replace("\xa0", " ").strip()
        nick = self._nick.strip().removeprefix("<").removesuffix(">")
        body = f"<{nick}> {text}" if nick else text
        if found is None:
            self.lines.append(body)
        else:
            self.lines.append(f"{found[1]}T{found[2]}  {body}" if found[1] else f"[{found[2]}] {body}")
        self._row = None

    def handle_data(self, data: str) -> None:
        """Words of the part that is open."""
        if self._row and self._part == "nick":
            self._nick += data
        elif self._row and self._part == "text":
            self._text += data
