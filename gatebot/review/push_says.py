# SPDX-License-Identifier: Apache-2.0
"""What the pusher reads: the lines behind `remote:`, and the report that git gets.

Gerrit's lines, which clients parse, stay as they are in every language; what explains them and how
to go on is said in the reader's language by `words.py`. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import words
from ..reasons import reason
from .model import Change
from .push import Pushed, Reviewed
from .receive import Command, Refused


def refusal(refused: Refused, language: str = "en") -> list[str]:
    """Every error with what to do about it; the same advice is given once."""
    said: list[str] = []
    advised: set[str] = set()
    for one in refused.refusals:
        said.append(f"ERROR: {one.status}")
        hint = words.say(one.hint, language) if one.hint is not None else ""
        if hint and hint not in advised:
            advised.add(hint)
            said += ["", *hint.splitlines(), ""]
    return said


def success(done: Reviewed | Pushed, url: Callable[[Change], str], language: str = "en") -> list[str]:
    """What became of the push, oldest change first, and what comes next."""
    if isinstance(done, Pushed):
        told = [words.say(reason("review.push-closed-change", url=url(change)), language) for change in done.closed]
        return told
    made = len(done.made)
    counts = {"new": made, "updated": len(done.changes) - made}
    parts = ["refs: 1", *(f"{name}: {count}" for name, count in counts.items() if count), "done"]
    lines = [f"Processing changes: {', '.join(parts)}", *done.warnings, "", "SUCCESS", ""]
    shown = [f"  {url(one)} {one.subject}{_marks(one, new=one.number in done.made)}" for one in done.changes]
    return [*lines, *shown, "", words.say(reason("review.push-next"), language), ""]


def _marks(change: Change, *, new: bool) -> str:
    shown = ((new, " [NEW]"), (change.work_in_progress, " [WIP]"), (change.private, " [PRIVATE]"))
    return "".join(mark for holds, mark in shown if holds)


def report(commands: Sequence[Command], done: Reviewed | Pushed | Refused) -> list[str]:
    """The lines of git's `proc-receive` report: each reference, done or not, and where it really went."""
    lines: list[str] = []
    for command in commands:
        if isinstance(done, Refused):
            lines.append(f"ng {command.ref} {status(done)}")
        elif isinstance(done, Pushed):
            lines.append(f"ok {command.ref}")
        else:
            lines.append(f"ok {command.ref}")
            lines += [f"option refname {ref}" for ref in done.refs[-1:]]
    return lines


def status(refused: Refused) -> str:
    """The text in the brackets behind `[remote rejected]`: one line."""
    return refused.refusals[0].status.partition("\n")[0]
