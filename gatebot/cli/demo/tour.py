# SPDX-License-Identifier: Apache-2.0
"""The tour itself: what the people do, what must come of it, and the words that explain it.

Each part is one function that acts through real clients and then verifies its outcome. The tour is
also a story test, so what it promises holds.
"""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import GatebotError
from ..output import Client
from .actors import Chatter, Person
from .ground import CHANNEL
from .tell import Teller

PARTS = 5
_PATIENCE = 90.0  # seconds the tour waits for any one thing
_FIRST_MERGE = 120.0  # seconds after the start, at most, installation not counted
_WHOLE = 180.0


@dataclass(slots=True)
class Stage:
    """Where the tour plays. `irc` is (host, port), `data` the demo's files, `logins` are names and passwords."""

    teller: Teller
    admin: Client
    alice: Person
    carol: Person
    bob: Person
    irc: tuple[str, int]
    data: Path
    logins: tuple[tuple[str, str], ...]
    changes: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def url(self) -> str:
        """The address of the site."""
        return self.admin.url

    def page(self, change: str, project: str) -> str:
        """The address of a change's page."""
        return f"{self.url}/c/{project}/+/{self.changes[change]}"


def play(stage: Stage) -> None:
    """All parts in order."""
    for part in (_push_three, _gate_three, _mend, _depend, _meet):
        part(stage)
    took = stage.teller.took()
    stage.teller.check(f"the tour took {took:.0f} s; at most {_WHOLE:.0f} are promised", took <= _WHOLE)


def _push_three(stage: Stage) -> None:
    teller = stage.teller
    teller.step("Three people push three changes")
    teller.say("alice renames a function of demo/api and changes all its callers.")
    work = stage.alice.clone("demo/api")
    stage.alice.commit(work, stage.data / "changes" / "rename-price")
    stage.changes["rename"] = stage.alice.push(work)
    teller.say("carol adds a discount to demo/api; it calls the function by its old name. She uses git-review.")
    work = stage.carol.clone("demo/api")
    stage.carol.commit(work, stage.data / "changes" / "discount")
    stage.changes["discount"] = stage.carol.push(work, by_review=True)
    teller.say("alice also changes gatebot itself, which this site hosts with its own tests as the job.")
    work = stage.alice.clone("gatebot")
    _note(work / "CHANGELOG.md")
    stage.alice.commit(work, stage.data / "changes" / "gatebot-note")
    stage.changes["note"] = stage.alice.push(work)
    teller.say("The check jobs started with the pushes. Each change is tested alone.")
    for name in ("rename", "discount", "note"):
        _wait_vote(stage, name, "Verified", 1, f"check votes Verified +1 on change {stage.changes[name]}")
    teller.check("all three pass check: Verified +1", True)


def _gate_three(stage: Stage) -> None:
    teller = stage.teller
    teller.step("bob approves all three; the gate tests each on top of those ahead of it")
    for name in ("rename", "discount", "note"):
        number = stage.changes[name]
        teller.ran(f"gatebot change vote {number} Code-Review=+2 Workflow=+1    # as bob")
        stage.bob.review(number, Code_Review=2, Workflow=1)
    teller.say(f"Watch it: {stage.url}/status")
    _wait_status(stage, "rename", "MERGED", "the first change merges")
    took = teller.took()
    teller.check(
        f"the first change merged {took:.0f} s after the start; at most {_FIRST_MERGE:.0f} are promised",
        took <= _FIRST_MERGE,
    )
    _wait_status(stage, "note", "MERGED", "the third change merges")
    teller.check("the first and the third change merged", True)
    told = teller.wait("the gate says why the second left", lambda: _departure(stage, "discount"), _PATIENCE)
    teller.heard(told)
    open_still = stage.admin.get(f"/changes/{stage.changes['discount']}")["status"] == "NEW"
    teller.check("the second left the gate and did not merge", open_still)
    names_all = "api-unit" in told and "line" in told and str(stage.changes["rename"]) in told
    teller.check("its comment names the job, the log line and the change it collided with", names_all)
    teller.say("Git saw no conflict, and alone both changes pass. Together they break: main never saw it.")


def _mend(stage: Stage) -> None:
    teller = stage.teller
    teller.step("carol mends her change; a new patch set, recheck, and it merges")
    number = stage.changes["discount"]
    work = stage.carol.home / "demo/api"
    stage.carol.git("pull", "--quiet", "--rebase", "origin", "main", cwd=work)
    stage.carol.commit(work, stage.data / "changes" / "discount-fixed", amend=True)
    same = stage.carol.push(work) == number
    teller.check("the push made patch set 2 of the same change", same and _current(stage, "discount") == 2)
    _wait_vote(stage, "discount", "Verified", 1, "check passes on patch set 2")
    before = _buildsets(stage, "discount", "check")
    teller.ran(f"gatebot change recheck {number}    # as carol")
    stage.carol.review(number, "recheck")
    again = teller.wait(
        "recheck runs the jobs again", lambda: _more(_buildsets(stage, "discount", "check"), before), _PATIENCE
    )
    teller.check("recheck ran check again", again)
    _wait_vote(stage, "discount", "Verified", 1, "the second check passes")
    stage.bob.review(number, Code_Review=2, Workflow=1)
    _wait_status(stage, "discount", "MERGED", "the mended change merges")
    teller.check("the mended change merged", True)


def _depend(stage: Stage) -> None:
    teller = stage.teller
    teller.step("A change in demo/client needs one in demo/api")
    work = stage.alice.home / "demo/api"
    stage.alice.git("fetch", "--quiet", "origin", cwd=work)
    stage.alice.git("reset", "--quiet", "--hard", "origin/main", cwd=work)
    stage.alice.commit(work, stage.data / "changes" / "vat")
    stage.changes["tax"] = stage.alice.push(work)
    teller.say(f"The commit message of the other says: Depends-On: {stage.page('tax', 'demo/api')}")
    work = stage.carol.clone("demo/client")
    stage.carol.commit(work, stage.data / "changes" / "receipt-vat", f"Depends-On: {stage.page('tax', 'demo/api')}")
    stage.changes["receipt"] = stage.carol.push(work)
    _wait_vote(stage, "receipt", "Verified", 1, "check tests it together with the change it needs")
    _wait_vote(stage, "tax", "Verified", 1, "check tests the other alone")
    teller.say("bob approves the dependent change first: it waits.")
    stage.bob.review(stage.changes["receipt"], Code_Review=2, Workflow=1)
    waits = teller.wait("the site says what it waits for", lambda: _waits_for(stage, "receipt", "tax"), _PATIENCE)
    teller.heard(waits)
    teller.check("it waits for the change it depends on, and says so", True)
    stage.bob.review(stage.changes["tax"], Code_Review=2, Workflow=1)
    _wait_status(stage, "tax", "MERGED", "the needed change merges")
    _wait_status(stage, "receipt", "MERGED", "the dependent change merges after it")
    first, second = (stage.admin.get(f"/changes/{stage.changes[name]}")["submitted"] for name in ("tax", "receipt"))
    teller.check("both merged, the needed one first", first <= second)


def _meet(stage: Stage) -> None:
    teller = stage.teller
    teller.step(f"A meeting in {CHANNEL}")
    alice, carol = (Chatter(*stage.irc, nick) for nick in ("alice", "carol"))
    for person in (alice, carol):
        person.join(CHANNEL)
    _speak(teller, alice, "#startmeeting gatebot")
    alice.until("Meeting started")
    spoken = (
        (alice, "#topic What merged today"),
        (carol, f"#link {stage.page('discount', 'demo/api')}"),
        (carol, "the gate found that my discount and the rename did not fit"),
        (alice, f"#info change {stage.changes['discount']} merged with its second patch set"),
        (alice, "#topic What is next"),
        (alice, "#action carol writes the discount into the price list"),
        (alice, "#agreed prices are in cents"),
    )
    for who, line in spoken:
        _speak(teller, who, line)
    _speak(teller, carol, "that is all from me")
    alice.until("that is all from me")
    _speak(teller, alice, "#endmeeting")
    minutes = alice.until("Minutes:").split("Minutes:")[1].strip().split()[0]
    alice.leave()
    carol.leave()
    text = teller.wait("the minutes are on the web", lambda: _fetch(minutes), _PATIENCE)
    teller.check(
        "the minutes are on the web with topics and the action", "What is next" in text and "price list" in text
    )
    path = f"/c/demo/api/+/{stage.changes['discount']}"
    found = teller.wait("the change's page names the meeting", lambda: _names_meeting(stage.url + path), _PATIENCE)
    teller.check("the change's page names the meeting", found)
    teller.say(f"Minutes: {minutes}")


def _speak(teller: Teller, who: Chatter, line: str) -> None:
    teller.say(f"<{who.nick}> {line}")
    who.say(CHANNEL, line)


def _note(changelog: Path) -> None:
    text = changelog.read_text() if changelog.exists() else "# Changes\n"
    changelog.write_text(text.rstrip("\n") + "\n\nThe tour was here.\n")


def _wait_vote(stage: Stage, name: str, label: str, value: int, what: str) -> None:
    def ask() -> bool | None:
        detail = stage.admin.get(f"/changes/{stage.changes[name]}/detail")
        cast = [vote.get("value", 0) for vote in detail["labels"].get(label, {}).get("all", [])]
        if label == "Verified" and any(one < 0 for one in cast):
            said = " ".join(detail["messages"][-1]["message"].split())
            raise GatebotError(f"Verified {min(cast)} on change {stage.changes[name]}. {said}")
        return True if value in cast else None

    stage.teller.wait(what, ask, _PATIENCE)


def _wait_status(stage: Stage, name: str, status: str, what: str) -> None:
    def ask() -> bool | None:
        return True if stage.admin.get(f"/changes/{stage.changes[name]}")["status"] == status else None

    stage.teller.wait(what, ask, _PATIENCE)


def _current(stage: Stage, name: str) -> int:
    return int(stage.admin.get(f"/changes/{stage.changes[name]}")["current_revision_number"])


def _departure(stage: Stage, name: str) -> str | None:
    """The comment by which the gate took leave of a change."""
    for message in reversed(stage.admin.get(f"/changes/{stage.changes[name]}/detail")["messages"]):
        if message.get("tag", "").endswith(":gate") and "api-unit" in message["message"]:
            return str(message["message"])
    return None


def _buildsets(stage: Stage, name: str, pipeline: str) -> int:
    query: dict[str, str | int] = {"change": stage.changes[name], "pipeline": pipeline}
    return len({build["buildset"] for build in stage.admin.get("/api/builds", **query)})


def _more(now: int, before: int) -> bool | None:
    return True if now > before else None


def _waits_for(stage: Stage, name: str, needed: str) -> str | None:
    verdict: Any = stage.admin.get(f"/api/change/{stage.changes[name]}/verdict")
    texts: list[str] = verdict["lines"]
    return next((text for text in texts if str(stage.changes[needed]) in text), None)


def _fetch(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the tour's own site
            return str(answer.read().decode())
    except OSError:
        return None


def _names_meeting(url: str) -> bool | None:
    text = _fetch(url)
    return True if text and "/meetings/gatebot/" in text else None
