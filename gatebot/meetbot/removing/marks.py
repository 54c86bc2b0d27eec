# SPDX-License-Identifier: Apache-2.0
"""What stands in place of words that an administrator removed.

It is kept in English, in the log and the record; pages say it in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable

BEGINNING = "[removed by an administrator"


def marker(why: str) -> str:
    """What stands in place of the words."""
    return f"{BEGINNING}: {why}]" if why else f"{BEGINNING}]"


def told(text: str, gettext: Callable[[str], str]) -> str:
    """A text as a page says it."""
    if not text.startswith(BEGINNING):
        return text
    return gettext("[removed by an administrator") + text.removeprefix(BEGINNING)
