# SPDX-License-Identifier: Apache-2.0
"""The commands of a meeting, one small pure function each, with OpenDev's replies word for word.

`ANYONE` and `CHAIRS` are the two tables of who may say what. A handler gets a `Turn` and returns the step that
follows: the meeting after it (None: it is over), the entries it appends, the replies of the bot.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import lines, names, voting
from .model import Act, Chair, Entry, EntryKind, Line, Meeting, Reply, Setting, Standing

Step = tuple[Meeting | None, tuple[Entry, ...], tuple[Reply, ...]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One command in its meeting: what the handlers look at."""

    meeting: Meeting
    line: Line
    rest: str
    setting: Setting

    def may_lead(self, name: str) -> bool:
        """Whether the speaker may use a chair's command; anyone may end a meeting past its time."""
        late = self.line.at >= self.meeting.started + timedelta(minutes=self.setting.due)
        if name == "startvote" or (name == "endmeeting" and late):
            return True
        return self.is_chair

    @property
    def is_chair(self) -> bool:
        """Whether the speaker is the owner or a chair: by account where both are told, else by nick."""
        return any(self._is(chair) for chair in (self.meeting.owner, *self.meeting.chairs))

    def _is(self, chair: Chair) -> bool:
        if chair.account and self.line.account is not None:
            return chair.account == self.line.account
        return self.same(chair.nick, self.line.nick)

    def same(self, one: str, other: str) -> bool:
        """Whether two nicks are one. OpenDev's bot tells Ann from ann."""
        return one == other or (not self.setting.strict and lines.folded_nick(one) == lines.folded_nick(other))

    def entry(self, kind: EntryKind, text: str) -> Entry:
        """A fact made by this line."""
        return Entry(kind, self.line.at, self.line.nick, text, self.meeting.said, self.line.id)

    def facts(self, kind: EntryKind, texts: list[str]) -> tuple[Entry, ...]:
        """Facts of one kind, one for each text."""
        return tuple(self.entry(kind, text) for text in texts)


Handler = Callable[[Turn], Step]

_MOST_ABSENT = 3
_MOST_PRESENT = 2_000
_EXAMPLES = {
    EntryKind.TOPIC: "#topic WHAT COMES NOW",
    EntryKind.SUBTOPIC: "#subtopic WHAT COMES NOW",
    EntryKind.INFO: "#info WHAT IS TO BE KNOWN",
    EntryKind.IDEA: "#idea WHAT MIGHT BE DONE",
    EntryKind.ACTION: "#action WHO DOES WHAT",
    EntryKind.AGREED: "#agreed WHAT WAS AGREED",
    EntryKind.ACCEPTED: "#accepted WHAT WAS ACCEPTED",
    EntryKind.REJECTED: "#rejected WHAT WAS REJECTED",
    EntryKind.HELP: "#help WHAT HELP IS WANTED WITH",
    EntryKind.LINK: "#link ADDRESS",
    EntryKind.DONE: "#done NUMBER, or #done and words of an action",
}
_VOTING = "#startvote QUESTION? OPTION, OPTION"
_USEFUL = "Useful Commands: #action #agreed #help #info #idea #link #topic #startvote."


def say(*texts: str) -> tuple[Reply, ...]:
    """Replies that are spoken."""
    return tuple(Reply(text) for text in texts)


def channel_topic(meeting: Meeting) -> Reply:
    """The channel's topic as the meeting wants it."""
    title = f" (Meeting topic: {meeting.title})" if meeting.title else ""
    return Reply(meeting.topic + title, Act.TOPIC)


def begin(turn: Turn) -> Step:
    """A meeting begins, or in strict mode begins once more: greet, take its title and its name."""
    line, setting, title = turn.line, turn.setting, turn.rest.strip()
    greeting = (
        f"Meeting started {line.at.ctime()} UTC and is due to finish in {setting.due} minutes.  "
        f"The chair is {turn.meeting.owner.nick}. Information about MeetBot at {setting.about}."
    )
    meeting, replies = turn.meeting, say(greeting, _USEFUL)
    entries = (turn.entry(EntryKind.STARTED, setting.channel), *_present(turn))
    for handler in ([_meetingtopic] * turn.is_chair + [_meetingname]) if title else ():
        after, more, said = handler(Turn(meeting, line, title, setting))
        assert after is not None
        meeting, entries, replies = after, (*entries, *more), (*replies, *said)
    return meeting, entries, replies


def _present(turn: Turn) -> tuple[Entry, ...]:
    """Who is in the channel when a meeting begins, where that is known: some never say a word."""
    nicks = sorted(turn.setting.present or (), key=lambda nick: (lines.folded_nick(nick), nick))[:_MOST_PRESENT]
    return (turn.entry(EntryKind.PRESENT, " ".join(nicks)),) if nicks and not turn.setting.strict else ()


def _item(kind: EntryKind) -> Handler:
    """A command that adds an item to the minutes and does nothing else; without words, only strictly."""

    def add(turn: Turn) -> Step:
        if not turn.setting.strict and not turn.rest.strip():
            return turn.meeting, (), say(f"#{kind} needs words: {_EXAMPLES[kind]}. Nothing was noted.")
        item = turn.entry(kind, turn.rest.rstrip())
        return replace(turn.meeting, last=Standing(item, turn.meeting.last)), (item,), ()

    return add


def _topic(turn: Turn) -> Step:
    after, entries, said = _item(EntryKind.TOPIC)(turn)
    if after is None or not entries:
        return after, entries, said
    after = replace(after, topic=turn.rest.rstrip())
    return after, entries, (channel_topic(after),)


def _meetingtopic(turn: Turn) -> Step:
    title = turn.rest.strip()
    title = "" if title.lower() in ("none", "unset") else title
    after = replace(turn.meeting, title=title)
    return after, (turn.entry(EntryKind.TITLE, title),), (channel_topic(after),)


def _meetingname(turn: Turn) -> Step:
    slug = names.slug(turn.rest, turn.setting.strict)
    if not turn.setting.strict:
        slug = slug or names.default_name(turn.meeting.channel)
    said = say(f"The meeting name has been set to '{slug}'")
    return replace(turn.meeting, name=slug), (turn.entry(EntryKind.NAME, slug),), said


def _nicks(turn: Turn) -> list[str]:
    """Nicks separated by blanks and commas; to OpenDev's bot a tab is a part of a nick."""
    parted = re.split(r"[, ]+" if turn.setting.strict else r"[,\s]+", turn.rest.strip())
    return [nick for nick in map(str.strip, parted) if nick]


def _current_chairs(meeting: Meeting) -> str:
    nicks = {chair.nick for chair in (meeting.owner, *meeting.chairs)}
    return "Current chairs: " + " ".join(sorted(nicks, key=str.encode))


def _chair(turn: Turn) -> Step:
    fold = str if turn.setting.strict else lines.folded_nick
    seated = {fold(chair.nick) for chair in turn.meeting.chairs}
    new = [nick for nick in dict.fromkeys(_nicks(turn)) if fold(nick) not in seated]
    present = None if turn.setting.present is None else set(map(fold, turn.setting.present))
    absent = [nick for nick in new if present is not None and fold(nick) not in present]
    if len(absent) > _MOST_ABSENT and not turn.setting.strict:
        absent = [" ".join(absent)]  # one line, where so many would flood the channel
    after = replace(turn.meeting, chairs=(*turn.meeting.chairs, *(Chair(nick) for nick in new)))
    warnings = [f"Warning: Nick not in channel: {nick}" for nick in absent]
    return after, turn.facts(EntryKind.CHAIR, new), say(*warnings, _current_chairs(after))


def _unchair(turn: Turn) -> Step:
    named = turn.rest.split() if turn.setting.strict else _nicks(turn)
    gone = [chair.nick for chair in turn.meeting.chairs if any(turn.same(chair.nick, nick) for nick in named)]
    after = replace(turn.meeting, chairs=tuple(c for c in turn.meeting.chairs if c.nick not in gone))
    return after, turn.facts(EntryKind.UNCHAIR, gone), say(_current_chairs(after))


def _nick(turn: Turn) -> Step:
    return turn.meeting, turn.facts(EntryKind.KNOWN, _nicks(turn)), ()


def _undo(turn: Turn) -> Step:
    """Take the last standing item out of the minutes; outside strict mode an undone topic is put back as well."""
    if turn.meeting.last is None:
        return turn.meeting, (), ()
    last, below = turn.meeting.last.item, turn.meeting.last.below
    text = lines.link(last.text).url if last.kind is EntryKind.LINK else last.text
    replies = say(f"Removing item from minutes: #{last.kind} {text}")
    after = replace(turn.meeting, last=below)
    if last.kind is EntryKind.TOPIC and not turn.setting.strict:
        before = [item.text for item in after.standing if item.kind is EntryKind.TOPIC]
        after = replace(after, topic=before[-1] if before else "")
        replies = (*replies, channel_topic(after))
    return after, (turn.entry(EntryKind.UNDO, ""),), replies


def _lurk(turn: Turn) -> Step:
    return replace(turn.meeting, lurking=True), (), ()


def _unlurk(turn: Turn) -> Step:
    return replace(turn.meeting, lurking=False), (), ()


def _restrictlogs(turn: Turn) -> Step:
    """OpenDev's bot fails over the sentence after it has done the work, so strictly it is never heard."""
    said = () if turn.setting.strict else say("Restricting permissions on minutes: -0o77 on next #save")
    return turn.meeting, (turn.entry(EntryKind.RESTRICTED, ""),), said


def _save(turn: Turn) -> Step:
    """Nothing changes; whoever keeps files writes them as the meeting stands."""
    return turn.meeting, (turn.entry(EntryKind.SAVED, ""),), ()


def _commands(turn: Turn) -> Step:
    known = {"startmeeting", *ANYONE, *CHAIRS} - (OURS if turn.setting.strict else frozenset())
    return turn.meeting, (), say("Available commands: " + " ".join(sorted(f"#{name}" for name in known)))


def _startvote(turn: Turn) -> Step:
    meeting = turn.meeting
    if not turn.is_chair:
        return meeting, (), say("Only the meeting chair may start a vote.")
    if meeting.vote is not None:
        return meeting, (), say(f"Already voting on '{meeting.vote.question.removesuffix('?')}'")
    vote = voting.open_vote(turn.rest, turn.setting.strict)
    if vote is None:
        hint = () if turn.setting.strict else (f"Say {_VOTING}. Without options it is Yes or No.",)
        return meeting, (), say("Unable to parse vote topic and options.", *hint)
    offer = f"Begin voting on: {vote.question} Valid vote options are {', '.join(vote.options)}."
    return replace(meeting, vote=vote), (), say(offer, "Vote using '#vote OPTION'. Only your last vote counts.")


def _vote(turn: Turn) -> Step:
    vote, nick = turn.meeting.vote, turn.line.nick
    if vote is None:
        closed = f"{nick}: no vote is open. A chair opens one with {_VOTING}."
        return turn.meeting, (), () if turn.setting.strict else (Reply(closed, aside=True),)
    counted = voting.cast(vote, nick, turn.rest, turn.setting.strict)
    if counted is None:
        valid = ", ".join(vote.options)
        choice = turn.rest if turn.setting.strict else turn.rest.strip()
        told = f"{nick}: {choice} is not a valid option. Valid options are {valid}."
        return turn.meeting, (), (Reply(told, aside=not turn.setting.strict),)
    after = replace(turn.meeting, vote=counted)
    if not turn.setting.confirms or turn.setting.strict:
        return after, (), ()
    counts = f"Your vote counts: {counted.ballots[-1][1]}. Only your last vote does."
    return after, (), (Reply(counts, Act.NOTICE, to=nick, aside=True),)


def _showvote(turn: Turn) -> Step:
    vote = turn.meeting.vote
    return turn.meeting, (), say(*voting.table(vote)) if vote else ()


def _endvote(turn: Turn) -> Step:
    return _vote_closed(turn)


def _vote_closed(turn: Turn, note: str = "") -> Step:
    """The open vote, if there is one, becomes an item of the minutes; `note` tells what else is to be known of it."""
    vote = turn.meeting.vote
    if vote is None:
        return turn.meeting, (), ()
    item = turn.entry(EntryKind.VOTE, voting.sentence(vote, turn.setting.strict) + (f" ({note})" if note else ""))
    after = replace(turn.meeting, vote=None, last=Standing(item, turn.meeting.last))
    said = (f'Voted on "{vote.question}" Results are', *voting.table(vote), *((f"({note})",) if note else ()))
    return after, (item,), say(*said)


def _endmeeting(turn: Turn) -> Step:
    """Close an open vote (strict: lose it), give the channel its topic back, name the minutes, and stop."""
    meeting, setting = turn.meeting, turn.setting
    closed: Step = (meeting, (), ())
    if meeting.vote is not None and not setting.strict:
        closed = _vote_closed(turn, "the vote was open until the end of the meeting")
    name = meeting.name or names.default_name(meeting.channel)
    place = setting.location or names.location(name, meeting.started, setting.taken)
    replies = () if meeting.lurking else (*closed[2], *parting(meeting, turn.line.at, place, setting))
    return None, (*closed[1], turn.entry(EntryKind.ENDED, place)), replies


def parting(meeting: Meeting, ended: datetime, place: str, setting: Setting) -> tuple[Reply, ...]:
    """What a meeting leaves its channel: the topic from before it, and where the minutes are."""
    old, url = meeting.old_topic, names.address(setting.prefix, place)
    restore = (Reply(old, Act.TOPIC),) if old or (old is not None and not setting.strict) else ()
    farewell = say(
        f"Meeting ended {ended.ctime()} UTC.  Information about MeetBot at {setting.about} . (v {setting.version})",
        f"Minutes:        {url}.html",
        f"Minutes (text): {url}.txt",
        f"Log:            {url}.log.html",
    )
    return (*restore, *farewell)


ANYONE: dict[str, Handler] = {
    "action": _item(EntryKind.ACTION),
    "info": _item(EntryKind.INFO),
    "idea": _item(EntryKind.IDEA),
    "help": _item(EntryKind.HELP),
    "halp": _item(EntryKind.HELP),
    "link": _item(EntryKind.LINK),
    "nick": _nick,
    "commands": _commands,
    "meetingname": _meetingname,
    "vote": _vote,
    "showvote": _showvote,
}
CHAIRS: dict[str, Handler] = {
    "endmeeting": _endmeeting,
    "topic": _topic,
    "subtopic": _item(EntryKind.SUBTOPIC),
    "progress": _item(EntryKind.SUBTOPIC),
    "done": _item(EntryKind.DONE),
    "meetingtopic": _meetingtopic,
    "agreed": _item(EntryKind.AGREED),
    "agree": _item(EntryKind.AGREED),
    "accepted": _item(EntryKind.ACCEPTED),
    "accept": _item(EntryKind.ACCEPTED),
    "rejected": _item(EntryKind.REJECTED),
    "reject": _item(EntryKind.REJECTED),
    "chair": _chair,
    "unchair": _unchair,
    "undo": _undo,
    "lurk": _lurk,
    "unlurk": _unlurk,
    "restrictlogs": _restrictlogs,
    "save": _save,
    "startvote": _startvote,
    "endvote": _endvote,
}
OURS = frozenset({"subtopic", "progress", "done"})
"""Commands that OpenDev's bot does not have: strictly, they are words like any others."""
