# SPDX-License-Identifier: Apache-2.0
"""Mail from the journal to a real SMTP server: each happening once, to the right people, and tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from gatebot import events as facts
from gatebot import journal
from gatebot.access import Actor
from gatebot.identity import store as identity
from gatebot.journal import Journal
from gatebot.keys import SiteKey
from gatebot.review import conversation
from gatebot.review import store as changes
from gatebot.review.drafts import Draft
from gatebot.review.mail import store
from gatebot.review.mail.model import Notify, Wish
from gatebot.review.mail.pages import sign
from gatebot.review.mail.passes import Passes
from gatebot.review.mail.ports import Carried, Waiting
from gatebot.review.mail.sending import Sending
from gatebot.review.mail.service import Mail, Sender
from gatebot.review.mail.smtp import Server, SmtpCarrier
from gatebot.review.model import Change, DraftedComment, ReviewerState
from gatebot.review.people import store as people
from gatebot.review.people.store import Watch
from gatebot.review.reading import Reading
from gatebot.review.service import Review
from gatebot.review.states import States
from gatebot.review.threads.model import StoredDraft
from gatebot.review.threads.store import put_draft
from tests.fakes.mail_server import MailServer, mail_server
from tests.fakes.review_house import ANN, BOB, GATE, ReviewHouse

SITE = "https://review.example.org"


@dataclass
class Post:
    """A site that mails. People are ann, bob (core), cho and dan; the change is ann's."""

    house: ReviewHouse
    server: MailServer
    carrier: SmtpCarrier
    change: Change
    cho: int
    dan: int

    def mail(self) -> tuple[Mail, Sending]:
        """The writer and the sender, as a server that starts has them."""
        house = self.house
        sending = Sending(house.db, house.clock, self.carrier)
        reading = Reading(house.db, house.judge, house.clock)
        sender = Sender(SITE, "Example", "review@example.org")
        passes = Passes(SiteKey.new(), SITE)
        log = Journal(house.db)
        return Mail(house.db, log, house.repositories, house.clock, reading, passes, sender, sending), sending

    async def deliver(self) -> None:
        """Everything that is to be written is, and everything that is due is sent."""
        mail, sending = self.mail()
        await mail.catch_up()
        while await sending.send():
            pass

    def actor(self, id: int) -> Actor:
        account = self.house.read(identity.account_in, id)
        return Actor(account.id, account.groups, account.username)

    async def say(
        self, who: int, text: str, wish: Wish | None = None, *comments: DraftedComment, tag: str = ""
    ) -> None:
        draft = Draft(message=text, comments=comments, wish=wish or Wish(), tag=tag)
        review = Review(self.house.db, self.house.judge, self.house.clock)
        await review.post(self.actor(who), self.change.number, 1, draft)
        self.house.clock.advance(60)


@pytest.fixture
def post(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Post]:
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    house = ReviewHouse(f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    now = house.clock.now()
    ids = [
        house.write(identity.create, identity.NewAccount(name, name.title(), f"{name}@example.org", None, ()), now).id
        for name in ("cho", "dan")
    ]
    base = house.project("demo/api")
    change = house.push("demo/api", {"door.py": "def door():\n    return 1\n"}, "Add a door", base)
    house.write(conversation.set_reviewer, change.number, BOB, ReviewerState.REVIEWER, now)
    with mail_server() as server:
        carrier = SmtpCarrier(Server("127.0.0.1", server.port, "none", "review@example.org"))
        yield Post(house, server, carrier, change, *ids)
    house.close()


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return body.get_content().replace("\r\n", "\n")


async def test_a_new_change_and_its_review_are_one_thread(post: Post) -> None:
    await post.say(BOB, "Why?", None, DraftedComment("door.py", "Return a door.", line=2))
    await post.deliver()
    (asked,) = post.server.to("bob@example.org")
    (answer,) = post.server.to("ann@example.org")
    assert asked["X-Gerrit-MessageType"] == "newchange"
    assert "Ann has uploaded this change for review." in text_of(asked)
    assert answer["X-Gerrit-MessageType"] == "comment"
    assert answer["In-Reply-To"] == answer["References"] == asked["Message-ID"]
    assert "File door.py:" in text_of(answer)
    assert "PS1, line 2: return 1\n\nReturn a door." in text_of(answer)


async def test_a_month_with_more_letters_than_are_shown_shows_the_newest(post: Post) -> None:
    await post.say(BOB, "One")
    await post.say(BOB, "Two")
    await post.deliver()
    kept = post.house.read(store.kept, "demo/api", post.change.created.strftime("%Y-%m"), 2)
    assert ["One" in kept[0].text, "Two" in kept[1].text] == [True, True]


async def test_a_restart_neither_loses_nor_doubles_mail(post: Post) -> None:
    mail, _ = post.mail()
    await mail.catch_up()  # written, and then the server is killed before anything is sent
    await post.say(BOB, "While nobody sent anything")
    await post.deliver()
    await post.deliver()
    assert len(post.server.to("bob@example.org")) == 1
    assert len(post.server.to("ann@example.org")) == 1
    ids = [message["Message-ID"] for _, message in post.server.taken]
    assert len(ids) == len(set(ids))


async def test_a_site_that_begins_to_send_mail_does_not_send_its_past(post: Post) -> None:
    post.house.clock.advance(2 * 86400)
    await post.deliver()
    assert post.server.taken == []
    month = post.change.created.strftime("%Y-%m")
    assert [one.kind for one in post.house.read(store.kept, "demo/api", month, 10)] == ["newchange"]


async def test_watchers_and_those_who_star_it_hear_too_but_not_with_another_filter(post: Post) -> None:
    house = post.house
    house.write(people.set_watches, post.cho, [Watch("demo/api", "file:^door.*", ("notify_all_comments",))])
    house.write(people.set_watches, ANN, [Watch("All-Projects", "", ("notify_all_comments",))])
    house.write(people.set_watches, BOB, [Watch("demo/api", "branch:other", ("notify_all_comments",))])
    await post.say(post.dan, "Hello")
    house.write(lambda session: people.set_star(session, post.dan, post.change.number, wanted=True))
    await post.say(ANN, "Hello, dan")
    await post.deliver()
    assert {reader for reader, message in post.server.taken if "Hello, dan" in text_of(message)} == {
        "bob@example.org",
        "dan@example.org",
    }
    assert len(post.server.to("cho@example.org")) == 0  # files are not known to the index here
    assert len(post.server.to("ann@example.org")) == 1


async def test_notify_of_a_review_is_obeyed(post: Post) -> None:
    await post.say(BOB, "Only for cho", Wish(Notify.NONE, to=(post.cho,)))
    await post.say(BOB, "For nobody", Wish(Notify.NONE))
    await post.deliver()
    assert [text_of(message).count("Only for cho") for message in post.server.to("cho@example.org")] == [1]
    assert post.server.to("ann@example.org") == []


async def test_private_changes_are_told_to_those_who_see_them_and_never_kept(post: Post) -> None:
    house = post.house
    house.write(people.set_watches, post.cho, [Watch("demo/api", "", ("notify_all_comments", "notify_new_changes"))])
    await States(house.db, house.clock).set_private(post.actor(ANN), post.change.number, True)
    await post.say(BOB, "This is secret")
    await post.deliver()
    assert len(post.server.to("ann@example.org")) == 1
    assert post.server.to("cho@example.org") == []
    assert house.read(store.months) == ()


async def test_the_revert_that_only_its_writer_sees_is_told_to_nobody_of_the_reverted_change(post: Post) -> None:
    house = post.house
    await post.deliver()
    undone = house.commit_of(post.change)
    revert = house.push(
        "demo/api", {"door.py": ""}, "Revert the door", undone, body=f"This reverts commit {undone}.\n\n"
    )
    house.write(lambda session: changes.update_change(session, revert.number, house.clock.now(), private=True))
    month = post.change.created.strftime("%Y-%m")
    before = post.server.to("bob@example.org"), house.read(store.kept, "demo/api", month, 10)
    await post.deliver()
    assert (post.server.to("bob@example.org"), house.read(store.kept, "demo/api", month, 10)) == before
    assert [message["X-Gerrit-MessageType"] for message in post.server.to("ann@example.org")] == []


async def test_a_comment_is_quoted_under_its_line_of_the_patch_set_that_it_is_on(post: Post) -> None:
    house, change = post.house, post.change
    older = StoredDraft("d1", change.number, 1, BOB, house.clock.now(), DraftedComment("door.py", "Why 1?", line=2))
    house.write(put_draft, older)
    house.new_patch_set(change, {"door.py": "def door():\n    return Door()\n"})
    draft = Draft(
        message="Look", comments=(DraftedComment("door.py", "Fine.", line=2),), publish="PUBLISH_ALL_REVISIONS"
    )
    await Review(house.db, house.judge, house.clock).post(post.actor(BOB), change.number, 2, draft)
    await post.deliver()
    said = text_of(post.server.to("ann@example.org")[-1])
    assert "PS1, line 2: return 1\n\nWhy 1?" in said
    assert "PS2, line 2: return Door()\n\nFine." in said


async def test_what_an_administrator_takes_away_from_a_comment_is_gone_from_the_archive_too(post: Post) -> None:
    house, number = post.house, post.change.number
    secret = "The password is\nsesame."
    await post.say(BOB, "Look", None, DraftedComment("door.py", f" {secret}\n", line=2))
    (comment,) = house.read(conversation.list_comments, number)
    await post.say(ANN, "Oh", None, DraftedComment("door.py", "Thanks.", line=2, in_reply_to=comment.id))
    edit = DraftedComment("door.py", f"{secret}\n```suggestion\n{secret}\n```", line=2)
    await post.say(BOB, "Look again", None, edit)
    await post.deliver()
    said = text_of(post.server.to("ann@example.org")[-1])
    assert "The password is\nsesame.\nSuggested instead:\n+ The password is\n+ sesame.\n" in said
    root = Actor(BOB, frozenset({"Administrators"}), "bob")
    for one in house.read(conversation.list_comments, number):
        if "sesame" in one.text:
            await Review(house.db, house.judge, house.clock).blank_comment(root, number, one.id, "a secret")
    kept = house.read(store.kept, "demo/api", post.change.created.strftime("%Y-%m"), 10)
    assert [one.text.count("sesame") for one in kept] == [0, 0, 0, 0]
    assert [one.text.count("Comment removed by: Bob; Reason: a secret") for one in kept] == [0, 1, 1, 1]
    assert "Thanks." in kept[2].text


async def test_programs_are_never_mailed_and_their_reports_reach_owner_and_reviewers_only(post: Post) -> None:
    house = post.house
    house.write(conversation.set_reviewer, post.change.number, GATE, ReviewerState.REVIEWER, house.clock.now())
    house.write(people.set_watches, post.cho, [Watch("demo/api", "", ("notify_all_comments",))])
    await post.say(GATE, "Build succeeded.", tag="autogenerated:gatebot:check")
    await post.deliver()
    assert post.server.to("gatebot@example.org") == []
    reports = [reader for reader, message in post.server.taken if "Build succeeded." in text_of(message)]
    assert sorted(reports) == ["ann@example.org", "bob@example.org"]


async def test_what_a_server_refuses_for_good_is_given_up_and_what_fails_is_tried_again(post: Post) -> None:
    post.server.refused = {"bob@example.org": "450 try later"}
    await post.deliver()
    mail, sending = post.mail()
    told = await sign(sending)
    assert (told.ok, told.text.split(", ")[0], told.text.split(", ")[-1]) == (
        False, "1 waiting", "the last attempt failed",
    )  # fmt: skip
    assert told.inside == "last problem: 450 try later", "what the server answered is for who is signed in"
    post.house.clock.advance(120)
    post.server.refused = {"bob@example.org": "550 nobody of that name"}
    assert await sending.send() == 1
    told = await sign(sending)
    assert (told.ok, told.text) == (True, "0 waiting, 1 given up, the last attempt failed")
    assert told.inside == "last problem: 550 nobody of that name"
    assert await sending.send() == 0
    assert mail is not None


async def test_a_server_that_is_away_keeps_nothing_from_being_sent_later(post: Post) -> None:
    away = SmtpCarrier(Server("127.0.0.1", 1, "none", "review@example.org"))
    carrier, post.carrier = post.carrier, away
    await post.deliver()
    assert post.server.taken == []
    post.house.clock.advance(120)
    post.carrier = carrier
    await post.deliver()
    assert len(post.server.to("bob@example.org")) == 1


async def test_a_message_on_which_the_server_hangs_up_keeps_no_other_from_being_sent(post: Post) -> None:
    post.server.hangs_up_on = {"bob@example.org"}
    await post.say(BOB, "Why?")
    await post.deliver()
    assert len(post.server.to("ann@example.org")) == 1
    _, sending = post.mail()
    assert (await sign(sending)).text.split(", ")[0] == "1 waiting"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_password_is_sent_to_a_server_that_asks_for_one(post: Post, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("sesame\n")
    with mail_server(login=("gatebot", "sesame")) as server:
        asked = Server("127.0.0.1", server.port, "none", "review@example.org", "gatebot", str(tmp_path / "password"))
        post.carrier = SmtpCarrier(asked)
        await post.deliver()
        assert len(server.to("bob@example.org")) == 1


async def test_a_fact_of_which_no_letter_can_be_written_stops_no_other(post: Post) -> None:
    house = post.house
    gone = facts.CommentAdded(99999, 1, BOB, 1, "of a change that is not there")
    house.write(journal.append, gone, house.clock.now())
    await post.say(BOB, "Still there")
    await post.deliver()
    assert len(post.server.to("ann@example.org")) == 1


class SlowCarrier:
    """Implements `ports.Carrier`; the server takes a message, and its answer is long on its way."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.reached, self.answer = asyncio.Event(), asyncio.Event()

    async def carry(self, messages: Sequence[Waiting]) -> AsyncGenerator[Carried, None]:
        for message in messages:
            self.taken.append(message.email)
            self.reached.set()
            await self.answer.wait()
            yield Carried(message.id)


async def test_a_server_that_ends_while_it_sends_knows_what_was_taken(post: Post) -> None:
    await post.say(BOB, "So there are two mails")
    mail, _ = post.mail()
    await mail.catch_up()
    slow = SlowCarrier()
    running = asyncio.create_task(Sending(post.house.db, post.house.clock, slow).run())
    await slow.reached.wait()
    running.cancel()
    slow.answer.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    await post.deliver()
    assert slow.taken == ["bob@example.org"]
    assert [reader for reader, _ in post.server.taken] == ["ann@example.org"]
