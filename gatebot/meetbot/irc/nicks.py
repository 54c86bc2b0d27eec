# SPDX-License-Identifier: Apache-2.0
"""The bot's nick: another one where it is taken, and the right one back as soon as that can be had.

Pure. Whoever is logged in asks the services for it; the network's MONITOR, or else ISON, tells when it is free.
"""

from __future__ import annotations

from collections.abc import Sequence

from .features import Features

SERVICES = "nickserv"


def another(wanted: str, refused: str) -> str:
    """The nick to try after one was refused."""
    longer = refused + "_"
    return longer if len(longer) <= len(wanted) + 6 else f"{wanted}-"


def begin(wanted: str, features: Features, logged_in: bool) -> list[str]:
    """What to send when we were let in under another nick."""
    ask = [f"PRIVMSG NickServ :REGAIN {wanted}"] if logged_in else []
    return [*ask, f"MONITOR + {wanted}"] if features.monitor else [*ask, f"ISON {wanted}"]


def look(wanted: str, features: Features) -> list[str]:
    """What to ask from time to time while the nick is another's."""
    return [] if features.monitor else [f"ISON {wanted}"]


def is_free(wanted: str, features: Features, command: str, arguments: Sequence[str]) -> bool:
    """Whether a message tells that the nick can be had: 731 of MONITOR, 303 of ISON."""
    fold = features.fold
    told = [word.partition("!")[0] for word in arguments[-1].replace(",", " ").split()] if arguments else []
    here = fold(wanted) in {fold(word) for word in told}
    return here if command == "731" else command == "303" and not here


def services_said(wanted: str, text: str) -> list[str]:
    """The next try after what the services answered: those that know no REGAIN know GHOST."""
    lower = text.lower()
    if "regain" in lower and any(word in lower for word in ("unknown", "invalid", "no such")):
        return [f"PRIVMSG NickServ :GHOST {wanted}"]
    if "has been ghosted" in lower or ("ghost" in lower and "disconnected" in lower):
        return [f"NICK {wanted}"]
    return []
