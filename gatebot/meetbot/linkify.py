# SPDX-License-Identifier: Apache-2.0
"""What in a text deserves a link: addresses, the changes and builds of this site, bugs of its trackers.

Pure: a text becomes pieces, each with the address it leads to or none, and with the state that what it names has now;
renderers escape every piece. Only `http` and `https` addresses are linked in running text; a `#link` item may use the
other harmless schemes. States are asked for once, for all texts of a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from ..access_rules import Actor
from ..targets import Place, path_of, places, topic_of
from .model import Bug, State
from .ports import States

_PARTICLE = re.compile(r"[가-힣]+")
_MOST = 500  # things whose states one page shows
_MOST_BUGS = 20
_FOLLOWED = 40  # of them, the last, are followed by an open page


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `url` is None where it leads nowhere. `state` is what is known of what it names.

    `tail` is a Korean particle behind a link with a state, which nothing may part from its word.
    """

    text: str
    url: str | None = None
    state: State | None = None
    tail: str = ""


class Unknown:
    """No states, and no bugs: what texts name is linked, and nothing is told of it."""

    async def of(self, actor: Actor, targets: Sequence[str]) -> Mapping[str, State]:
        """Nothing."""
        return {}

    def bugs(self, text: str) -> Sequence[Bug]:
        """None."""
        return ()

    def bug_at(self, address: str) -> str:
        """None."""
        return ""


@dataclass(frozen=True, slots=True)
class _Read:
    """What texts of one page name of bugs, each read once: rules of trackers cost more than all else here."""

    states: States
    found: dict[str, Sequence[Bug]] = field(default_factory=dict[str, Sequence[Bug]])

    async def of(self, actor: Actor, targets: Sequence[str]) -> Mapping[str, State]:
        """As they are."""
        return await self.states.of(actor, targets)

    def bugs(self, text: str) -> Sequence[Bug]:
        """What a text names."""
        if (found := self.found.get(text)) is None:
            found = self.found[text] = self.states.bugs(text)
        return found

    def bug_at(self, address: str) -> str:
        """What an address is of."""
        return self.states.bug_at(address)


@dataclass(frozen=True, slots=True)
class Known:
    """What one page knows of the things that its texts name. `site` is the address of this site; `bugs` are those whose
    state may come, as when somebody begins to fix one."""

    site: str = ""
    states: Mapping[str, State] = field(default_factory=dict[str, State])
    source: States = field(default_factory=Unknown)
    bugs: tuple[str, ...] = ()

    def pieces(self, text: str, at: datetime | None = None) -> Iterator[Piece]:
        """The text in order, cut where links begin and end; `at` is when it was said.

        Words that are older than the change or build of their number do not mean it, as in logs of another site.
        """
        end = 0
        for start, stop, url, target in sorted(self._links(text), key=lambda link: link[0]):
            state = self.states.get(target)
            if state is not None and not state.is_meant(at):
                if url == path_of(target):
                    continue
                state = None
            if start < end:
                continue
            if start > end:
                yield Piece(text[end:start])
            particle = _PARTICLE.match(text, stop) if state is not None else None
            end = particle.end() if particle is not None else stop
            yield Piece(text[start:stop], url, state, text[stop:end])
        if end < len(text):
            yield Piece(text[end:])

    def html(self, text: str) -> str:
        """The text as HTML: escaped, with its links and, in words, the states."""
        return "".join(map(_html, self.pieces(text)))

    def named(self, text: str, at: datetime) -> list[tuple[str, State]]:
        """What a text of some moment names, as far as its state is known."""
        found = dict.fromkeys(target for *_, target in sorted(self._links(text), key=lambda link: link[0]))
        states = [(target, self.states[target]) for target in found if target in self.states]
        return [(target, state) for target, state in states if state.is_meant(at)]

    @property
    def topics(self) -> str:
        """What an open page follows to stay true, to be added to its own topics."""
        shown = list(dict.fromkeys((*self.bugs, *self.states)))[-_FOLLOWED:]
        return "".join(f",{topic_of(target)}" for target in shown)

    def _links(self, text: str) -> Iterator[tuple[int, int, str, str]]:
        for place in places(text, self.site):
            yield place.start, place.end, place.url or path_of(place.target), _target(place, self.source)
        for bug in self.source.bugs(text):
            yield bug.start, bug.end, bug.url, f"bug/{bug.url}"


async def known(states: States, actor: Actor, site: str, texts: Iterable[str]) -> Known:
    """What a reader may know of everything that some texts name; of too many things, of the last."""
    states, named = _Read(states), list[str]()
    for text in texts:
        named += [target for place in places(text, site) if (target := _target(place, states))]
        named += [f"bug/{bug.url}" for bug in states.bugs(text)]
    newest = list(dict.fromkeys(reversed(named)))
    bugs = [target for target in newest if target.startswith("bug/")][:_MOST_BUGS]
    targets = [target for target in newest if not target.startswith("bug/")][:_MOST]
    asked = [*targets, *bugs]
    found = await states.of(actor, asked) if asked else dict[str, State]()
    told = {target: found[target] for target in reversed(asked) if target in found}
    return Known(site, told, states, tuple(reversed(bugs)))


def _target(place: Place, states: States) -> str:
    """What an address or a word is of; also of the bug that an address elsewhere is of."""
    if place.target or not place.url:
        return place.target
    bug = states.bug_at(place.url)
    return f"bug/{bug}" if bug else ""


def pieces(text: str) -> Iterator[Piece]:
    """The text in order, cut where links begin and end; nothing is known of what it names."""
    return Known().pieces(text)


def html(text: str) -> str:
    """The text as HTML: escaped, with its links."""
    return Known().html(text)


def _html(piece: Piece) -> str:
    if not piece.url:
        return escape(piece.text, quote=False)
    state = piece.state
    title = f' title="{escape(state.title)}"' if state is not None and state.title else ""
    link = f'<a href="{escape(piece.url)}"{title}>{escape(piece.text, quote=False)}</a>{piece.tail}'
    return f'{link} <span class="state {escape(state.kind)}">[{escape(state.plain)}]</span>' if state else link
