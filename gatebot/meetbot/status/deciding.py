# SPDX-License-Identifier: Apache-2.0
"""What `#status`, `#success` and `#thanks` do, with the replies of OpenDev's statusbot.

Pure. Everybody celebrates and thanks; the status is told by accounts that may, and others read why not and what to do.
"""

from __future__ import annotations

from ..lines import command
from ..sisters.announcing import clean, clip
from ..sisters.asking import guest, unknown
from ..webchat.words import is_guest
from .model import STATUS, Kind, Person, Step

LONGEST = 400
CAPABILITY = "tellStatus"
_USAGE = (
    "#status log TEXT, #status notice TEXT, #status alert TEXT, #status ok [TEXT], #success TEXT, "
    "#thanks NICK [for TEXT]"
)
_WORDS = frozenset({"status", Kind.SUCCESS.value, Kind.THANKS.value})


def read(text: str) -> tuple[str, str] | None:
    """The command that a line is, with the rest of it; None: it is none of these."""
    found = command(text)
    if found is None or found.name not in _WORDS:
        return None
    return found.name, clip(clean(found.rest), LONGEST)


def decide(word: str, rest: str, nick: str, person: Person | None, site: str) -> Step:
    """What becomes of a command that somebody says; `person` is None for whom no account is known of."""
    match word:
        case "success" | "thanks" if not rest:
            return Step(first=f"{nick}: Say it like this: #{word} {'TEXT' if word == 'success' else 'NICK for TEXT'}")
        case "success":
            return Step(Kind.SUCCESS, rest, f"{nick}: Added success to Success page ({site}/successes)")
        case "thanks":
            return Step(Kind.THANKS, rest, f"{nick}: Added your thanks to Thanks page ({site}/thanks)")
        case _:
            return _status(rest, nick, person, site)


def _status(rest: str, nick: str, person: Person | None, site: str) -> Step:
    verb, _, text = rest.partition(" ")
    if verb.lower() not in STATUS:
        return Step(first=f"{nick}: unknown command. There are: {_USAGE}.")
    if person is None:
        told = guest(f"{site}/login", str) if is_guest(nick) else unknown(f"{site}/settings/irc", str)
        return Step(first=f"{nick}: {told}  Or tell it here:  {site}/status-log")
    if not person.may:
        told = f"#status needs the capability {CAPABILITY}, which {person.username} does not have"
        return Step(first=f"{nick}: {told}. An administrator can give it in All-Projects.")
    kind = Kind(verb.lower())
    if not text and kind is not Kind.OK:
        return Step(first=f"{nick}: Say it like this: #status {kind} TEXT")
    if kind is Kind.LOG:
        return Step(kind, text, f"{nick}: finished logging")
    return Step(kind, text, f"{nick}: sending {kind}", f"{nick}: finished sending {kind}", broadcast(kind, text))


def broadcast(kind: Kind, text: str) -> str:
    """What channels are told; nothing of what is only kept, and of an end without words."""
    return f"NOTICE: {text}" if kind in (Kind.NOTICE, Kind.ALERT, Kind.OK) and text else ""
