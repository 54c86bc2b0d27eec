# SPDX-License-Identifier: Apache-2.0
"""A board from its facts, one after the other.

Pure. `after` takes one fact; facts that mean nothing (any more) change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from types import MappingProxyType
from typing import Never, TypeVar

from .model import Board, CheckIn, Fact, Subscription, Verb

T = TypeVar("T")
_NOTHING: Mapping[str, Never] = MappingProxyType({})


def board(tracks: Iterable[str], facts: Iterable[Fact]) -> Board:
    """How a board stands after all its facts; `tracks` are those that it begins with."""
    return reduce(after, facts, Board(tracks=tuple(sorted(dict.fromkeys(tracks)))))


def after(before: Board, fact: Fact) -> Board:
    """The board after one more fact."""
    track, text = fact.subject, fact.text
    match fact.verb:
        case Verb.NOW:
            return replace(before, now=_with(before.now, track, text), next=_without(before.next, track))
        case Verb.NEXT:
            several = (*before.next.get(track, ()), text)
            return replace(before, next=_with(before.next, track, several))
        case Verb.CLEAN:
            return replace(before, now=_without(before.now, track), next=_without(before.next, track))
        case Verb.ETHERPAD:
            return replace(before, etherpads=_set(before.etherpads, track, text))
        case Verb.URL:
            return replace(before, urls=_set(before.urls, track, text))
        case Verb.COLOR:
            return replace(before, colors=_set(before.colors, track, text))
        case Verb.LOCATION:
            return replace(before, locations=_set(before.locations, track, text))
        case Verb.BOOK:
            return replace(before, bookings=_with(before.bookings, text, track))
        case Verb.UNBOOK:
            return replace(before, bookings=_without(before.bookings, text))
        case Verb.ADD:
            return replace(before, tracks=tuple(sorted({*before.tracks, track})))
        case Verb.DEL:
            return replace(before, tracks=tuple(one for one in before.tracks if one != track))
        case _:
            return _whole(before, fact)


def _whole(before: Board, fact: Fact) -> Board:
    """What is about the whole board, and about people."""
    match fact.verb:
        case Verb.NEWDAY:
            return replace(before, now=_NOTHING, next=_NOTHING, locations=_NOTHING, checkins=_NOTHING, motd=())
        case Verb.EMPTY:
            return Board()
        case Verb.MOTD_ADD:
            return replace(before, motd=(*before.motd, (fact.subject, fact.text)))
        case Verb.MOTD_DEL | Verb.MOTD_REORDER:
            kept = [int(number) for number in fact.text.split()]
            return replace(before, motd=tuple(before.motd[one - 1] for one in kept if 0 < one <= len(before.motd)))
        case Verb.MOTD_CLEAN:
            return replace(before, motd=())
        case Verb.REQUIRE | Verb.ALLOW:
            return replace(before, known_only=fact.verb is Verb.REQUIRE)
        case Verb.IN:
            here = CheckIn(fact.subject, fact.text, fact.at)
            return replace(before, checkins=_with(before.checkins, fact.subject.lower(), here))
        case Verb.OUT:
            was = before.checkins.get(fact.subject.lower())
            if was is None:
                return before
            return replace(before, checkins=_with(before.checkins, fact.subject.lower(), replace(was, until=fact.at)))
        case Verb.SUBSCRIBE:
            wants = Subscription(fact.nick, fact.text)
            return replace(before, subscriptions=_with(before.subscriptions, fact.subject, wants))
        case Verb.UNSUBSCRIBE:
            return replace(before, subscriptions=_without(before.subscriptions, fact.subject))
        case _:
            return before


def _with(known: Mapping[str, T], key: str, value: T) -> Mapping[str, T]:
    return MappingProxyType({**known, key: value})


def _without(known: Mapping[str, T], key: str) -> Mapping[str, T]:
    return MappingProxyType({name: value for name, value in known.items() if name != key})


def _set(known: Mapping[str, str], key: str, value: str) -> Mapping[str, str]:
    """With the value; without any where it is empty."""
    return _with(known, key, value) if value else _without(known, key)
