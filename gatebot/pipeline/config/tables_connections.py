# SPDX-License-Identifier: Apache-2.0
"""What each kind of connection takes in a pipeline: below `trigger`, `require`, `reject` and the reporters.

Data only, like `tables.py`. A connection's name is a site's choice, its kind is one of `CONNECTIONS`. Kinds that
gatebot does not serve are known with their attributes, so that what is written is checked; `unserved` is the reason
that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .schema import Either, Field, Flag, Kind, Many, Null, Number, OneOf, Regex, Table, Text

_TEXTS = Many(Text())
_REGEXES = Many(Regex())
_AGE = Text("age such as 30s, 10m, 2h, 7d, 1w", r"[0-9]+ *[smhdw]$")
_VOTES = Many(Number())
_DEBUG = Field(Flag(), "Accepted; has no effect.")

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
    "vote-deleted", "hashtags-changed", "wip-state-changed", "topic-changed", "reviewer-added",
    "draft-published", "pending-check",
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
        "debug": _DEBUG,
        "uuid": Field(Text(), "Of Gerrit's checks plug-in.", only=()),
        "scheme": Field(Text(), "Of Gerrit's checks plug-in.", only=()),
        "require-approval": Field(Many(_APPROVAL), "Old form of `require: {approval: ...}`."),
        "reject-approval": Field(Many(_APPROVAL), "Old form of `reject: {approval: ...}`."),
        "comment_filter": Field(_REGEXES, "Old form of `comment`."),
        "email_filter": Field(_REGEXES, "Old form of `email`."),
        "username_filter": Field(_REGEXES, "Old form of `username`."),
    }
)
GERRIT_REPORTER = Table(
    {
        "submit": Field(Flag(), "Land the change.", default="false"),
        "comment": Field(Flag(), "Leave a message.", default="true"),
        "notify": Field(
            OneOf(("NONE", "OWNER", "OWNER_REVIEWERS", "ALL")),
            "Whom another Gerrit sends mail; no effect here.",
            default="ALL",
        ),
        "checks-api": Field(Flag(), "Of Gerrit's checks plug-in.", only=(False,)),
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
        "debug": _DEBUG,
    }
)
ZUUL_TRIGGER = Table(
    {
        "event": Field(
            Many(OneOf(("parent-change-enqueued", "project-change-merged", "image-build", "image-validate"))),
            "What happened: a change that this one needs came into a pipeline; another change of the project merged; an"
            " image is to be built or looked at.",
            required=True,
        ),
        "pipeline": Field(_REGEXES, "Which pipeline the needed change came into."),
        "debug": _DEBUG,
    }
)
ZUUL_REPORTER = Table(
    {
        "image-built": Field(Flag(), "Accepted, without effect yet.", default="false"),
        "image-validated": Field(Flag(), "Accepted, without effect yet."),
    }
)
_GITHUB_REVIEW = Table(
    {
        "username": Field(Text(), ""),
        "email": Field(Text(), ""),
        "older-than": Field(_AGE, ""),
        "newer-than": Field(_AGE, ""),
        "type": Field(Text(), ""),
        "permission": Field(OneOf(("read", "write", "admin")), ""),
    }
)
_GITHUB_FILTER = Table(
    {
        "status": Field(_TEXTS, ""),
        "review": Field(Many(_GITHUB_REVIEW), ""),
        "open": Field(Flag(), ""),
        "merged": Field(Flag(), ""),
        "current-patchset": Field(Flag(), ""),
        "draft": Field(Flag(), ""),
        "label": Field(_TEXTS, ""),
    }
)
_GITHUB_TRIGGER = Table(
    {
        "event": Field(Many(OneOf(("pull_request", "pull_request_review", "push", "check_run"))), "", required=True),
        "action": Field(_TEXTS, ""),
        "branch": Field(_REGEXES, ""),
        "ref": Field(_REGEXES, ""),
        "comment": Field(_REGEXES, ""),
        "label": Field(_TEXTS, ""),
        "unlabel": Field(_TEXTS, ""),
        "permission": Field(OneOf(("read", "write", "admin")), ""),
        "state": Field(_TEXTS, ""),
        "require-status": Field(_TEXTS, ""),
        "require": Field(_GITHUB_FILTER, ""),
        "reject": Field(_GITHUB_FILTER, ""),
        "status": Field(_TEXTS, ""),
        "check": Field(_TEXTS, ""),
        "debug": _DEBUG,
    }
)
_GITHUB_REPORTER = Table(
    {
        "status": Field(OneOf(("pending", "success", "failure")), ""),
        "comment": Field(Flag(), ""),
        "merge": Field(Flag(), ""),
        "label": Field(_TEXTS, ""),
        "unlabel": Field(_TEXTS, ""),
        "review": Field(OneOf(("approve", "request-changes", "comment")), ""),
        "review-body": Field(Text(), ""),
        "check": Field(OneOf(("queued", "in_progress", "success", "failure", "cancelled", "skipped", "neutral")), ""),
    }
)
_GITLAB_TRIGGER = Table(
    {
        "event": Field(Many(OneOf(("gl_merge_request", "gl_push"))), "", required=True),
        "action": Field(_TEXTS, ""),
        "branch": Field(_REGEXES, ""),
        "comment": Field(_REGEXES, ""),
        "ref": Field(_REGEXES, ""),
        "labels": Field(_TEXTS, ""),
        "unlabels": Field(_TEXTS, ""),
        "debug": _DEBUG,
    }
)
_GITLAB_FILTER = Table(
    {
        "open": Field(Flag(), ""),
        "merged": Field(Flag(), ""),
        "approved": Field(Flag(), ""),
        "labels": Field(_TEXTS, ""),
    }
)
_GITLAB_REPORTER = Table(
    {
        "comment": Field(Flag(), ""),
        "approval": Field(Flag(), ""),
        "merge": Field(Flag(), ""),
        "label": Field(_TEXTS, ""),
        "unlabel": Field(_TEXTS, ""),
    }
)
_PAGURE_TRIGGER = Table(
    {
        "event": Field(Many(OneOf(("pg_pull_request", "pg_pull_request_review", "pg_push"))), "", required=True),
        "action": Field(_TEXTS, ""),
        "ref": Field(_REGEXES, ""),
        "comment": Field(_REGEXES, ""),
        "status": Field(_TEXTS, ""),
        "tag": Field(_TEXTS, ""),
        "debug": _DEBUG,
    }
)
_PAGURE_FILTER = Table(
    {
        "score": Field(Number(), ""),
        "open": Field(Flag(), ""),
        "merged": Field(Flag(), ""),
        "status": Field(Text(), ""),
        "tags": Field(_TEXTS, ""),
    }
)
_PAGURE_REPORTER = Table(
    {
        "status": Field(OneOf(("pending", "success", "failure")), ""),
        "comment": Field(Flag(), ""),
        "merge": Field(Flag(), ""),
    }
)
_GIT_TRIGGER = Table(
    {
        "event": Field(Many(OneOf(("ref-updated",))), "", required=True),
        "ref": Field(_REGEXES, ""),
        "ignore-deletes": Field(Flag(), ""),
        "debug": _DEBUG,
    }
)
_SMTP = Table({"to": Field(Text(), ""), "from": Field(Text(), ""), "subject": Field(Text(), "")})
_MQTT = Table(
    {
        "topic": Field(Text(), "", required=True),
        "qos": Field(Number(0), ""),
        "include-returned-data": Field(Flag(), ""),
    }
)
_ELASTICSEARCH = Table(
    {"index": Field(Text(), ""), "index-vars": Field(Flag(), ""), "index-returned-vars": Field(Flag(), "")}
)


@dataclass(frozen=True, slots=True)
class Connection:
    """What a kind of connection takes in each place of a pipeline; None: it has no such place."""

    trigger: Kind | None = None
    require: Kind | None = None
    report: Kind | None = None
    unserved: str = ""


# What may stand for a connection: the built-in review server answers to `gatebot` and `gerrit`.
CONNECTIONS: Mapping[str, Connection] = {
    "gerrit": Connection(Many(GERRIT_TRIGGER), Many(CHANGE_FILTER), Either((GERRIT_REPORTER, Null()))),
    "timer": Connection(trigger=Many(TIMER)),
    "zuul": Connection(Many(ZUUL_TRIGGER), report=ZUUL_REPORTER),
    "github": Connection(Many(_GITHUB_TRIGGER), Many(_GITHUB_FILTER), _GITHUB_REPORTER, "config.no-code-host"),
    "gitlab": Connection(Many(_GITLAB_TRIGGER), Many(_GITLAB_FILTER), _GITLAB_REPORTER, "config.no-code-host"),
    "pagure": Connection(Many(_PAGURE_TRIGGER), Many(_PAGURE_FILTER), _PAGURE_REPORTER, "config.no-code-host"),
    "git": Connection(trigger=Many(_GIT_TRIGGER), unserved="config.no-code-host"),
    "smtp": Connection(report=_SMTP, unserved="config.no-messenger"),
    "mqtt": Connection(report=_MQTT, unserved="config.no-messenger"),
    "elasticsearch": Connection(report=Either((_ELASTICSEARCH, Null())), unserved="config.no-messenger"),
}
# The names that stand for a connection of their kind where a site says nothing else.
BUILT_IN: Mapping[str, str] = {"gatebot": "gerrit", **{kind: kind for kind in CONNECTIONS}}
