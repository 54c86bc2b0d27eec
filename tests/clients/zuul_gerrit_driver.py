# SPDX-License-Identifier: Apache-2.0
"""Zuul 14.3.0's own driver for Gerrit, in Zuul's environment, asked as its scheduler does; no ZooKeeper, no database.

    python zuul_gerrit_driver.py URL SSH_PORT USER PASSWORD KEY PROJECT CHANGE

Without a password it goes by SSH alone, as Zuul then does. First it listens to the stream of events, then it reads,
votes and submits. What it made of the answers is printed as one JSON object.
"""

from __future__ import annotations

import collections
import json
import sys
import time
from types import SimpleNamespace
from typing import Any

from zuul.driver.gerrit import GerritDriver, gerriteventssh  # type: ignore[import-untyped]
from zuul.driver.gerrit.gerritconnection import PeekQueue  # type: ignore[import-untyped]
from zuul.driver.gerrit.gerritmodel import GerritChange, GerritTriggerEvent  # type: ignore[import-untyped]
from zuul.model import Project  # type: ignore[import-untyped]

SECONDS = 60


class Alone:
    """The election of the scheduler that listens: there is one."""

    def __init__(self, *_: object) -> None:
        pass

    def run(self, function: Any) -> None:
        function()

    def is_still_valid(self) -> bool:
        return True

    def cancel(self) -> None:
        pass


class Clock:
    """ZooKeeper, of which only the order of things is asked."""

    def __init__(self) -> None:
        self._now = 0

    def getCurrentLtime(self) -> int:
        self._now += 1
        return self._now


class Events:
    """The queue that the listener fills; as what the driver takes each event for is in `heard`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.heard: list[Any] = []
        self.raw: list[dict[str, Any]] = []

    def put(self, event: dict[str, Any]) -> None:
        self.raw.append(event)
        self.heard.append(GerritTriggerEvent.fromGerritEventDict(event["payload"], None, self._connection, None))

    def wait(self, kind: str) -> Any:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for event in list(self.heard):
                if event.type == kind:
                    return event
            time.sleep(0.05)
        raise SystemExit(f"no {kind} came: {[one.type for one in self.heard]}")


def connect(url: str, ssh_port: str, user: str, password: str, key: str) -> Any:
    """The driver's connection, as Zuul's settings make it."""
    config = {
        "server": "127.0.0.1", "baseurl": url, "port": ssh_port, "user": user, "sshkey": key,
        **({"password": password} if password else {}),
    }  # fmt: skip
    driver = GerritDriver()
    connection = driver.getConnection("gerrit", config)
    connection.sched = SimpleNamespace(zk_client=Clock())
    connection.submit_retry_backoff = 0
    connection.event_queue = Events(connection)
    connection.watched_event_filters = [SimpleNamespace(preFilter=lambda _event: True)]
    connection.source.getProject = lambda name: Project(name, connection.source)
    connection.addProject(Project("unused", connection.source))
    if connection.session:
        connection._getRemoteVersion()
        connection._getRemoteInfo()
    return connection


def known(connection: Any, number: str) -> GerritChange:
    """A change as the driver has read it."""
    change = GerritChange(None)
    change.number = number
    change.update(connection.queryChange(number), {}, connection)
    return change


def released(events: list[dict[str, Any]]) -> list[str]:
    """What the driver's queue lets through at once; a branch that moved without its change is kept for ten seconds."""
    through: list[str] = []

    def handle(event: Any) -> None:
        through.append(event["payload"]["type"])

    class Event(dict):  # type: ignore[type-arg]
        zuul_event_ltime = 0

    queue = PeekQueue(handle, 0)
    for event in events:
        queue.append(Event(event))
    queue.run()
    return through


def seen(change: GerritChange, connection: Any) -> dict[str, object]:
    """What Zuul decides by."""
    return {
        "project": change.project.name, "branch": change.branch, "id": change.id, "status": change.status,
        "open": change.open, "merged": change.is_merged, "current": change.is_current_patchset,
        "patchset": change.patchset, "ref": change.ref, "owner": change.owner, "topic": change.topic,
        "message": change.message, "files": sorted(change.files), "url": change.url,
        "approvals": sorted(f"{one['type']}:{one['value']}:{one['by'].get('username')}" for one in change.approvals),
        "missing": sorted(change.missing_labels), "can_merge": bool(connection.canMerge(change, {"Verified"})),
    }  # fmt: skip


def main() -> None:
    """All that Zuul does."""
    url, ssh_port, user, password, key, name, number = sys.argv[1:8]
    gerriteventssh.EventReceiverElection = Alone
    connection = connect(url, ssh_port, user, password, key)
    project = Project(name, connection.source)
    told: dict[str, Any] = {"version": connection.version, "whole_topic": connection.submit_whole_topic}
    listener = gerriteventssh.GerritSSHEventListener(connection, connection.connection_config)
    listener.daemon = True
    listener.start()
    item = SimpleNamespace(manager=SimpleNamespace(pipeline=SimpleNamespace(name="check")))
    change = known(connection, number)
    told["change"] = seen(change, connection)
    told["refs"] = connection.getInfoRefs(project)
    told["sha"] = connection.getRefSha(project, f"refs/heads/{change.branch}")
    told["git_url"] = connection.getGitUrl(project)
    told["open"] = [int(one.number) for one in connection.simpleQuery(f"project:{{{name}}} status:open")]
    told["by_message"] = len(connection.simpleQuery(f"message:{{Depends-On: {url}/c/{name}/+/{number}}}"))
    while not connection.event_queue.heard:  # until the listener, which connects beside, is there
        connection.review(item, change, "Starting check jobs.", False, {}, None, "NONE", {}, True, False)
        time.sleep(0.5)
    comments = {change.files[-1]: [{"line": 1, "message": "a finding"}]} if password else {}
    votes = {"Verified": 1}
    connection.review(item, change, "Build succeeded (check).", False, votes, None, "NONE", comments, True, True)
    told["voted"] = seen(known(connection, number), connection)
    event = connection.event_queue.wait("comment-added")
    told["heard"] = {
        "type": event.type, "change": event.change_number, "patchset": event.patch_number, "ref": event.ref,
        "account": event.account, "approvals": len(event.approvals),
    }  # fmt: skip
    connection.review(item, change, "Build succeeded (gate).", True, {"Verified": 2}, None, "", {}, True, True)
    told["merged"] = seen(known(connection, number), connection)
    told["new_sha"] = connection.getRefSha(project, f"refs/heads/{change.branch}")
    connection.event_queue.wait("change-merged")
    connection.event_queue.wait("ref-updated")
    raw = [one for one in connection.event_queue.raw if one["payload"]["type"] in ("ref-updated", "change-merged")]
    told["released"] = released(raw)
    told["kinds"] = sorted(collections.Counter(one.type for one in connection.event_queue.heard))
    print(json.dumps(told), flush=True)
    listener.stop()
    listener.join(10)


if __name__ == "__main__":
    main()
