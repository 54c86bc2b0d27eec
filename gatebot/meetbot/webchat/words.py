# SPDX-License-Identifier: Apache-2.0
"""What people may say from the web, under which nick, and how fast.

Pure: times are arguments. A nick from the web always ends in a mark with a character that no network lets into nicks,
so nobody is taken for somebody else: `ann/web` has signed in here as ann, `ann/guest` says so himself. A relay's
nick that looks like one of these is changed where it comes in.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import datetime

from ..irc.pace import Bucket, bucket
from ..lines import plain

LONGEST = 400
"""Characters of what is said at once."""
_SIGNED_IN = "/web"
_GUEST = "/guest"
_NICK = re.compile(r"[\w-]{1,20}")
_GUEST_BURST, _GUEST_RATE = 4, 0.25
_BURST, _RATE = 8, 0.5  # who leads a meeting says its commands one after the other
_ALL_BURST, _ALL_RATE = 20, 1.0
_KNOWN = 10_000


def of_account(username: str) -> str:
    """The nick of somebody who has signed in; no two accounts have the same."""
    return username + _SIGNED_IN


def username_of(nick: str) -> str:
    """Whose account a nick from the web is; empty for guests, and for every nick on IRC."""
    return nick.removesuffix(_SIGNED_IN) if nick.endswith(_SIGNED_IN) else ""


def is_guest(nick: str) -> bool:
    """Whether somebody speaks from the web and has not signed in; no nick on IRC looks like this."""
    return nick.endswith(_GUEST)


def of_guest(name: str) -> str | None:
    """The nick of a guest; None where the name is none."""
    return f"{name}{_GUEST}" if _NICK.fullmatch(name) else None


def said(text: str) -> str:
    """A text as one line, without what formats or ends lines on IRC; empty where nothing is left."""
    return " ".join(plain(" ".join(text.splitlines())).split())


class Brake:
    """How fast one person, and all guests of a channel together, may speak; the longest unheard are forgotten first."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def wait(self, person: str, channel: str, now: datetime) -> float:
        """Seconds until this person may speak; 0: now, and it is counted."""
        at = now.timestamp()
        own = (_GUEST_BURST, _GUEST_RATE) if person.startswith("guest") else (_BURST, _RATE)
        mine = self._buckets.get(person) or bucket(*own, at)
        everybody = self._buckets.get(channel) or bucket(_ALL_BURST, _ALL_RATE, at)
        wait = max(mine.wait(at), everybody.wait(at))
        if not wait:
            for key, one in ((person, mine), (channel, everybody)):
                self._buckets[key] = one.take(at)
                self._buckets.move_to_end(key)
            while len(self._buckets) > _KNOWN:
                self._buckets.popitem(last=False)
        return wait
