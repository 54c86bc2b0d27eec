# SPDX-License-Identifier: Apache-2.0
"""Which topics of open pages a fact belongs to: a pure table over events.

A page names its topics (`live="change/12,queue"`); here the facts of all rooms get theirs.
"""

from __future__ import annotations

from .. import events
from ..journal import Entry
from ..pipeline.queue.facts import QueueFact
from ..targets import topic_of

_SHOWN = ("alert", "notice", "ok")
"""What of the status pages show, or show no more."""


def of(entry: Entry) -> tuple[str, ...]:
    """The topics of one fact: its subject, and the lists it appears in."""
    event = entry.event
    match event:
        case QueueFact():
            return (event.subject, "queue", "builds")
        case events.BuildStarted() | events.BuildFailing() | events.BuildCompleted():
            return (event.subject, "queue", "builds")
        case events.LineSaid(channel=channel) | events.LineRemoved(channel=channel):
            return (f"channel/{channel}", "irclogs")
        case events.MeetingStarted(channel=channel) | events.MeetingEnded(channel=channel):
            return (event.subject, f"channel/{channel}", "meetings")
        case events.MeetingImported():
            return (event.subject, "meetings")
        case events.StatusTold(kind=kind):
            return ("status", "banner") if kind in _SHOWN else ("status",)
        case events.IrcLinked(account=account):
            return (f"irc-link/{account}",)
        case events.FixesChanged(urls=urls):
            return tuple(topic_of(f"bug/{url}") for url in urls)
        case events.BoardChanged(board=board):
            return (f"board/{board}",)
        case events.ProjectCreated(project=project):
            return (f"project/{project}", "projects")
        case events.BranchMoved(project=project, branch="refs/meta/config"):
            return (f"project/{project}", "changes", "jobs", "rules")
        case events.BranchMoved(project=project):
            return (f"project/{project}", "changes", "jobs")
        case _:
            return (event.subject, "changes") if event.subject.startswith("change/") else (event.subject,)
