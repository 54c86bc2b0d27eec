# SPDX-License-Identifier: Apache-2.0
"""Which action a `#done` or a commit message means.

Pure. A number always means that action. Words mean the open action that holds them all, or whose words they all hold,
if there is only one such; who reports something else as done closes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .. import tokens
from .model import Action

_NUMBER = re.compile(r"(?:action\s*)?#?(\d{1,9})", re.IGNORECASE)
_FOOTER = re.compile(r"^(?:closes-action|action):[ \t]*#?(\d{1,9})[ \t]*$", re.IGNORECASE | re.MULTILINE)
_PROSE = re.compile(
    r"\b(?:closes?|closed|fix(?:es)?|resolves?|does|completes?)\s+action\s+#?(\d{1,9})\b", re.IGNORECASE
)
_FEWEST = 2  # words that tell an action from others


def number_in(text: str) -> int | None:
    """The number of an action, where that is all a text says."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1]) if found else None


def meant(text: str, open_actions: Sequence[Action]) -> tuple[Action, ...]:
    """The open actions that a `#done` may mean; it closes one when there is one."""
    if (number := number_in(text)) is not None:
        return tuple(action for action in open_actions if action.id == number)
    said = list(tokens.words(text))
    same = tuple(action for action in open_actions if list(tokens.words(action.text)) == said)
    if same or len(set(said)) < _FEWEST:
        return same
    return tuple(action for action in open_actions if _covers(set(said), set(tokens.words(action.text))))


def _covers(said: set[str], action: set[str]) -> bool:
    smaller, larger = sorted((said, action), key=len)
    return len(smaller) >= _FEWEST and smaller <= larger


def closed_by_message(message: str, site: str) -> tuple[int, ...]:
    """The actions that a commit message names: `Closes-Action: 12`, `closes action 12`, or the address of one."""
    address = re.compile(re.escape(site.rstrip("/")) + r"/actions/(\d{1,9})\b")
    found = [int(number) for pattern in (_FOOTER, _PROSE, address) for number in pattern.findall(message)]
    return tuple(dict.fromkeys(found))
