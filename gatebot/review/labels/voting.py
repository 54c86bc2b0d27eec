# SPDX-License-Identifier: Apache-2.0
"""What rules say of votes: `label:Code-Review=MAX,user=non_uploader`, `distinctvoters:[A,B],value=MAX,count>1`.

Pure. An atom is read once into an `Ask`; whether it holds, and which votes make it so, are asked of the facts.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ...access import SERVICE_USERS
from ..model import Vote
from .expression import BadExpression, arguments
from .model import Facts, Label

_COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    "=": operator.eq, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
_LABEL = re.compile(r"(?P<label>[A-Za-z0-9][A-Za-z0-9_-]*?)(?:(?P<sign><=|>=|[<>=])(?P<value>.+)|(?P<bare>[+-]\d+))?\Z")
_COUNT = re.compile(r"count(?P<sign><=|>=|[<>=])(?P<count>\d{1,6})\Z")
_DISTINCT = re.compile(
    r"\[(?P<labels>[^\]]+)\],(?:value=(?P<value>[^,]+),)?count(?P<sign><=|>=|[<>=])(?P<count>\d{1,6})\Z"
)
NON_UPLOADER, NON_CONTRIBUTOR, OWNER, UPLOADER = "non_uploader", "non_contributor", "owner", "uploader"
_STATUSES = ("OK", "NEED", "REJECT", "MAY", "IMPOSSIBLE")


@dataclass(frozen=True, slots=True)
class Ask:
    """What an atom asks of the votes under `label`. `user` and `group` are whose votes count, "" everybody's."""

    label: str
    sign: str = "="
    value: str = "MAX"
    user: str = ""
    group: str = ""
    count: tuple[str, int] | None = None
    all_reviewers: bool = False

    @property
    def at_least(self) -> int:
        """How many votes a change needs at the least."""
        if self.count is None or self.count[0] in ("<", "<="):
            return 1
        return self.count[1] + (self.count[0] == ">")


@lru_cache(maxsize=4096)
def read(value: str) -> Ask:
    """The value of a `label:` atom."""
    first, *rest = arguments(value) or ("",)
    match = _LABEL.match(first)
    if match is None:
        raise BadExpression(f"'{value}' is no label with a value")
    wanted = (match["value"] or match["bare"] or "+1").upper()
    if wanted in _STATUSES:
        raise BadExpression(f"{wanted} is a status of the old rules; ask for a value, MAX, MIN or ANY")
    if wanted not in ("MAX", "MIN", "ANY") and not re.fullmatch(r"[+-]?\d{1,4}", wanted):
        raise BadExpression(f"{wanted} is not MAX, MIN, ANY or a vote")
    ask = Ask(match["label"], match["sign"] or "=", wanted)
    for argument in rest:
        ask = _with(ask, argument)
    if ask.all_reviewers and len(rest) > 1:
        raise BadExpression(
            "Cannot use the 'users' argument in conjunction with other arguments ('count', 'user', group')"
        )
    if ask.group and ask.count:
        raise BadExpression("'count' and 'group' cannot be used together")
    return ask


def _with(ask: Ask, argument: str) -> Ask:
    name, sign, given = argument.partition("=")
    counted = _COUNT.match(argument)
    user, group, count, everybody = ask.user, ask.group, ask.count, ask.all_reviewers
    if counted is not None:
        count = (counted["sign"], int(counted["count"]))
    elif sign and name == "user":
        user = given
    elif sign and name == "group":
        group = given
    elif sign and name == "users":
        if given != "human_reviewers":
            raise BadExpression(f"users={given} is not known, only users=human_reviewers is")
        everybody = True
    elif not sign and argument:
        user = argument
    else:
        raise BadExpression(f"'{argument}' is no argument of label:")
    return Ask(ask.label, ask.sign, ask.value, user, group, count, everybody)


def label_of(ask: Ask, facts: Facts) -> Label | None:
    """The label that an atom names, as this branch has it."""
    return facts.labels.get(ask.label.lower())


def number(value: str, label: Label) -> int:
    """A vote by its name."""
    if value in ("MAX", "MIN"):
        return label.highest if value == "MAX" else label.lowest
    return int(value)


def holds(ask: Ask, facts: Facts) -> bool:
    """Whether the votes are as the atom asks; nothing holds of a label that is not there, as in Gerrit."""
    label = label_of(ask, facts)
    if label is None:
        return False
    if ask.all_reviewers:
        people = [
            account
            for account in facts.about.reviewers
            if account != facts.owner and SERVICE_USERS not in facts.about.groups.get(account, ())
        ]
        return bool(people) and all(_fits(ask, label, _of(facts, label, account)) for account in people)
    cast = [vote for vote in facts.votes if vote.label == label.name]
    if ask.count is None:
        zero = not cast and ask.value != "ANY" and _COMPARED[ask.sign](0, number(ask.value, label))
        return zero or bool(counted(ask, facts))
    sign, count = ask.count
    return _COMPARED[sign](len(counted(ask, facts)), count)


def counted(ask: Ask, facts: Facts) -> tuple[Vote, ...]:
    """The votes that the atom counts, in the order in which they were given."""
    return tuple(vote for vote in _fitting(ask, facts) if _of_whom(ask, facts, vote.account))


def others(ask: Ask, facts: Facts) -> tuple[Vote, ...]:
    """The votes that would count if somebody else had cast them."""
    return tuple(vote for vote in _fitting(ask, facts) if not _of_whom(ask, facts, vote.account))


def _fitting(ask: Ask, facts: Facts) -> tuple[Vote, ...]:
    label = label_of(ask, facts)
    if label is None:
        return ()
    return tuple(vote for vote in facts.votes if vote.label == label.name and _fits(ask, label, vote.value))


def _of(facts: Facts, label: Label, account: int) -> int:
    return next((v.value for v in facts.votes if v.label == label.name and v.account == account), 0)


def _fits(ask: Ask, label: Label, value: int) -> bool:
    return value != 0 if ask.value == "ANY" else _COMPARED[ask.sign](value, number(ask.value, label))


def _of_whom(ask: Ask, facts: Facts, account: int) -> bool:
    if ask.group and ask.group not in facts.about.groups.get(account, ()):
        return False
    match ask.user:
        case "":
            return True
        case "non_uploader":
            return account != facts.uploader
        case "non_contributor":
            address = facts.about.emails.get(account, "").lower()
            written = {facts.about.author.lower(), facts.about.committer.lower()}
            return account != facts.uploader and (not address or address not in written)
        case "owner":
            return account == facts.owner
        case "uploader":
            return account == facts.uploader
        case named:
            return named in (facts.names.get(account), str(account)) or named in facts.about.groups.get(account, ())


def are_distinct(value: str, facts: Facts) -> bool:
    """`distinctvoters:`: whether so many people cast such votes under any of some labels."""
    match = _DISTINCT.match(",".join(arguments(value)))
    if match is None:
        raise BadExpression(f"distinctvoters:{value} is not distinctvoters:[LABEL,LABEL],value=MAX,count>1")
    people: set[int] = set()
    for name in match["labels"].split(","):
        ask = read(f"{name.strip()}={match['value'] or 'ANY'}")
        people |= {vote.account for vote in counted(ask, facts)}
    return _COMPARED[match["sign"]](len(people), int(match["count"]))
