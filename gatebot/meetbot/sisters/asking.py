# SPDX-License-Identifier: Apache-2.0
"""What people ask the bot by its nick, and what it answers: one line, whatever is in it.

Pure. `gatebot: why 42` and `gatebot, why 42` are questions; a line that only mentions the bot is none. How much is
answered is decided in `patience.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from .announcing import LONGEST, clean, clip
from .model import Done, Found, Standing, Waits

Gettext = Callable[[str], str]

OBEYED = timedelta(hours=1)
"""How old a line may be to be a command: those of imported logs and of a long history are none any more."""

_ADDRESSED = re.compile(r"([^\s:,]+)[:,]\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"(?:https?://\S*?/)?#?(\d{1,9})/?")
_ITEMS = 4
FOR_ALL = frozenset({"#status", "#success", "#thanks"})
"""What is said in a channel, and by its sign."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the word of the command, and the rest."""

    word: str
    rest: str

    @property
    def number(self) -> int | None:
        """The change that it is about, by number or address."""
        found = _NUMBER.fullmatch(self.rest.strip())
        return int(found[1]) if found else None


def asked(nicks: Sequence[str], text: str) -> Asked | None:
    """The question that a line is, if it is said to one of these nicks."""
    found = _ADDRESSED.fullmatch(clean(text))
    if found is None or found[1].lower() not in [nick.lower() for nick in nicks]:
        return None
    return _question(found[2])


def whispered(nicks: Sequence[str], text: str) -> Asked | None:
    """The question that somebody asks the bot alone: its nick need not be said."""
    return asked(nicks, text) or _question(clean(text))


def _question(text: str) -> Asked | None:
    word, _, rest = text.partition(" ")
    return Asked(word.lower(), rest.strip()) if word else None


def standing(told: Standing) -> str:
    """Why a change is not merged yet."""
    why = "; ".join([*(f"{pipeline}: {sentence}" for pipeline, sentence in told.stays), told.why])
    head = f"{told.number} {clip(clean(told.subject), 100)} ({told.place}):"
    return _ended(f"{head} {clean(why)}", told.url)


def no_change(number: int, gettext: Gettext) -> str:
    """There is none, or it is not for everybody."""
    return gettext("There is no change %(number)d that everybody here may see.") % {"number": number}


def queues(told: Sequence[Waits], wanted: str, url: str, gettext: Gettext) -> str:
    """What is in the pipelines, or in one of them."""
    named = [one for one in told if not wanted or one.pipeline == wanted]
    if not named:
        known = ", ".join(dict.fromkeys(one.pipeline for one in told)) or "-"
        return gettext("There is no pipeline %(name)s. There are: %(known)s.") % {
            "name": clip(wanted, 40),
            "known": clip(known, 200),
        }
    full = [one for one in named if one.items]
    if not full:
        return _ended(gettext("Nothing is in the queues."), url)
    return _ended("; ".join(_queue(one, gettext, names=bool(wanted) or len(full) == 1) for one in full), url)


def _queue(one: Waits, gettext: Gettext, *, names: bool) -> str:
    told = gettext("%(pipeline)s: %(count)d in it") % {"pipeline": one.pipeline, "count": len(one.items)}
    if not names:
        return told
    shown = [f"{clip(clean(title), 60)} ({clip(clean(why), 60)})" if title else clean(why) for title, why in one.items]
    more = [gettext("and more")] if len(shown) > _ITEMS else []
    return f"{told}: {', '.join([*shown[:_ITEMS], *more])}"


def found(told: Found | None, gettext: Gettext) -> str:
    """What was found in the logs."""
    if told is None:
        return gettext("Nothing was found in the logs.")
    count = gettext("%(count)d found, the newest:") % {"count": told.count}
    return _ended(f"{count} {clip(clean(told.line), 200)}", f"{told.url}  {told.all}")


def help_text(gettext: Gettext) -> str:
    """What can be asked, and what is no question but said to everybody in a channel."""
    said = gettext(
        "In a channel, without my name: #status, #success, #thanks; where there is a board #TRACK, #in, ~list."
    )
    asked = gettext(
        "Ask me: why NUMBER (what a change waits for), queue [PIPELINE], search WORDS (in the logs), link (to this "
        "moment in the log), recheck NUMBER (who is linked to an account), help; here, or me alone by /msg."
    )
    return f"{asked} {said}"


def in_a_channel(word: str, gettext: Gettext) -> str:
    """Somebody says to the bot alone what is for everybody."""
    return gettext("Say %(word)s in a channel where I am: it is for everybody, and nothing comes of it here.") % {
        "word": word
    }


def no_such(word: str, gettext: Gettext) -> str:
    """A word that is no question; what is."""
    said = gettext("I do not know %(word)s.") % {"word": clip(clean(word), 40)}
    return f"{said} {help_text(gettext)}"


def not_heard(channel: str, gettext: Gettext) -> str:
    """A channel without a log."""
    return gettext("I know no log of %(channel)s.") % {"channel": clip(clean(channel), 60)}


def not_so(word: str, gettext: Gettext) -> str:
    """A question that lacks what it is about."""
    usage = {
        "why": "why 42", "search": "search port conflict", "recheck": "recheck 42", "confirm": "confirm CODE",
        "link": "link #channel",
    }[word]  # fmt: skip
    return gettext("Say it like this: %(usage)s") % {"usage": usage}


def unknown(url: str, gettext: Gettext) -> str:
    """Nobody proved to be an account asks for what accounts may do."""
    return _ended(gettext("I do not know whose account you are. Make a code here and say it to me:"), url)


def guest(url: str, gettext: Gettext) -> str:
    """Somebody who speaks from the web without an account asks for what accounts may do."""
    return _ended(gettext("You speak from the web without an account. Sign in, then say it again:"), url)


def done(done: Done, number: int, gettext: Gettext) -> str:
    """What became of a request for new checks."""
    if done.refused:
        return refused(done.refused)
    if not done.url:
        return no_change(number, gettext)
    said = gettext("Change %(number)d is checked again, asked by %(username)s.")
    return _ended(said % {"number": number, "username": done.username}, done.url)


def refused(why: str) -> str:
    """Why a question has no answer."""
    return clip(clean(why), LONGEST)


def too_much(seconds: int, gettext: Gettext) -> str:
    """Somebody asked more than is answered at once."""
    return gettext("That was much at once: I answer again in %(seconds)d s.") % {"seconds": seconds}


def not_logged_in(gettext: Gettext, *, told: bool) -> str:
    """Nothing proves who says a code."""
    if told:
        return gettext("Log in to the services of this network first, then say it again.")
    return gettext(
        "This network does not tell who is logged in, so that nobody can be linked here, unless an administrator makes "
        "a nick a proof by trust_nicks."
    )


def signed_in(username: str, gettext: Gettext) -> str:
    """A code was said from the web, where nobody has to prove who he is."""
    said = gettext("From the web you are %(username)s already. Say the code on IRC, with your nick there.")
    return said % {"username": username}


def confirmed(username: str, url: str, gettext: Gettext) -> str:
    """Whose account somebody is from now on."""
    if not username:
        return _ended(gettext("This code is none of mine, or it is older than ten minutes. Make a new one here:"), url)
    return gettext("You are %(username)s here from now on.") % {"username": username}


def _ended(text: str, url: str) -> str:
    end = f"  {url}" if url else ""
    return clip(text, max(LONGEST - len(end.encode()), 60)) + end
