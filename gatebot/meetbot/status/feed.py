# SPDX-License-Identifier: Apache-2.0
"""What was told, as an Atom feed.

Pure. Texts are anybody's: what XML cannot hold is left out, everything else is escaped by the library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree as xml

from .model import Entry

_ATOM = "http://www.w3.org/2005/Atom"
_ODD = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(entries: Sequence[Entry], title: str, site: str, path: str, now: datetime) -> bytes:
    """The feed of a page."""
    feed = xml.Element("feed", xmlns=_ATOM)
    _text(feed, "id", f"{site}{path}")
    _text(feed, "title", title)
    _text(feed, "updated", _moment(entries[0].at if entries else now))
    xml.SubElement(feed, "link", rel="self", href=f"{site}{path}.atom")
    xml.SubElement(feed, "link", href=f"{site}{path}")
    for one in entries:
        entry = xml.SubElement(feed, "entry")
        address = f"{site}{path}#told-{one.id}"
        _text(entry, "id", address)
        _text(entry, "title", f"{one.kind}: {one.text}" if one.text else one.kind)
        _text(entry, "updated", _moment(one.at))
        _text(xml.SubElement(entry, "author"), "name", one.nick)
        xml.SubElement(entry, "link", href=f"{site}{one.path}" if one.path else address)
        _text(entry, "content", one.text)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(feed, encoding="utf-8")


def _text(parent: xml.Element, name: str, text: str) -> None:
    xml.SubElement(parent, name).text = _ODD.sub("", text)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
