# SPDX-License-Identifier: Apache-2.0
"""The attributes of a pipeline, with those of the connections that may stand in it.

Data only, like `tables.py`. A connection's name is a site's choice, its kind is one of `CONNECTIONS`: what stands below
`trigger`, `require`, `reject` and the reporters is checked by the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .schema import Either, Field, Flag, Kind, Many, Null, Number, OneOf, Regex, Table, Text, Vars

_TEXTS = Many(Text())
_REGEXES = Many(Regex())
_STEP = OneOf(("linear", "exponential"))
_AGE = Text("age such as 30s, 10m, 2h, 7d, 1w", r"[0-9]+ *[smhdw]?$")
_VOTES = Many(Number())

_APPROVAL = Table(
    {
        "username": Field(Regex(), "Who voted."),
        "email": Field(Regex(), "Who voted."),
        "older-than": Field(_AGE, "The vote is at least this old."),
        "newer-than": Field(_AGE, "The vote is at most this old."),
    },
    rest=_VOTES,
)
CHANGE_FILTER = Table(
    {
        "approval": Field(
            Many(_APPROVAL), "Votes: `{LABEL: value or list, username, ...}`; all in one entry must fit."
        ),
        "open": Field(Flag(), "Whether the change is open."),
        "current-patchset": Field(Flag(), "Whether it is the newest patch set."),
        "wip": Field(Flag(), "Whether it is work in progress."),
        "status": Field(_TEXTS, "`NEW`, `MERGED`, `ABANDONED`."),
        "hashtags": Field(_REGEXES, "Hashtags of the change."),
    }
)
_EVENTS = (
    "patchset-created", "comment-added", "change-abandoned", "change-restored", "change-merged", "ref-updated",
    "vote-deleted", "hashtags-changed", "wip-state-changed", "draft-published", "pending-check",
)  # fmt: skip
GERRIT_TRIGGER = Table(
    {
        "event": Field(Many(OneOf(_EVENTS)), "Gerrit's name of the event.", required=True),
        "branch": Field(_REGEXES, "Branches."),
        "ref": Field(_REGEXES, "References, for `ref-updated`."),
        "ignore-deletes": Field(Flag(), "Not for deleted references.", default="true"),
        "approval": Field(Many(Table({}, rest=Number())), "Votes of this event: `{LABEL: value}`."),
        "approval-change": Field(Many(Table({}, rest=Number())), "Votes that this event changed."),
        "email": Field(_REGEXES, "Who did it."),
        "username": Field(_REGEXES, "Who did it."),
        "comment": Field(_REGEXES, "The text of a comment."),
        "added": Field(_REGEXES, "Hashtags that were added."),
        "removed": Field(_REGEXES, "Hashtags that were removed."),
        "require": Field(CHANGE_FILTER, "As the pipeline's, for this trigger."),
        "reject": Field(CHANGE_FILTER, "As the pipeline's, for this trigger."),
        "debug": Field(Flag(), "Accepted; has no effect."),
        "uuid": Field(Text(), "Of Gerrit's checks plug-in.", only=()),
        "scheme": Field(Text(), "Of Gerrit's checks plug-in.", only=()),
        "require-approval": Field(Many(_APPROVAL), "Old form of `require`.", only=()),
        "reject-approval": Field(Many(_APPROVAL), "Old form of `reject`.", only=()),
        "comment_filter": Field(_TEXTS, "Old form of `comment`.", only=()),
        "email_filter": Field(_TEXTS, "Old form of `email`.", only=()),
        "username_filter": Field(_TEXTS, "Old form of `username`.", only=()),
    }
)
GERRIT_REPORTER = Table(
    {
        "submit": Field(Flag(), "Land the change.", default="false"),
        "comment": Field(Flag(), "Leave a message.", default="true"),
        "notify": Field(Text(), "Accepted; people choose what they are told.", default="ALL"),
    },
    rest=Number(),
)
TIMER = Table(
    {
        "time": Field(
            Text(),
            "`minute hour day month weekday [second [jitter]]`, UTC. Weekdays are `mon` ... `sun`; as a number, 0 is "
            "Monday, as in Zuul and unlike cron.",
            required=True,
        ),
        "dereference": Field(Flag(), "Fix the commit when the timer fires.", default="false"),
        "debug": Field(Flag(), "Accepted; has no effect."),
    }
)
ZUUL_TRIGGER = Table(
    {
        "event": Field(
            Many(OneOf(("parent-change-enqueued", "project-change-merged", "image-build", "image-validate"))),
            "What happened in another pipeline.",
            required=True,
            only=(),
        ),
        "pipeline": Field(_REGEXES, "Which pipeline.", only=()),
        "debug": Field(Flag(), "Accepted; has no effect."),
    }
)


@dataclass(frozen=True, slots=True)
class Connection:
    """What a kind of connection takes in each place of a pipeline; None: it has no such place."""

    trigger: Kind | None = None
    require: Kind | None = None
    report: Kind | None = None


# What may stand for a connection: the built-in review server answers to `gatebot` and `gerrit`.
CONNECTIONS: Mapping[str, Connection] = {
    "gerrit": Connection(Many(GERRIT_TRIGGER), Many(CHANGE_FILTER), Either((GERRIT_REPORTER, Null()))),
    "timer": Connection(trigger=Many(TIMER)),
    "zuul": Connection(trigger=Many(ZUUL_TRIGGER)),
}

_CONNECTED = Vars(free=True)
REPORTERS = (
    "enqueue",
    "start",
    "success",
    "failure",
    "merge-conflict",
    "no-jobs",
    "config-error",
    "dequeue",
    "disabled",
)
MESSAGES = {
    "success": "Build succeeded.",
    "failure": "Build failed.",
    "start": "Starting {pipeline.name} jobs.",
    "enqueue": "",
    "merge-conflict": "Merge failed.",
    "no-jobs": "",
    "dequeue": "Build canceled.",
    "footer": "",
}
_ADDRESSED = {name: Field(_CONNECTED, "`{connection: ...}`: who is told.") for name in REPORTERS}
_SAID = {
    f"{name}-message": Field(Text(), "What they are told.", default=f"`{text}`" if text else "")
    for name, text in MESSAGES.items()
}

PIPELINE = Table(
    {
        "name": Field(Text(), "What it is called.", required=True),
        "manager": Field(
            OneOf(("independent", "dependent", "serial", "supercedent")),
            "`independent`: each item by itself; `dependent`: in order, each on top of those ahead, merged on success.",
            required=True,
            only=("independent", "dependent"),
        ),
        "description": Field(Text(), "For readers."),
        "variant-description": Field(Text(), "For readers."),
        "trigger": Field(_CONNECTED, "`{connection: filters}`: what brings items in.", required=True),
        "require": Field(_CONNECTED, "`{connection: ...}`: what a change must be to come in and to stay."),
        "reject": Field(_CONNECTED, "`{connection: ...}`: what it must not be."),
        **_ADDRESSED,
        **_SAID,
        "supercedes": Field(_TEXTS, "Pipelines that a change leaves when it comes in here."),
        "precedence": Field(OneOf(("high", "normal", "low")), "Which builds go first.", default="normal"),
        "post-review": Field(Flag(), "Changes here were approved by people.", default="false"),
        "dequeue-on-new-patchset": Field(Flag(), "A new patch set takes the old one out.", default="true"),
        "ignore-dependencies": Field(Flag(), "Test each change alone.", default="false"),
        "allow-other-connections": Field(Flag(), "Accepted; there is one source of changes.", default="true"),
        "allow-parameters": Field(Flag(), "Parameters of a manual enqueue.", default="false", only=(False,)),
        "disable-after-consecutive-failures": Field(
            Number(1), "After so many failures only `disabled` reporters speak.", only=()
        ),
        "window": Field(Number(0), "How many items of a queue are tested at once at first; 0: all.", default="20"),
        "window-floor": Field(Number(1), "Never fewer.", default="3"),
        "window-ceiling": Field(Either((Number(1), Null())), "Never more.", default="none"),
        "window-increase-type": Field(_STEP, "Growth with each merge.", default="linear"),
        "window-increase-factor": Field(Number(1), "Its step.", default="1"),
        "window-decrease-type": Field(_STEP, "Shrinking with each failure.", default="exponential"),
        "window-decrease-factor": Field(Number(1), "Its step.", default="2"),
        "speculation": Field(
            OneOf(("classic", "proofs")), "How far ahead is tested.", default="classic", only=("classic",), ours=True
        ),
        "order": Field(
            OneOf(("queue", "proved")), "The order of landing.", default="queue", only=("queue",), ours=True
        ),
    }
)
