# SPDX-License-Identifier: Apache-2.0
"""What a new patch set does to votes, as Gerrit tells it: in its message with the copy conditions, and behind a push.

Pure; the texts are Gerrit's, which people search for. What holds of a condition is marked by `**`. Votes of one label
stand in one line, unless different parts of its condition hold for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..model import Vote
from .copying import Renewal, passing
from .model import Label

_OF_PEOPLE = ("approverin", "uploaderin")


def message_of(
    kept: Iterable[Vote], lost: Iterable[Vote], label: Callable[[str], Label | None], renewal: Renewal,
    names: Mapping[int, str],
) -> str:  # fmt: skip
    """The two paragraphs of a patch set's message; "" where there were no votes. `names` are whole, with address."""
    parts = (("Copied Votes:", tuple(kept)), ("Outdated Votes:", tuple(lost)))
    return "\n".join(
        "\n".join((title, *_lines(votes, label, renewal, names))) + "\n" for title, votes in parts if votes
    )


def removed(lost: Iterable[Vote], names: Mapping[int, str]) -> tuple[str, ...]:
    """The lines behind a push: `Code-Review+2 by Bob`."""
    return tuple(f"{_told(one)} by {names.get(one.account, one.account)}" for one in _sorted(lost))


def _told(vote: Vote) -> str:
    return f"{vote.label}{vote.value:+d}"


def _sorted(votes: Iterable[Vote]) -> list[Vote]:
    return sorted(votes, key=lambda one: (_told(one), one.account))


def _lines(
    votes: Iterable[Vote], label: Callable[[str], Label | None], renewal: Renewal, names: Mapping[int, str]
) -> Iterable[str]:
    groups: dict[tuple[str, frozenset[str]], list[Vote]] = {}
    for vote in _sorted(votes):
        known = label(vote.label)
        holding = passing(known, vote.value, vote.account, renewal) if known is not None else frozenset[str]()
        groups.setdefault((vote.label, holding), []).append(vote)
    for (name, holding), several in sorted(groups.items(), key=lambda one: one[0][0]):
        known = label(name)
        if known is None:
            yield f"* {_values(several)} (label type is missing)"
            continue
        condition = known.copy_condition or "NEVER"
        people = any(f"{operator}:" in condition for operator in _OF_PEOPLE)
        who = _with_names(several, names) if people else _values(several)
        yield f'* {who} (copy condition: "{_marked(condition, holding)}")'


def _values(votes: Sequence[Vote]) -> str:
    return ", ".join(dict.fromkeys(map(_told, votes)))


def _with_names(votes: Sequence[Vote], names: Mapping[int, str]) -> str:
    by_value: dict[str, list[str]] = {}
    for vote in votes:
        by_value.setdefault(_told(vote), []).append(names.get(vote.account, str(vote.account)))
    return ", ".join(f"{value} by {', '.join(who)}" for value, who in by_value.items())


def _marked(condition: str, holding: frozenset[str]) -> str:
    """The condition with what holds in bold; each atom where it stands for itself."""
    words = condition.split(" ")
    return " ".join(_bold(word, holding) for word in words)


def _bold(word: str, holding: frozenset[str]) -> str:
    core = word.strip("()").removeprefix("-")
    return word.replace(core, f"**{core}**") if core in holding else word
