# SPDX-License-Identifier: Apache-2.0
"""What commands do to a board, with the replies of OpenDev's ptgbot; what it has no words for says what to do.

Pure: nothing here changes a board, it only tells the facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ...expressions import strictly
from ..lines import is_safe_url
from ..webchat.words import is_guest
from .model import Answer, Board, Event, Fact, Speaker, Verb
from .reading import ADMIN, OTHERS, TRACK, USER, Said, To

CAPABILITY = "manageBoards"
_COLOR = re.compile(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?|[a-zA-Z]{3,24}")
_NAME = re.compile(r"[^\s#+~/?%]{1,40}")
_LEVELS = ("info", "success", "warning", "danger")
_MOST = 300
_ADMIN = ", ".join(f"~{word}" for word in ADMIN)


def decide(event: Event, board: Board, said: Said, who: Speaker, at: datetime, site: str) -> Answer | None:
    """What a command does; None: it is none for a board."""
    match said.to:
        case To.PERSON:
            return _person(board, said, who, at)
        case To.TRACK:
            return _track(event, board, said, who, at, site)
        case To.BOARD:
            return _admin(event, board, said, who, at, site)


def nowhere(command: str, where: Sequence[str], site: str) -> str:
    """Somebody says a command of a board in a channel without one; `where` are the channels that have one."""
    if command == "#here":
        return "#here is no command of mine: who speaks in a meeting is counted as present."
    told = f"There is no board in this channel, so nothing comes of {command}."
    if where:
        return f"{told} One is led in {', '.join(where)}:  {site}/board"
    return f"{told} An administrator makes one with a section [board.NAME] in gatebot.toml."


def _person(board: Board, said: Said, who: Speaker, at: datetime) -> Answer:
    match said.word:
        case "in":
            return _in(board, said.rest, who, at)
        case "out":
            return _out(board, said.rest, who, at)
        case "seen":
            return Answer(reply=_seen(board, said.words))
        case "subscribe":
            return _subscribe(board, said.rest, who, at)
        case _:
            had = board.subscriptions.get(who.key)
            if had is None:
                return Answer(reply="You don't have a subscription regex set yet")
            gone = Fact(Verb.UNSUBSCRIBE, who.key, "", at, who.nick)
            return Answer((gone,), f"Cancelled subscription {had.regex}")


def _in(board: Board, location: str, who: Speaker, at: datetime) -> Answer:
    if not location:
        return Answer(reply="The 'in' command should be followed by a location.")
    named = location.removeprefix("#").lower()
    if location.startswith("#") and named not in board.tracks:
        return Answer(reply=f"Unrecognised track #{named}")
    place = f"#{named}" if named in board.tracks else location[:_MOST]
    here = Fact(Verb.IN, who.nick, place, at, who.nick)
    return Answer((here,), f"OK, checked into {place} - thanks for the update!")


def _out(board: Board, rest: str, who: Speaker, at: datetime) -> Answer:
    if rest:
        return Answer(reply="The 'out' command does not accept any extra parameters.")
    was = board.checkins.get(who.nick.lower())
    if was is None:
        return Answer(reply="You weren't checked in anywhere yet!")
    if was.until is not None:
        return Answer(reply=f"You already checked out of {was.location} at {_moment(was.until)}!")
    gone = Fact(Verb.OUT, who.nick, "", at, who.nick)
    return Answer((gone,), f"OK, checked out of {was.location} - thanks for the update!")


def _seen(board: Board, words: list[str]) -> str:
    if len(words) != 1:
        return "The 'seen' command needs a single nick argument."
    was = board.checkins.get(words[0].lower())
    if was is None:
        return f"{words[0]} never checked in anywhere"
    if was.until is None:
        return f"{was.nick} was last seen in {was.location} at {_moment(was.since)}"
    return f"{was.nick} checked out of {was.location} at {_moment(was.until)}"


def _subscribe(board: Board, regex: str, who: Speaker, at: datetime) -> Answer:
    had = board.subscriptions.get(who.key)
    if not regex:
        told = f"Your current subscription regex is: {had.regex}" if had else None
        return Answer(reply=told or "You don't have a subscription regex set yet")
    try:
        strictly(f"(?i){regex[:_MOST]}")
    except ValueError as error:
        return Answer(reply=f"Invalid regex: {error}")
    wants = Fact(Verb.SUBSCRIBE, who.key, regex[:_MOST], at, who.nick)
    return Answer((wants,), f"Subscription set to {regex[:_MOST]}" + (f" (was {had.regex})" if had else ""))


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _track(event: Event, board: Board, said: Said, who: Speaker, at: datetime, site: str) -> Answer | None:
    track, (verb, _, rest) = said.word, said.rest.partition(" ")
    verb, rest = verb.lower(), rest.strip()
    if not track:
        return Answer(
            reply=f"I accept commands in the following format: '#TRACK COMMAND [PARAMETERS]'. {_doc(event, site)}"
        )
    if track == "here":
        return Answer(reply="Say where you are with #in, such as: #in the lobby")
    if track not in board.tracks:
        # Not everything that begins with a hash is meant for a board.
        known = f"Active tracks: {' '.join(board.tracks)}" if board.tracks else "There are no active tracks defined yet"
        return Answer(reply=f"Unknown track '{track}'. {known}") if verb in TRACK else None
    if board.known_only and not who.username:
        return Answer(reply=f"Need a known account to issue commands. {_known_by(who, site)}")
    if not verb:
        return Answer(reply=f"Missing track command (#TRACK {'|'.join(TRACK[:3])}...). {_doc(event, site)}")
    if verb in ("book", "unbook"):
        return _book(event, board, track, verb, rest, who, at)
    told, text = _parameter(verb, track, rest)
    if told:
        return Answer(reply=told)
    fact = Fact(Verb.CLEAN if verb in ("clean", "clear") else Verb(verb), track, text, at, who.nick)
    told_of = tuple(_notices(board, track, verb, text)) if fact.verb in (Verb.NOW, Verb.NEXT) else ()
    return Answer((fact,), told=told_of)


def _parameter(verb: str, track: str, rest: str) -> tuple[str, str]:
    """What is wrong with what follows a track's command, and what of it is kept."""
    match verb:
        case "now" | "next":
            return ("", rest[:_MOST]) if rest else (f"Missing sentence (#TRACK {verb} ...)", "")
        case "clean" | "clear":
            return ("'#TRACK clean' does not take any parameter", "") if rest else ("", "")
        case "etherpad" | "url":
            nothing = "auto" if verb == "etherpad" else "none"
            if rest == nothing:
                return "", ""
            safe = rest.lower().startswith(("http://", "https://")) and is_safe_url(rest)
            return ("", rest[:_MOST]) if safe else (f"'#TRACK {verb}' takes a single URL parameter", "")
        case "color":
            return ("", rest) if _COLOR.fullmatch(rest) else ("'#TRACK color' takes a single colorcode parameter", "")
        case "location":
            return "", rest[:_MOST]
        case _:
            return f"Unknown command '{verb}'. Did you mean: {track} now {verb}... ? There are: {', '.join(TRACK)}.", ""


def _book(event: Event, board: Board, track: str, verb: str, slot: str, who: Speaker, at: datetime) -> Answer:
    named = next((one for one in slots(event) if one.lower() == slot.lower()), None)
    room, _, time = slot.partition("-")
    holder = board.bookings.get(named) if named is not None else None
    if verb == "book":
        if named is None or holder is not None:
            free = [one for one in slots(event) if one not in board.bookings]
            more = f" Free: {', '.join(free[:8])}." if free else ""
            return Answer(reply=f"Slot '{slot}' is invalid (or booked).{more}")
        booked = Fact(Verb.BOOK, track, named, at, who.nick)
        return Answer((booked,), f"Room {room} is now booked on {time} for {track}")
    if named is None or holder != track:
        return Answer(reply=f"Slot '{slot}' is invalid (or not booked for {track})")
    freed = Fact(Verb.UNBOOK, track, named, at, who.nick)
    return Answer((freed,), f"Room {room} (previously booked for {track}) is now free on {time}")


def _known_by(who: Speaker, site: str) -> str:
    return f"Sign in:  {site}/login" if is_guest(who.nick) else f"Link it here:  {site}/settings/irc"


def slots(event: Event) -> list[str]:
    """What may be booked."""
    return [f"{room}-{slot}" for room in event.rooms for slot in event.slots]


def _notices(board: Board, track: str, verb: str, text: str) -> Iterator[tuple[str, str, str]]:
    """Who is told of it: network, nick, and what."""
    where = f"#{track} ({board.locations[track]})" if track in board.locations else f"#{track}"
    for key, wants in board.subscriptions.items():
        if strictly(f"(?i){wants.regex}").search(f"#{track} {verb} {text}"):
            yield key.partition(" ")[0], wants.nick, f"{verb} in {where}: {text}"


def _admin(event: Event, board: Board, said: Said, who: Speaker, at: datetime, site: str) -> Answer:
    def one(verb: Verb, subject: str = "", text: str = "") -> Fact:
        return Fact(verb, subject, text, at, who.nick)

    if said.word == "list":
        return Answer(reply=f"Available tracks: {' '.join(board.tracks)}")
    if not who.username:
        return Answer(reply=f"Need a known account for admin commands. {_known_by(who, site)}")
    if not who.manages:
        told = f"~{said.word} needs the capability {CAPABILITY}, which {who.username} does not have"
        return Answer(reply=f"{told}. An administrator can give it in All-Projects.")
    match said.word:
        case "add" | "del" | "clean" | "clear":
            named = [word.lower().removeprefix("#") for word in said.words]
            if not named or not all(_NAME.fullmatch(word) for word in named):
                return Answer(reply="This command takes one or more arguments" + (": names of tracks" if named else ""))
            verb = Verb.CLEAN if said.word == "clear" else Verb(said.word)
            tracks = list(dict.fromkeys(named))
            wrong = _wrong_tracks(board, verb, tracks)
            return Answer(reply=wrong) if wrong else Answer(tuple(one(verb, track) for track in tracks), "Done.")
        case "newday":
            return Answer((one(Verb.NEWDAY),), "Done: a new day.")
        case "emptydb" if said.rest.lower() != event.name.lower():
            sure = f"If you mean it: ~emptydb {event.name}"
            return Answer(reply=f"~emptydb takes away everything, the tracks too. {sure}")
        case "emptydb":
            return Answer((one(Verb.EMPTY),), "Done: the board is empty.")
        case "requirevoice" | "requireaccount":
            return Answer((one(Verb.REQUIRE),), "From now on only people with a linked account move tracks.")
        case "alloweveryone":
            return Answer((one(Verb.ALLOW),), "From now on everybody moves tracks.")
        case "motd":
            return _motd(board, said.words, said.rest, who, at)
        case _:
            return Answer(reply=f"Unknown command '{said.word}'. There are: {_ADMIN}.")


def _wrong_tracks(board: Board, verb: Verb, named: Iterable[str]) -> str:
    """Why some tracks cannot be added, removed or cleaned; then none of them is."""
    if verb is Verb.ADD:
        taken = [track for track in named if track in OTHERS or track in USER or track == "here"]
        return f"#{taken[0]} is a command, so no track can be called so." if taken else ""
    unknown = [track for track in named if track not in board.tracks]
    return f"There is no track {unknown[0]}. Available tracks: {' '.join(board.tracks)}" if unknown else ""


def _motd(board: Board, words: list[str], rest: str, who: Speaker, at: datetime) -> Answer:
    """Messages of the day, numbered from 1; what is left after a removal is told by the old numbers."""
    verb, told, last = (words[0].lower() if words else ""), words[1:], len(board.motd)
    wrong = next((one for one in told if not (one.isdecimal() and 0 < int(one[:6]) <= last)), None)
    match verb:
        case "":
            return Answer(reply="Missing subcommand (~motd add|del|clean|reorder ...)")
        case "add":
            if len(told) < 2:
                return Answer(reply="Missing parameters (~motd add LEVEL MSG)")
            level, text = told[0].lower(), rest.split(None, 2)[2]
            if level not in _LEVELS:
                return Answer(reply=f"Incorrect message level '{told[0]}' (should be info, success, warning or danger)")
            return Answer((Fact(Verb.MOTD_ADD, level, text[:_MOST], at, who.nick),), "Done.")
        case "del" | "reorder" if not told:
            usage = "message number (~motd del NUM)" if verb == "del" else "params (~motd reorder X Y...)"
            return Answer(reply=f"Missing {usage}")
        case "del" | "reorder" if wrong is not None:
            return Answer(reply=f"Incorrect message number {wrong}")
        case "del":
            kept = " ".join(str(one) for one in range(1, last + 1) if one != int(told[0]))
            return Answer((Fact(Verb.MOTD_DEL, "", kept, at, who.nick),), "Done.")
        case "reorder":
            return Answer((Fact(Verb.MOTD_REORDER, "", " ".join(dict.fromkeys(told)), at, who.nick),), "Done.")
        case "clean" | "clear":
            if told:
                return Answer(reply="'~motd clean' does not take parameters")
            return Answer((Fact(Verb.MOTD_CLEAN, "", "", at, who.nick),), "Done.")
        case _:
            return Answer(reply=f"Unknown motd subcommand {verb}. There are: add, del, clean, reorder.")


def _doc(event: Event, site: str) -> str:
    return f"See doc at: {site}/board/{event.name}"
