# SPDX-License-Identifier: Apache-2.0
"""What one line does to a meeting: `reduce(state, line, setting) -> (state, entries, replies)`.

Pure: live, replayed and resumed meetings all take this path. `state` is None while no meeting runs. The
commands themselves live in `commands.py`; here is what every line does, command or not: count, learn who a
chair is, follow a nick, start and end.
"""

from __future__ import annotations

from dataclasses import replace

from . import absences, lines, voting
from .commands import ANYONE, CHAIRS, OURS, Step, Turn, begin
from .model import SPOKEN, Chair, Entry, EntryKind, Line, LineKind, Meeting, Reply, Setting

_NO_NAME = "A meeting name is required, e.g., '#startmeeting Marketing Committee'"
_RUNNING = "Can't start another meeting, one is in progress.  Use #endmeeting first."
_DEFAULT = Setting()


def reduce(state: Meeting | None, line: Line, setting: Setting = _DEFAULT) -> Step:
    """Take in one line. Lines that are nobody's speech change a meeting only by a change of nick
    and by what they say of the log."""
    if state is not None and line.kind is LineKind.NICK:
        return _renamed(state, line)
    if state is not None and absences.begins(line):
        return _muted(absences.told(state, line, setting))
    if line.kind not in SPOKEN:
        return state, (), ()
    obeyed = line.kind is LineKind.SAID and not line.own
    command = lines.command(line.text) if obeyed else None
    starts = command is not None and command.name == "startmeeting"
    if state is None:
        return _started(command.rest, line, setting) if command and starts else (None, (), ())
    meeting = _recognised(_counted(state), line)
    if line.own and setting.replayed and not setting.strict:
        return meeting, absences.read(meeting, line), ()
    if command is None:
        if obeyed and "//" in line.text and lines.is_bare_link(line.text):
            return ANYONE["link"](Turn(meeting, line, line.text, setting))
        return meeting, (), ()
    turn = Turn(meeting, line, command.rest, setting)
    if starts:
        return _started_again(turn)
    if setting.strict and command.name in OURS:
        return meeting, (), ()
    handler = ANYONE.get(command.name) or (CHAIRS.get(command.name) if turn.may_lead(command.name) else None)
    return _muted(handler(turn)) if handler else (meeting, (), ())


def _counted(state: Meeting) -> Meeting:
    """The state with one more line said. Every line comes through here: `replace` would take three times as long."""
    return Meeting(
        state.channel,
        state.owner,
        state.started,
        state.name,
        state.title,
        state.topic,
        state.old_topic,
        state.chairs,
        state.lurking,
        state.said + 1,
        state.last,
        state.vote,
    )


def _muted(step: Step) -> Step:
    """A lurking bot records and does not speak."""
    meeting, entries, _ = step
    return (meeting, entries, ()) if meeting is not None and meeting.lurking else step


def _started(text: str, line: Line, setting: Setting) -> Step:
    """A meeting begins: who starts it owns it."""
    if not text.strip() and not setting.replayed:
        return None, (), (Reply(_NO_NAME),)
    owner = Chair(line.nick, line.account or None)
    meeting = Meeting(setting.channel, owner, line.at, old_topic=setting.topic, said=1)
    return begin(Turn(meeting, line, text, setting))


def _started_again(turn: Turn) -> Step:
    """Refused; OpenDev's replay begins the meeting once more and keeps its items."""
    if not (turn.setting.strict and turn.setting.replayed):
        return turn.meeting, (), (Reply(_RUNNING),)
    return _muted(begin(replace(turn, meeting=replace(turn.meeting, started=turn.line.at))))


def _recognised(meeting: Meeting, line: Line) -> Meeting:
    """Learn the account of a chair who speaks for the first time, where the network tells it."""
    if not line.account:
        return meeting

    def known(chair: Chair) -> Chair:
        same = lines.folded_nick(chair.nick) == lines.folded_nick(line.nick)
        return replace(chair, account=line.account) if same and not chair.account else chair

    return replace(meeting, owner=known(meeting.owner), chairs=tuple(map(known, meeting.chairs)))


def _renamed(meeting: Meeting, line: Line) -> Step:
    """A nick change: the chair's seat and the voter's ballot follow the person."""
    old, new = line.nick, line.text

    def follow(chair: Chair) -> Chair:
        return replace(chair, nick=new) if lines.folded_nick(chair.nick) == lines.folded_nick(old) else chair

    after = replace(
        meeting,
        owner=follow(meeting.owner),
        chairs=tuple(map(follow, meeting.chairs)),
        vote=voting.rename(meeting.vote, old, new),
    )
    if after == meeting:
        return meeting, (), ()
    return after, (Entry(EntryKind.RENAMED, line.at, old, new, meeting.said, line.id),), ()
