# SPDX-License-Identifier: Apache-2.0
"""Minutes for wikis and forges: `.md`, `.mediawiki`, and PmWiki on request.

Pure. One layout, three dialects: a dialect says how a heading, a nested item, bold and text of people are written.
OpenDev's wiki writers escape nothing, and strictly neither do these.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape as _escape

from .. import lines, names
from ..model import Entry, EntryKind, Setting
from .fold import Minutes
from .text import MISSING, absences_told, changed_by, clock, edits_told, wrap

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+.!|<>&~:@^$=\-\"'])")
_WIKI = re.compile(r"[\[\]{}'*#=|:~<>&_;\-!]|//")
_PM_WIKI = re.compile(r"[\[\]{}'*#=|:~<>&_;\-!%@(^+$`]|//")


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How things are written: `escape` a text, `link` an address, `heading` of a level, bullets of depth 1 to 3."""

    escape: Callable[[str], str]
    link: Callable[[str], str]
    heading: Callable[[str, int], str]
    bullets: tuple[str, str, str]
    bold: str
    slanted: str


def _as_it_is(text: str) -> str:
    return text


def _flat(text: str) -> str:
    """A text on one line: a break would end an item."""
    return " ".join(text.split("\n"))


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", _flat(text))


def _markdown_link(url: str) -> str:
    address = re.sub(r"[<>\\\s]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), url)
    return f"[{_markdown(url)}](<{address}>)"


def _wiki(text: str) -> str:
    return f"<nowiki>{_escape(_flat(text), quote=False)}</nowiki>" if _WIKI.search(text) else _flat(text)


def _wiki_link(url: str) -> str:
    return re.sub(r"[<>\[\]\"'{}|]", lambda found: f"%{ord(found[0]):02X}", url)


def _pm_wiki(text: str) -> str:
    return f"[={_flat(text).replace('=]', '&#61;]')}=]" if _PM_WIKI.search(text) else _flat(text)


def _markdown_heading(text: str, level: int) -> str:
    return f"{'#' * level} {text}\n"


def _wiki_heading(text: str, level: int) -> str:
    return f"{'=' * level} {text} {'=' * level}\n"


def _pm_heading(text: str, level: int) -> str:
    return f"{'!' * level} {text}\n"


_MARKDOWN_DIALECT = _Dialect(
    _markdown,
    _markdown_link,
    _markdown_heading,
    ("- ", "  - ", "    - "),
    "**",
    "*",
)
_STARS = ("* ", "** ", "*** ")


def minutes_markdown(minutes: Minutes, setting: Setting) -> str:
    """The `.md` file."""
    logs = _markdown_link_to(minutes)
    opening = f"Meeting started by {_markdown(minutes.owner)} at {clock(minutes.started)} UTC. {logs}"
    return _page(minutes, setting, _MARKDOWN_DIALECT, opening) + "\n"


def _markdown_link_to(minutes: Minutes) -> str:
    return f"The [full logs](<{names.address('', minutes.base)}.log.html>) are available."


def minutes_mediawiki(minutes: Minutes, setting: Setting) -> str:
    """The `.mediawiki` file."""
    escape, link = (_as_it_is, _as_it_is) if setting.strict else (_wiki, _wiki_link)
    dialect = _Dialect(escape, link, _wiki_heading, _STARS, "'''", "''")
    return _page(minutes, setting, dialect, _wiki_opening(minutes, setting, escape))


def minutes_pmwiki(minutes: Minutes, setting: Setting) -> str:
    """The page for PmWiki."""
    escape, link = (_as_it_is, _as_it_is) if setting.strict else (_pm_wiki, _wiki_link)
    dialect = _Dialect(escape, link, _pm_heading, _STARS, "'''", "''")
    return _page(minutes, setting, dialect, _wiki_opening(minutes, setting, escape))


def _wiki_opening(minutes: Minutes, setting: Setting, escape: Callable[[str], str]) -> str:
    full = names.address(setting.prefix, minutes.location) + ".log.html"
    started = f"Meeting started by {escape(minutes.owner)} at {clock(minutes.started)} UTC.  "
    return wrap(f"{started}The full logs are available at {full} .", hang=0)


def _page(minutes: Minutes, setting: Setting, dialect: _Dialect, opening: str) -> str:
    escape = dialect.escape
    actions = [f"* {escape(item.text)}" for item in minutes.actions] or ["* (none)"]
    people = [f"{dialect.bullets[0]}{escape(nick)} ({count})" for nick, count in minutes.people]
    markdown = dialect is _MARKDOWN_DIALECT
    about = f"[MeetBot](<{setting.about}>)" if markdown else f"MeetBot {setting.version} ({setting.about})"
    sections = [
        f"{dialect.heading(escape(minutes.heading), 1)}\n\n{opening}",
        _section(dialect, "Meeting summary", _summary(minutes, dialect, setting.strict)),
        f"Meeting ended at {clock(minutes.ended)} UTC.",
        _section(dialect, "Action items", [dialect.bullets[0] + line[2:] for line in actions]),
        _by_person(minutes, dialect, setting.strict),
        _list(dialect, "Done items", [item.text for item in minutes.of(EntryKind.DONE)]),
        _list(dialect, MISSING, absences_told(minutes)),
        _list(dialect, "Changed after the end", edits_told(minutes)),
        _section(dialect, "People present (lines said)", people),
        f"Generated by {about}{f' {setting.version}' if markdown else ''}",
    ]
    return "\n\n\n\n".join(section for section in sections if section)


def _section(dialect: _Dialect, heading: str, body: list[str]) -> str:
    return "\n".join([dialect.heading(heading, 2), *body])


def _list(dialect: _Dialect, heading: str, told: list[str]) -> str:
    return _section(dialect, heading, [dialect.bullets[0] + dialect.escape(text) for text in told]) if told else ""


def _summary(minutes: Minutes, dialect: _Dialect, strict: bool) -> list[str]:
    body: list[str] = []
    depth = 0
    for item, who in minutes.marked:
        told = f"{_told(item, dialect, strict)}  ({dialect.escape(item.nick)}, {clock(item.at)})"
        told += f" {dialect.escape(changed_by(who).strip())}" if who else ""
        if item.kind is EntryKind.TOPIC:
            body += [""] if depth else []
            depth = 1
            body.append(dialect.bullets[0] + told)
        elif item.kind is EntryKind.SUBTOPIC:
            body.append(dialect.bullets[min(depth, 1)] + told)
            depth = min(depth, 1) + 1
        else:
            body.append(dialect.bullets[depth] + told)
    return body


def _told(item: Entry, dialect: _Dialect, strict: bool) -> str:
    kind, bold, slanted = item.kind, dialect.bold, dialect.slanted
    text = _link(item.text, dialect, strict) if kind is EntryKind.LINK else dialect.escape(item.text)
    if kind in (EntryKind.TOPIC, EntryKind.SUBTOPIC):
        return f"{bold}{text}{bold}" if text.strip() or strict else ""
    return text if kind is EntryKind.INFO else f"{slanted}{kind.upper()}:{slanted} {text}"


def _link(text: str, dialect: _Dialect, strict: bool) -> str:
    """A link item: the address is one only where it does no harm."""
    link = lines.link(text)
    if strict:
        return link.prefix + link.url + link.suffix
    found = any(f"{protocol}//" in link.url for protocol in lines.PROTOCOLS) and lines.is_safe_url(link.url)
    url = dialect.link(link.url) if found else dialect.escape(link.url)
    return dialect.escape(link.prefix) + url + dialect.escape(link.suffix)


def _by_person(minutes: Minutes, dialect: _Dialect, strict: bool) -> str:
    """Actions by person, under the same conditions as in the text."""
    if not (minutes.by_person if strict else minutes.actions):
        return ""
    first, second, _ = dialect.bullets
    body: list[str] = []
    for nick, items in minutes.by_person:
        body += [first + dialect.escape(nick), *(second + dialect.escape(item.text) for item in items)]
    if len(minutes.unassigned) > (1 if strict else 0):
        body += [f"{first}**UNASSIGNED**", *(second + dialect.escape(item.text) for item in minutes.unassigned)]
    return _section(dialect, "Action items, by person", body)
