# SPDX-License-Identifier: Apache-2.0
"""All files of a meeting's minutes, by their endings.

Pure: texts in memory; whoever wants files writes them. A new format is one more line of the table. `OTHER_FORMATS` are
those that OpenDev's writers knew and nobody's site serves: they are made on request.
"""

from __future__ import annotations

from collections.abc import Callable

from ..model import Setting
from .fold import Minutes
from .html import log_html, minutes_html
from .markup import minutes_markdown, minutes_mediawiki, minutes_pmwiki
from .record import minutes_json
from .rst import minutes_rst
from .table import minutes_table
from .text import log_text, minutes_text

FORMATS: dict[str, Callable[[Minutes, Setting], str]] = {
    ".html": minutes_html,
    ".txt": minutes_text,
    ".log.html": lambda minutes, _: log_html(minutes),
    ".log.txt": lambda minutes, _: log_text(minutes),
    ".json": lambda minutes, _: minutes_json(minutes),
    ".md": minutes_markdown,
    ".rst": minutes_rst,
    ".mediawiki": minutes_mediawiki,
}
LIVE_FORMATS: dict[str, Callable[[Minutes, Setting, Callable[[str], str]], str]] = {
    ".html": minutes_html,
    ".log.html": lambda minutes, _, tell: log_html(minutes, tell),
}
"""Those that a site shows with what it knows now: the last argument makes HTML of what people said."""
OTHER_FORMATS: dict[str, Callable[[Minutes, Setting], str]] = {
    ".1.html": minutes_table,
    ".pmwiki": minutes_pmwiki,
}


def render(minutes: Minutes, setting: Setting) -> dict[str, str]:
    """Every file, its ending as the key."""
    return {ending: write(minutes, setting) for ending, write in FORMATS.items()}
