# SPDX-License-Identifier: Apache-2.0
"""A change as two servers tell it, in one form: people by username, nothing that only one of them has."""

from __future__ import annotations

from typing import Any, TypeAlias

Info: TypeAlias = dict[str, Any]
ASKED = "o=ALL_REVISIONS&o=ALL_COMMITS&o=DETAILED_LABELS&o=DETAILED_ACCOUNTS&o=MESSAGES"
_PLAIN = (
    "project", "branch", "change_id", "subject", "status", "created", "updated", "submitted", "topic",
    "work_in_progress", "is_private", "current_revision", "_number", "unresolved_comment_count", "total_comment_count",
)  # fmt: skip


def change(info: Info) -> Info:
    """What everybody reads of a change."""
    return {
        **{name: info.get(name) for name in _PLAIN},
        "owner": who(info["owner"]),
        "submitter": who(info.get("submitter")),
        "hashtags": sorted(info.get("hashtags", ())),
        "attention": sorted(who(one["account"]) for one in info.get("attention_set", {}).values()),
        "reviewers": {state: sorted(map(who, several)) for state, several in info["reviewers"].items() if several},
        "revisions": {commit: _revision(one) for commit, one in info["revisions"].items()},
        "messages": [
            (who(one.get("author")), one["date"], one["message"], one.get("tag"), one["_revision_number"])
            for one in info["messages"]
        ],
        "votes": sorted(
            (label, who(vote), vote["value"])
            for label, told in info.get("labels", {}).items()
            for vote in told.get("all", ())
            if vote.get("value")
        ),
    }


def comments(files: dict[str, list[Info]]) -> list[tuple[Any, ...]]:
    """The inline comments of a change."""
    keys = ("id", "patch_set", "line", "range", "message", "in_reply_to", "unresolved", "updated", "tag", "side")
    return sorted(
        (file, who(one["author"]), *(str(one.get(key)) for key in keys)) for file, many in files.items() for one in many
    )


def _revision(one: Info) -> tuple[Any, ...]:
    commit = one["commit"]
    people = [(commit[name]["name"], commit[name]["email"], commit[name]["date"]) for name in ("author", "committer")]
    return (one["_number"], one["kind"], one["created"], who(one["uploader"]), commit["message"], *people)


def who(account: Info | None) -> str:
    """An account by the name that it has at both."""
    return str(account.get("username")) if account is not None else ""
