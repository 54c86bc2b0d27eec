# SPDX-License-Identifier: Apache-2.0
"""Moving from a Gerrit, whose answers are those of a real one: what comes, what stays, what is refused."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gatebot import journal
from gatebot.access import Actor
from gatebot.clock import SystemClock
from gatebot.db import Database, Session
from gatebot.errors import Conflict, Invalid, NotFound, NotPermitted, Unauthenticated, Unavailable
from gatebot.events import ChangeDeleted
from gatebot.identity import Identity, group_store
from gatebot.identity import store as accounts
from gatebot.repo import ZERO, Repositories
from gatebot.review import conversation, hosting, intents
from gatebot.review import store as changes
from gatebot.review.config.founding import found_root
from gatebot.review.importing import asking, rows, service
from gatebot.review.importing import store as marks
from gatebot.review.importing.asking import Gerrit, read_url
from gatebot.review.importing.model import Listed, Tally
from gatebot.review.importing.service import Importing
from gatebot.review.model import Project, ReviewerState, Status
from gatebot.review.room import ReviewRoom, furnish
from tests.fakes.recorded_gerrit import PASSWORD, USER, RecordedGerrit
from tests.fakes.review_house import FakeGates

ADMIN = Actor(1000000, frozenset({"Administrators"}), "admin")


@dataclass
class House:
    """A new site, and the Gerrit that moves into it."""

    db: Database
    repositories: Repositories
    there: RecordedGerrit
    last: Importing | None = None

    def bring(self, *only: str, user: str = USER, password: str = PASSWORD) -> dict[str, Tally]:
        """One import; the counts by name."""
        gerrit = Gerrit(self.there.url, user, password)
        self.last = Importing(self.db, self.repositories, gerrit, SystemClock(), _quiet)
        return {one.what: one for one in self.last.run(only)}

    def room(self) -> ReviewRoom:
        """What people do here between two imports."""
        identity = Identity(self.db, SystemClock())
        return furnish(self.db, self.repositories, identity, SystemClock(), FakeGates(), "https://here.example.org/")

    @property
    def notes(self) -> list[str]:
        """What the last one told."""
        assert self.last is not None
        return self.last.told.notes

    @property
    def brought(self) -> dict[str, int]:
        """What the last one brought."""
        assert self.last is not None
        return self.last.told.brought


@contextmanager
def new_site(url: str, root: Path) -> Generator[House]:
    db, repositories = Database.open(url, durable=False), Repositories(root / "git")

    async def begin() -> None:
        identity = Identity(db, SystemClock())
        await identity.create("admin", name="Admin", email="admin@localhost", groups=("Administrators",))
        await identity.create("gatebot", name="gatebot", email="gatebot@localhost", groups=("Service Users",))
        await found_root(db, repositories, SystemClock())

    asyncio.run(begin())
    with RecordedGerrit(root / "there").served() as there:
        yield House(db, repositories, there)
    db.close_now()


@pytest.fixture
def house(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(asking, "_PAUSE", 0.0)
    shutil.copy(migrated_sqlite, tmp_path / "gatebot.db")
    with new_site(f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path) as house:
        yield house


def test_either_database_takes_it_twice(migrated_url: str, tmp_path: Path) -> None:
    with new_site(migrated_url, tmp_path) as house:
        path = _asked_of(house, 3)
        told = json.loads(house.there.answers[path].removeprefix(")]}'\n"))
        told["messages"][0]["message"] = "half \ud83d, nothing \0, and \\u0000 as it is"
        house.there.forged[path] = ")]}'\n" + json.dumps({**told, "topic": "a\0b"})
        assert all(one.equal for one in house.bring().values())
        # What no text can keep comes without it.
        assert house.db.read_now(changes.get_change, 3).topic == "a\ufffdb"
        said = house.db.read_now(conversation.list_messages, 3)[0].text
        assert said == "half \ufffd, nothing \ufffd, and \\u0000 as it is"
        house.there.forged.clear()
        house.there.stage("after")
        assert all(one.equal for one in house.bring().values())


def test_everything_comes_with_its_numbers(house: House) -> None:
    counts = house.bring()
    assert all(one.equal for one in counts.values()), counts
    assert counts["open changes"].here == 5
    assert counts["merged changes"].here == 1
    assert counts["abandoned changes"].here == 1
    talk = house.db.read_now(changes.get_change, 1)
    assert (talk.project, talk.topic, talk.hashtags, talk.current) == ("api", "cleanup", ("later", "small"), 2)
    votes = house.db.read_now(conversation.list_votes, 1)
    ann, ben, cho = (house.db.read_now(accounts.username_in, name) for name in ("ann", "ben", "cho"))
    assert ann is not None
    assert ben is not None
    assert cho is not None
    assert (ann.id, ann.email) == (1000002, "ann@example.com")
    assert house.db.read_now(accounts.email_in, "Ann@Home.example.net") == ann
    assert {(one.patch_set, one.label, one.value, one.account) for one in votes} == {
        (1, "Code-Review", -1, ben.id), (2, "Code-Review", 1, cho.id), (2, "Workflow", 1, cho.id),
    }  # fmt: skip
    said = house.db.read_now(conversation.list_comments, 1)
    asked, answer = (next(one for one in said if one.text == text) for text in ("Why one?", "Because"))
    assert (asked.unresolved, answer.unresolved, answer.in_reply_to) == (True, False, asked.id)
    landed = house.db.read_now(changes.get_change, 4)
    assert landed.status is Status.MERGED
    assert landed.merged_as == house.repositories.resolve("api", "refs/heads/main")
    assert house.db.read_now(changes.get_change, 7).private
    assert house.repositories.resolve("api", "refs/changes/01/1/meta") is None


def test_an_old_account_has_another_number_where_its_own_is_taken(house: House) -> None:
    house.bring()
    gate = house.db.read_now(accounts.username_in, "gate")
    assert gate is not None
    assert house.notes[0] == f"Account 1000001 (gate) has the number {gate.id} here: 1000001 was taken."
    assert "gatebot" in {one.username for one in house.db.read_now(accounts.accounts_in).values()}


def test_what_happened_elsewhere_is_no_news_here(house: House) -> None:
    house.bring()
    kinds = {type(entry.event).__name__ for entry in house.db.read_now(journal.read_in, 0)}
    assert kinds == {"AccountCreated", "ProjectCreated", "BranchMoved"}


def test_rights_come_too_while_nobody_changed_those_of_the_site(house: House) -> None:
    ours = house.repositories.resolve("All-Projects", "refs/meta/config")
    house.bring()
    theirs = house.repositories.resolve("All-Projects", "refs/meta/config")
    assert theirs is not None
    assert theirs != ours
    text = (house.repositories.read_file("All-Projects", theirs, "project.config") or b"").decode()
    assert '[label "Workflow"]' in text
    twin = house.db.read_now(lambda session: group_store.get(session, f"Administrators ({house.there.url[7:]})"))
    admin = house.db.read_now(accounts.username_in, "admin")
    assert admin is not None
    assert twin.name in admin.groups
    assert twin.uuid in (house.repositories.read_file("All-Projects", theirs, "groups") or b"").decode()


def test_rights_that_were_changed_here_stay(house: House) -> None:
    here = house.repositories
    ours = here.resolve("All-Projects", "refs/meta/config") or ""
    who = replace(here.commit("All-Projects", ours).author, name="Ann")
    tree = here.write_tree("All-Projects", {"note": b"mine"}, ours)
    mine = here.write_commit("All-Projects", tree, (ours,), who, who, "Ours\n")
    here.update_ref("All-Projects", "refs/meta/config", ours, mine)
    counts = house.bring()
    assert counts["references in git"].equal
    assert here.resolve("All-Projects", "refs/meta/config") == mine
    assert (
        "The rights in All-Projects were changed here and stay; "
        "theirs are in refs/meta/gerrit of All-Projects, to be compared." in house.notes
    )


def test_a_second_import_brings_only_what_is_new(house: House) -> None:
    house.bring()
    asked = len(house.there.asked)
    assert all(one.equal for one in house.bring().values())
    assert house.brought == {}
    assert not any(path.endswith("/comments") for path in house.there.asked[asked:])
    house.there.stage("after")
    counts = house.bring()
    assert all(one.equal for one in counts.values()), counts
    assert (house.brought["accounts"], house.brought["changes"], house.brought["patch sets"]) == (1, 1, 2)
    assert house.db.read_now(changes.get_change, 2).status is Status.MERGED
    assert [one.current for one in (house.db.read_now(changes.get_change, 3),)] == [2]


def test_a_change_that_was_worked_on_here_is_left_alone(house: House) -> None:
    house.bring()
    now = SystemClock().now()
    house.db.run_now(conversation.add_message, 1, 2, 1000002, "I am here now", now)
    house.there.stage("after")
    counts = house.bring()
    assert "Change 1 was worked on here since it was brought: what is new there does not come." in house.notes
    assert not counts["messages"].equal or not counts["votes"].equal
    assert house.db.read_now(conversation.list_messages, 1)[-1].text == "I am here now"


def test_numbers_and_names_that_are_taken(house: House) -> None:
    now = SystemClock().now()
    house.repositories.create("mine")
    house.db.run_now(hosting.create_project, Project("mine"), None, now)
    house.repositories.create("tools/lint")
    house.db.run_now(hosting.create_project, Project("tools/lint"), None, now)
    house.bring("api")
    one = house.db.read_now(changes.get_change, 1)
    upload = changes.upload_of(
        house.repositories.commit("api", house.repositories.resolve("api", "HEAD") or ""), 1000000
    )
    number = house.db.run_now(intents.allocate_changes)
    assert number == 5
    house.db.run_now(changes.create_change, changes.NewChange(number, "mine", "main", one.change_id), upload, now)
    counts = house.bring()
    assert "Project tools/lint is here already, and not from there: it and its changes are left out." in house.notes
    assert (counts["repositories"].there, counts["repositories"].here) == (3, 2)
    assert not counts["open changes"].equal
    assert house.db.read_now(changes.get_change, 5).project == "mine"


def test_a_number_that_is_taken_here_is_not_given_twice(house: House) -> None:
    now = SystemClock().now()
    house.repositories.create("mine")
    house.db.run_now(hosting.create_project, Project("mine"), None, now)
    who = house.repositories.commit(
        "All-Projects", house.repositories.resolve("All-Projects", "refs/meta/config") or ""
    )
    tree = house.repositories.write_tree("mine", {"a": b"a"})
    commit = house.repositories.write_commit("mine", tree, (), who.author, who.author, "Mine\n")
    upload = changes.upload_of(house.repositories.commit("mine", commit), 1000000)
    number = house.db.run_now(intents.allocate_changes)
    house.db.run_now(changes.create_change, changes.NewChange(number, "mine", "main", "I1"), upload, now)
    assert all(one.equal for one in house.bring().values())
    assert "Change 1 of there has the number 8 here." in house.notes
    talk = house.db.read_now(changes.get_change, 8)
    assert talk.subject == "Change talk"
    assert house.repositories.resolve("api", "refs/changes/08/8/2") is not None
    assert house.repositories.resolve("api", "refs/changes/01/1/2") is None
    assert [one.file for one in house.db.read_now(conversation.list_comments, 8)].count("a.py") == 3
    assert house.bring()
    assert house.brought == {}


def test_a_branch_that_moved_here_stays(house: House) -> None:
    house.bring()
    here = house.repositories
    main = here.resolve("api", "refs/heads/main") or ""
    person = here.commit("api", main).author
    mine = here.write_commit("api", here.commit("api", main).tree, (main,), person, person, "Merged here\n")
    here.update_ref("api", "refs/heads/main", main, mine)
    house.there.stage("after")
    counts = house.bring()
    assert here.resolve("api", "refs/heads/main") == mine
    assert (
        "refs/heads/main of api was moved here since it was brought: it stays, though it is elsewhere there."
        in house.notes
    )
    assert not counts["references in git"].equal


def test_who_may_not_and_what_is_no_gerrit_is_told(house: House) -> None:
    with pytest.raises(Unauthenticated, match=r"does not know admin with this password. It is the HTTP password"):
        house.bring(password="wrong")
    house.there.forged["a/accounts/self/capabilities?q=administrateServer"] = ")]}'\n{}\n"
    with pytest.raises(NotPermitted, match=r"admin is no administrator of .* Import as a member of its group Admin"):
        house.bring()
    house.there.forged["config/server/version"] = "<html>Welcome</html>"
    with pytest.raises(Invalid, match=r"is no Gerrit: .*/config/server/version does not tell a version"):
        house.bring()
    house.there.forged.clear()
    with pytest.raises(NotFound, match="has no repository nothing"):
        house.bring("nothing")
    house.there.url = "http://127.0.0.1:1"
    with pytest.raises(Unavailable, match=r"does not answer \(.*refused.*\). Is the address right"):
        house.bring()


@pytest.mark.parametrize("wrong", ["review.example.org", "ssh://review.example.org", "https://c.example.org/?a", ""])
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid, match=r"is no address of a Gerrit. Write it like https://review.example.org"):
        read_url(wrong)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(Invalid) as refused:
        read_url("https://ann:sesame@review.example.org")
    assert str(refused.value) == (
        "There is a name or a password in the address. Leave it out: --as NAME --password-file FILE"
    )


def test_a_push_that_was_not_finished_comes_first(house: House) -> None:
    house.db.run_now(intents.open_intent, "push", "1", (), "{}", SystemClock().now())
    with pytest.raises(Conflict, match="Start the server once, which finishes it, stop it, and run the same command"):
        house.bring()


def test_an_import_that_ended_in_the_middle_goes_on(house: House) -> None:
    house.there.statuses[_asked_of(house, 3)] = 503
    with pytest.raises(Unavailable, match=r"/a/changes/api~3\?.* was answered with 503: It is broken"):
        house.bring()
    house.there.statuses.clear()
    assert all(one.equal for one in house.bring().values())


def test_what_cannot_be_read_keeps_nothing_else_from_coming(house: House) -> None:
    path = _asked_of(house, 3)
    told = json.loads(house.there.answers[path].removeprefix(")]}'\n"))
    house.there.forged[path] = ")]}'\n" + json.dumps({**told, "revisions": {}})
    house.there.statuses = {_asked_of(house, 4): 500, "a/tools/lint/info/refs?service=git-upload-pack": 500}
    house.there.cut = 3  # what is cut off is asked for again
    counts = house.bring()
    assert (counts["repositories"].there, counts["repositories"].here) == (3, 2)
    assert (counts["open changes"].there - counts["open changes"].here, counts["merged changes"].here) == (1, 0)
    assert house.repositories.resolve("api", "refs/heads/main") is not None
    said = "\n".join(house.notes)
    assert "Project tools/lint did not come: The repository tools/lint cannot be read from " in said
    assert "When that is mended there, run this again." in said
    assert f"Change 4 of api did not come: {house.there.url}/a/changes/api~4?" in said
    assert " was answered with 500: It is broken. Mend it there, then run this again." in said
    assert (
        f"Change 3 of api did not come: what {house.there.url} tells of it is not understood (IndexError: tuple index "
        "out of range). Look at it there; when it is mended, or with a newer gatebot, run this again." in house.notes
    )
    house.there.forged.clear()
    house.there.statuses.clear()
    assert all(one.equal for one in house.bring().values())


def test_the_password_goes_nowhere_but_to_the_address_that_was_given(house: House, tmp_path: Path) -> None:
    with RecordedGerrit(tmp_path / "elsewhere").served() as elsewhere:
        house.there.leads = elsewhere.url
        with pytest.raises(Invalid) as refused:
            house.bring()
        with pytest.raises(Unavailable):
            Gerrit(house.there.url, USER, PASSWORD).references("api")
        assert elsewhere.asked == []
    assert str(refused.value) == (
        f"{house.there.url} leads to {elsewhere.url}, and the password goes nowhere but to the address that you give. "
        "If that is this Gerrit, give its address; if it is a page to sign in, one behind it."
    )
    house.there.leads = ""
    house.there.forged["a/accounts/self/capabilities?q=administrateServer"] = "<html>Who are you?</html>"
    with pytest.raises(Unavailable, match=r"no Gerrit says: '<html>Who.* such as a page to sign in\? Give an address"):
        house.bring()


def test_what_an_import_that_was_killed_has_moved_is_known_to_the_next(house: House) -> None:
    house.bring()
    here, source = house.repositories, house.there.url
    with_marks = house.db.read_now(marks.marks, source, "ref", "api ")
    assert "api refs/heads/main" in with_marks
    told = len(house.db.read_now(journal.read_in, 0))

    def forget(session: Session) -> None:
        """As if the power had gone between git and the database."""
        session.execute(marks.imports.delete().where(marks.imports.c.kind.in_(("ref", "rights"))))

    house.db.run_now(forget)
    here.update_ref("api", "refs/gatebot-import/heads/main", ZERO, here.resolve("api", "refs/heads/main") or "")
    assert all(one.equal for one in house.bring().values())
    assert house.db.read_now(marks.marks, source, "ref", "api ") == with_marks
    assert house.db.read_now(marks.mark_of, source, "rights", "All-Projects") is not None
    assert len(house.db.read_now(journal.read_in, 0)) > told
    assert here.references("api", "refs/gatebot-import/") == {}
    house.there.stage("after")
    assert all(one.equal for one in house.bring().values())
    assert not any("was moved here" in one for one in house.notes)


def test_what_was_done_here_without_a_word_is_not_undone(house: House) -> None:
    house.bring()
    here, cho = house.repositories, house.db.read_now(accounts.username_in, "cho")
    assert cho is not None
    asyncio.run(house.room().review.add_reviewer(ADMIN, 3, cho.id, ReviewerState.REVIEWER))
    asyncio.run(house.room().deleting.delete(ADMIN, 2))
    main = here.resolve("api", "refs/heads/main") or ""
    here.update_ref("api", "refs/heads/new", ZERO, main)
    house.there.stage("after")
    subprocess.run(["git", "-C", house.there.git / "api", "update-ref", "refs/heads/new/one", main], check=True)
    counts = house.bring()
    assert cho.id in {one.account for one in house.db.read_now(conversation.list_reviewers, 3)}
    assert "Change 3 was worked on here since it was brought: what is new there does not come." in house.notes
    assert house.db.read_now(changes.find_change, 2) is None
    assert here.references("api", "refs/changes/02/2/") == {}
    assert "Change 2 was deleted here since it was brought: it stays away." in house.notes
    # A name that is in the way of another keeps no other from coming.
    assert any(one.startswith("refs/heads/new/one of api did not come: ") for one in house.notes)
    assert not counts["references in git"].equal


def test_no_number_is_given_twice(house: House) -> None:
    """Neither to what was deleted here, nor to what another Gerrit has, whether it has come yet or not."""
    gone = ChangeDeleted(2, 1000000, "api", "main", "I2", "Gone", "NEW", 1000000, 0, "", False, False, "")  # type: ignore[arg-type]
    house.db.run_now(journal.append, gone, SystemClock().now())
    listed = [Listed(number, "api", "NEW", "") for number in (1, 2, 3, 3)]
    assert house.db.run_now(rows.allot, "https://one", listed) == {1: 1, 2: 4, 3: 3}
    assert house.db.run_now(rows.allot, "https://two", listed) == {1: 5, 2: 6, 3: 7}
    assert house.db.run_now(rows.allot, "https://one", listed) == {1: 1, 2: 4, 3: 3}


def test_not_much_is_read_ahead_of_what_is_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_AHEAD", 2)
    house.there.statuses[_asked_of(house, 4)] = 503
    with pytest.raises(Unavailable, match="was answered with 503"):
        house.bring("api")
    house.there.statuses.clear()
    assert house.bring("api")["merged changes"].equal
    assert house.brought["changes"] in (1, 2)


def test_a_second_change_with_one_change_id_has_another_here(house: House) -> None:
    path = _asked_of(house, 3)
    told = json.loads(house.there.answers[path].removeprefix(")]}'\n"))
    first = house.there.answers[_asked_of(house, 1)]
    same = json.loads(first.removeprefix(")]}'\n"))["change_id"]
    house.there.forged[path] = ")]}'\n" + json.dumps({**told, "change_id": same})
    house.bring()
    assert house.db.read_now(changes.get_change, 3).change_id == f"{same}-3"
    assert f"Change 3 has the Change-Id {same}-3 here: another of its branch has {same}." in house.notes


def _asked_of(house: House, number: int) -> str:
    """The path by which a change is asked for."""
    return next(one for one in house.there.answers if one.startswith(f"a/changes/api~{number}?"))


def _quiet(what: str, many: int, done: int) -> None:
    del what, many, done


def _without(told: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != key}
