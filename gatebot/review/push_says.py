# SPDX-License-Identifier: Apache-2.0
"""What the pusher reads: the lines behind `remote:`, and the report that git gets.

Gerrit's lines, which clients parse, stay as they are in every language; what explains them and how
to go on is said in the reader's language by `words.py`. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .. import words
from ..reasons import Reason, reason
from . import push_given
from .model import Change
from .push import Pushed, Reviewed
from .receive import Command, Refusal, Refused

_SUBJECT_LENGTH, _CROP_RANGE = 80, 10
_FOOTER = "Contact an administrator to fix the permissions"


def refusal(refused: Refused, commands: Sequence[Command], username: str = "", language: str = "en") -> list[str]:
    """Every error with what to do about it; the same advice is given once."""
    progress = f"Processing changes: refs: {len(commands)}, done"
    return [*_rights(refused, commands, username), progress, *_errors(refused, language)]


def _rights(refused: Refused, commands: Sequence[Command], username: str) -> list[str]:
    """Gerrit's blocks about missing rights: the references under what is advised."""
    lacking: dict[str, list[str]] = {}
    for one in refused.refusals:
        if one.advice:
            refs = [one.ref] if one.ref else [command.ref for command in commands]
            lacking.setdefault(one.advice, []).extend(refs)
    said: list[str] = []
    for advice, refs in lacking.items():
        said += [f"error: branch{'es' if len(refs) > 1 else ''} {', '.join(refs)}:", *advice.splitlines()]
    return [*said, f"User: {username}", _FOOTER] if said else []


def _errors(refused: Refused, language: str) -> list[str]:
    said: list[str] = list(refused.said)
    advised: set[str] = set()
    for one in refused.refusals:
        said += one.lines
        if one.commit:
            said += _of_commit(one, language)
        hint = words.say(one.hint, language) if one.hint is not None else ""
        if hint and hint not in advised:
            advised.add(hint)
            said += ["", *hint.splitlines(), ""]
    return said


def _of_commit(one: Refusal, language: str) -> list[str]:
    """What Gerrit says of a commit: the text and what follows it, or (a `told` that begins no new line) instead."""
    told = words.say(one.told, language) if one.told is not None else ""
    if told and not told.startswith("\n"):
        return f"ERROR: commit {one.commit[:7]}: {told}".split("\n")
    return f"ERROR: {one.status}\n{told}".split("\n") if told else [f"ERROR: {one.status}"]


def success(
    done: Reviewed | Pushed, url: Callable[[Change], str], language: str = "en", *, commands: Sequence[Command] = (),
    username: str = "", hook: str = "",
) -> list[str]:  # fmt: skip
    """What became of the push, oldest change first, and what comes next."""
    if isinstance(done, Pushed):
        closed = f"closed: {len(done.closed)}, " if done.closed else ""
        told = [words.say(reason("review.push-closed-change", url=url(change)), language) for change in done.closed]
        progress = f"Processing changes: refs: {len(commands)}, {closed}done"
        return [*_rights(done.rejected, commands, username), progress, *_errors(done.rejected, language), *told]
    made = len(done.made)
    counts = {"new": made, "updated": 0 if done.edits else len(done.changes) - made}
    parts = ["refs: 1", *(f"{name}: {count}" for name, count in counts.items() if count), "done"]
    lines = [f"Processing changes: {', '.join(parts)}", *done.warnings, "", "SUCCESS", ""]
    shown = [line for one in done.changes for line in _shown(one, done, url)]
    wip = [words.say(one, language) for one in _unfinished(done)]
    going = any(not change.work_in_progress for change in done.changes)
    after = [*([words.say(reason("review.push-next"), language)] if going else []), *wip]
    if done.edits:
        publish, discard = (
            "\n".join(f"  curl -u {username} -X {call}" for call in calls)
            for calls in (
                [f"POST {done.edits}/{one.number}/edit:publish" for one in done.changes],
                [f"DELETE {done.edits}/{one.number}/edit" for one in done.changes],
            )
        )
        after = [*words.say(reason("review.push-edits", commands=publish, discards=discard), language).splitlines()]
    elif done.first:
        at = url(done.changes[0])
        told = reason("review.push-first-given", url=at) if done.given else reason("review.push-first", url=at)
        after = [*words.say(told, language).splitlines(), *wip]
    return [*lines, *shown, "", *_given(done, hook, language), *after, ""]


def _shown(change: Change, done: Reviewed, url: Callable[[Change], str]) -> list[str]:
    """A change, and the votes that it has lost: Gerrit's lines."""
    lost = [f"* {one}" for one in done.outdated.get(change.number, ())]
    told = ["", "The following approvals got outdated and were removed:", *lost, ""] if lost else []
    return [f"  {url(change)} {cropped(change.subject)}{_marks(change, done)}", *told]


def _unfinished(done: Reviewed) -> tuple[Reason, ...]:
    """What is work in progress waits for the pusher himself: how it goes on."""
    begun = [one for one in done.changes if one.work_in_progress]
    return (reason("review.push-wip", branch=begun[-1].branch),) if begun else ()


def cropped(subject: str) -> str:
    """A subject as Gerrit shortens it, at a blank where one is near."""
    if len(subject) <= _SUBJECT_LENGTH:
        return subject
    most = _SUBJECT_LENGTH - 3
    cuts = (cut for cut in range(most, most - _CROP_RANGE, -1) if subject[cut - 1].isspace())
    return subject[: next(cuts, most)] + "..."


def _marks(change: Change, done: Reviewed) -> str:
    new = change.number in done.made
    shown = (
        (bool(done.edits), " [EDIT]"),
        (change.private, " [PRIVATE]"),
        (change.work_in_progress, " [WIP]"),
        (new, " [NEW]"),
    )
    return "".join(mark for holds, mark in shown if holds)


def _given(done: Reviewed, hook: str, language: str) -> list[str]:
    """The Change-Ids that were made up, with one line that adds them to the commits and installs the hook."""
    if not done.given:
        return []
    commits = ", ".join(commit.short for commit in done.given)
    command = f"{hook} ; {push_given.command(done.given, done.ids, done.tip, done.base)}"
    if len(done.given) == 1:
        told = reason("review.push-given-one", commits=commits, command=command)
    else:
        told = reason("review.push-given-several", commits=commits, command=command)
    return [*words.say(told, language).splitlines(), ""]


def report(commands: Sequence[Command], done: Reviewed | Pushed | Refused) -> list[str]:
    """The lines of git's `proc-receive` report: each reference, done or not."""
    refused = done.rejected if isinstance(done, Pushed) else done if isinstance(done, Refused) else Refused(())
    lines: list[str] = []
    for command in commands:
        why = refused.of(command.ref)
        # git reads one line here: what follows the first is said beside it.
        lines.append(f"ng {command.ref} {why.status.partition(chr(10))[0]}" if why else f"ok {command.ref}")
    return lines


def causes(refused: Refused) -> Mapping[str, str]:
    """For each reference the text in the brackets behind `[remote rejected]`; "" stands for all others."""
    found = {one.ref: one.status for one in reversed(refused.refusals)}
    return {"": refused.refusals[0].status, **found}
