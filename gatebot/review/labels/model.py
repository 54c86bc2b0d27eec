# SPDX-License-Identifier: Apache-2.0
"""What a project's configuration says of votes: labels, submit requirements, and the facts they are judged by.

Floor 0: frozen values. Expressions are kept as text, as people wrote them; `expression.py` reads them,
`copying.py` and `requirements.py` judge by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ..model import Status, Vote


@dataclass(frozen=True, slots=True)
class Label:
    """What can be voted. `branches` are ref patterns; none: all branches. `copy_condition` says which votes outlive a
    patch set."""

    name: str
    values: tuple[tuple[int, str], ...]
    copy_condition: str = ""
    default: int = 0
    description: str = ""
    branches: tuple[str, ...] = ()
    can_override: bool = True
    allow_post_submit: bool = True

    @property
    def lowest(self) -> int:
        """The veto."""
        return self.values[0][0]

    @property
    def highest(self) -> int:
        """The approval."""
        return self.values[-1][0]


@dataclass(frozen=True, slots=True)
class SubmitRequirement:
    """A rule that a change has to meet. `legacy`: it stands for the function of a label."""

    name: str
    submittable_if: str
    applicable_if: str = ""
    override_if: str = ""
    description: str = ""
    can_override_in_children: bool = False
    legacy: bool = False


class State(StrEnum):
    """How a submit requirement stands, in Gerrit's words."""

    SATISFIED = "SATISFIED"
    UNSATISFIED = "UNSATISFIED"
    OVERRIDDEN = "OVERRIDDEN"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Touched:
    """A file that a patch set touches, against its first parent."""

    path: str
    old_path: str = ""
    added: int = 0
    deleted: int = 0


class Content(Protocol):
    """What a patch set has in it; asked only by rules that speak of files."""

    def files(self) -> tuple[Touched, ...]:
        """The files it touches."""
        ...

    def changed_lines(self, path: str) -> tuple[str, ...]:
        """The lines that it adds to or takes from a file."""
        ...


@dataclass(frozen=True, slots=True)
class NoContent:
    """A patch set that touches nothing."""

    def files(self) -> tuple[Touched, ...]:
        """None."""
        return ()

    def changed_lines(self, path: str) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class About:
    """What rules may ask of a change beside its votes. Addresses and user names are by account, groups too.

    `reviewers` are those who were asked, without CC.
    """

    project: str = ""
    branch: str = ""
    topic: str = ""
    hashtags: tuple[str, ...] = ()
    subject: str = ""
    message: str = ""
    author: str = ""
    committer: str = ""
    is_merge: bool = False
    unresolved: bool = False
    reviewers: tuple[int, ...] = ()
    emails: Mapping[int, str] = field(default_factory=dict[int, str])
    groups: Mapping[int, frozenset[str]] = field(default_factory=dict[int, frozenset[str]])
    content: Content = field(default_factory=NoContent)


@dataclass(frozen=True, slots=True)
class Facts:
    """A change as requirements are judged by it. `labels` are those of its branch by name in lower case, `votes` those
    on its current patch set, `names` the user names of accounts. `gated`: a dependent pipeline merges its branch."""

    owner: int
    uploader: int
    votes: tuple[Vote, ...] = ()
    labels: Mapping[str, Label] = field(default_factory=dict[str, Label])
    names: Mapping[int, str] = field(default_factory=dict[int, str])
    gated: bool = False
    status: Status = Status.NEW
    work_in_progress: bool = False
    private: bool = False
    about: About = field(default_factory=About)
