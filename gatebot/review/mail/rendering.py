# SPDX-License-Identifier: Apache-2.0
"""A letter as an internet message for one reader: headers that nobody can break out of, text, HTML.

Pure. Everything that people wrote goes through `_clean` into headers and through escaping into HTML. Text is sent
quoted-printable, so that no line is longer than SMTP carries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from .letters import Translate
from .model import Block, Form, Letter
from .quoting import answered

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST = 300
#: Ids of messages stay on their line: some programs do not read them where they are folded.
_UNFOLDED = SMTP.clone(max_line_length=900)
_ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ADDRESS = re.compile(rf"{_ATOMS}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a letter goes to one reader. `to` and `cc` are all whom it names; `unsubscribe` is this reader's address."""

    sender: str
    site_name: str
    reader: str
    to: tuple[tuple[str, str], ...] = ()
    cc: tuple[tuple[str, str], ...] = ()
    unsubscribe: str = ""
    settings: str = ""
    plain: bool = False


def message(letter: Letter, envelope: Envelope, gettext: Translate) -> bytes:
    """The whole message. Raises `ValueError` where an address cannot be one."""
    found = EmailMessage(policy=SMTP)
    found["From"] = _address(f"{letter.writer} ({envelope.site_name})", envelope.sender)
    if to := _addresses(envelope.to):
        found["To"] = to
    if cc := _addresses(envelope.cc):
        found["Cc"] = cc
    if not to and not cc:
        found["To"] = _address(letter.writer, envelope.sender)
    if letter.writer_email and (reply := _addresses([(letter.writer, letter.writer_email)])):
        found["Reply-To"] = reply
    found["Subject"] = clean(letter.subject)
    found["Date"] = format_datetime(letter.at)
    found["Message-ID"] = letter.id
    if not letter.first:
        found["In-Reply-To"] = letter.thread
        found["References"] = letter.thread
    for name, value in letter.headers:
        found[name] = clean(value)
    if envelope.unsubscribe:
        found["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    ending = Ending(letter.url, envelope.settings, envelope.unsubscribe)
    found.set_content(text_of(letter, gettext, ending), subtype="plain", charset="utf-8", cte="quoted-printable")
    if not envelope.plain:
        html = html_of(letter, gettext, ending)
        found.add_alternative(html, subtype="html", charset="utf-8", cte="quoted-printable")
    return found.as_bytes(policy=_UNFOLDED)


@dataclass(frozen=True, slots=True)
class Notice:
    """A text for one reader that is about no change; `sender` is a name and an address."""

    sender: tuple[str, str]
    reader: str
    subject: str
    text: str


def notice(told: Notice, at: datetime, id: str) -> bytes:
    """The whole message. Raises `ValueError` where an address cannot be one."""
    found = EmailMessage(policy=SMTP)
    found["From"] = _address(*told.sender)
    found["To"] = _address("", told.reader)
    found["Subject"] = clean(told.subject)
    found["Date"] = format_datetime(at)
    found["Message-ID"] = f"<gatebot.{id}@{told.sender[1].rpartition('@')[2]}>"
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(told.text.rstrip() + "\n", subtype="plain", charset="utf-8", cte="quoted-printable")
    return found.as_bytes(policy=_UNFOLDED)


def clean(text: str) -> str:
    """A text as one line of a header."""
    return _UNPRINTABLE.sub(" ", text).strip()[:_LONGEST]


def _addresses(people: Iterable[tuple[str, str]]) -> list[Address]:
    """Those that can be written; one bad address does not keep the mail from the others."""
    found: list[Address] = []
    for name, email in people:
        try:
            found.append(_address(name, email))
        except ValueError:
            continue
    return found


def _address(name: str, email: str) -> Address:
    if not can_be_mailed(email):
        raise ValueError(f"{email} is no address")
    return Address(clean(name), addr_spec=email)


def can_be_mailed(email: str) -> bool:
    """Whether an address can stand in a header and be sent to. `@localhost` is what accounts without one have."""
    return _ADDRESS.fullmatch(email) is not None and not email.lower().endswith("@localhost")


@dataclass(frozen=True, slots=True)
class Ending:
    """The addresses at the end of a letter; the archive keeps only the first, the others are the reader's own."""

    view: str
    settings: str = ""
    unsubscribe: str = ""


def text_of(letter: Letter, gettext: Translate, ending: Ending) -> str:
    """The letter as plain text."""
    parts = [_text(block) for block in letter.blocks]
    parts.append("\n".join(["-- ", *_ending(gettext, ending, lambda url: url)]))
    parts.append("\n".join(f"{name}: {clean(value)}" for name, value in letter.footers))
    return "\n\n".join(part for part in parts if part) + "\n"


def _ending(gettext: Translate, ending: Ending, link: Callable[[str], str]) -> list[str]:
    lines = [gettext("To view, visit %(url)s") % {"url": link(ending.view)}]
    if ending.settings:
        lines.append(gettext("To choose what you are mailed, visit %(url)s") % {"url": link(ending.settings)})
    if ending.unsubscribe:
        lines.append(gettext("To hear no more of this project, visit %(url)s") % {"url": link(ending.unsubscribe)})
    return lines


def _text(block: Block) -> str:
    match block.form:
        case Form.QUOTED:
            return _quoted(block.text)
        case Form.LINK:
            return f"    {block.url}"
        case _:
            return _legible(block.text)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def unsaid(archived: str, said: str, instead: str) -> str:
    """The text of a letter in the archive where other words stand in the place of a comment, and where it is quoted."""
    text = f"\n\n{archived}\n\n"  # blocks have an empty line between them
    for before, after in ((_legible(said.strip()), instead), (_quoted(answered(said)), _quoted(instead))):
        text = text.replace(f"\n\n{before}\n\n", f"\n\n{after}\n\n")
    return text[2:-2]


def html_of(letter: Letter, gettext: Translate, ending: Ending) -> str:
    """The letter as HTML, in the few elements that mail programs show."""
    parts = [_html(block) for block in letter.blocks]
    lines = "<br>".join(_ending(gettext, ending, lambda url: f'<a href="{escape(url)}">{escape(url)}</a>'))
    parts.append(f'<p style="color:#666">{lines}</p>')
    footers = "".join(f"<div>{escape(f'{name}: {clean(value)}')}</div>" for name, value in letter.footers)
    parts.append(f'<div style="display:none">{footers}</div>')
    return f"<!DOCTYPE html><html><body>{''.join(parts)}</body></html>\n"


def _html(block: Block) -> str:
    text = escape(_legible(block.text))
    match block.form:
        case Form.SAID:
            return f'<p style="white-space:pre-wrap">{text}</p>'
        case Form.CODE:
            return f'<pre style="white-space:pre-wrap;font-family:monospace">{text}</pre>'
        case Form.QUOTED:
            style = "white-space:pre-wrap;border-left:2px solid #aaa;padding-left:8px"
            return f'<blockquote style="{style}">{text}</blockquote>'
        case Form.HEADING:
            return f"<p><b>{text}</b></p>"
        case Form.LINK:
            return f'<p><a href="{escape(block.url)}">{escape(block.url)}</a></p>'
        case Form.RULE:
            return "<hr>"


def _legible(text: str) -> str:
    """Text without what would move a terminal's cursor or an HTML parser's mind."""
    return "".join(letter for letter in text.replace("\r\n", "\n") if letter in "\n\t" or letter.isprintable())


def readable(blocks: Sequence[Block]) -> str:
    """The blocks as the archive shows them."""
    return "\n\n".join(_text(block) for block in blocks)
