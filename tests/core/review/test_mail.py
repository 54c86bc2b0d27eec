# SPDX-License-Identifier: Apache-2.0
"""Mail: which facts are one mail, who gets it, and what it says."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot import events as facts
from gatebot.fact import Event
from gatebot.review.deliveries.pauses import patience
from gatebot.review.mail.audience import Ground, concerned, level_of, reached
from gatebot.review.mail.grouping import Noted, happenings
from gatebot.review.mail.letters import Told, letter
from gatebot.review.mail.model import (
    Addressed,
    Block,
    FileLine,
    Form,
    Happening,
    Kind,
    Listener,
    Notify,
    NotifyWished,
    Quote,
    Wish,
)
from gatebot.review.mail.rendering import Envelope, can_be_mailed, message, readable, unsaid
from gatebot.review.model import (
    Change,
    PatchSet,
    Person,
    Reviewer,
    ReviewerRemoved,
    ReviewerState,
    Status,
)
from gatebot.review.model import Kind as PatchSetKind

AT = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
ANN, BOB, CHO, DAN, EVE, BOT = range(1, 7)
CHANGE = Change(
    7, "nova/api", "main", "I" + "a" * 40, "Add a door", Status.NEW, ANN, 2, AT, AT,
)  # fmt: skip
WHO = Person("Ann", "ann@example.org", AT)
PATCH_SET = PatchSet(
    7, 2, "c" * 40, ("b" * 40,), ANN, PatchSetKind.REWORK, AT, "Add a door",
    "Add a door\n\nThe house had none.\n\nChange-Id: I" + "a" * 40 + "\n", WHO, WHO,
)  # fmt: skip
REVIEWERS = (Reviewer(BOB, ReviewerState.REVIEWER, AT), Reviewer(CHO, ReviewerState.CC, AT))
GROUND = Ground(CHANGE, ANN, REVIEWERS, (DAN,), ((EVE, frozenset({"notify_all_comments"})),))
NAMES = {ANN: "ann", BOB: "bob", CHO: "cho", DAN: "dan", EVE: "eve"}
PEOPLE = {id: Listener(id, name.title(), f"{name}@example.org") for id, name in NAMES.items()}
PEOPLE[BOT] = Listener(BOT, "Gate", "gate@example.org", program=True)


def noted(*several: Event, apart: float = 0.0) -> list[Noted]:
    return [Noted(n, AT + timedelta(seconds=apart * n), fact) for n, fact in enumerate(several, start=1)]


def told(kind: Kind, actor: int = BOB, **more: object) -> Happening:
    return Happening(9, AT, 7, kind, actor, 2, **more)  # type: ignore[arg-type]


# -- what is one mail ------------------------------------------------------------------------------------------------


def test_a_review_with_votes_and_a_wish_is_one_mail() -> None:
    found = happenings(
        noted(
            NotifyWished(7, BOB, "OWNER", (DAN,)),
            facts.VoteCast(7, 2, "Code-Review", 1, BOB),
            facts.ReviewerAdded(7, BOB, BOB),
            facts.CommentAdded(7, 2, BOB, 31, "Patch Set 2: Code-Review+1", votes=(("Code-Review", 1),), inline=2),
        )
    )
    assert [(one.kind, one.message, one.votes, one.upto) for one in found] == [
        (Kind.COMMENT, 31, (("Code-Review", 1),), 4)
    ]
    assert found[0].wish == Wish(Notify.OWNER, to=(DAN,))


def test_a_push_with_reviewers_is_one_mail_a_change() -> None:
    uploaded = facts.PatchSetCreated(7, 1, "nova/api", "main", "c" * 40, ANN)
    second = facts.PatchSetCreated(8, 1, "nova/api", "main", "d" * 40, ANN)
    found = happenings(noted(uploaded, facts.ReviewerAdded(7, BOB, ANN), second, facts.ReviewerAdded(8, BOB, ANN)))
    assert [(one.change, one.kind, one.invited) for one in found] == [
        (7, Kind.NEW_CHANGE, (BOB,)),
        (8, Kind.NEW_CHANGE, (BOB,)),
    ]


def test_who_is_asked_for_a_review_by_a_comment_gets_a_mail_of_his_own() -> None:
    found = happenings(noted(facts.ReviewerAdded(7, CHO, BOB), facts.CommentAdded(7, 2, BOB, 31, "cho, please")))
    assert [(one.kind, one.invited, one.upto) for one in found] == [
        (Kind.COMMENT, (CHO,), 2),
        (Kind.ADD_REVIEWER, (CHO,), 2),
    ]


def test_the_same_person_a_minute_later_is_another_mail() -> None:
    said = facts.CommentAdded(7, 2, BOB, 31, "first")
    assert len(happenings(noted(said, replace(said, message=32), apart=60))) == 2


@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        (facts.ChangeMerged(7, 2, "nova/api", "main", "c" * 40, BOT), Kind.MERGED),
        (facts.ChangeAbandoned(7, ANN, "no use"), Kind.ABANDONED),
        (facts.ChangeRestored(7, ANN), Kind.RESTORED),
        (facts.WorkInProgressChanged(7, False, ANN), Kind.NEW_CHANGE),
        (facts.VoteCast(7, 2, "Code-Review", 0, BOB, 2, by=ANN), Kind.DELETE_VOTE),
        (ReviewerRemoved(7, BOB, ANN), Kind.DELETE_REVIEWER),
        (facts.ReviewerAdded(7, BOB, ANN), Kind.ADD_REVIEWER),
        (facts.VoteCast(7, 2, "Code-Review", 1, BOB), None),
        (facts.WorkInProgressChanged(7, True, ANN), None),
        (facts.ReviewerAdded(7, BOB, BOB), None),
    ],
)
def test_what_a_fact_alone_is(fact: Event, kind: Kind | None) -> None:
    assert [one.kind for one in happenings(noted(fact))] == ([] if kind is None else [kind])


# -- who gets it -----------------------------------------------------------------------------------------------------


def test_a_comment_goes_to_the_owner_and_copies_go_to_all_who_care() -> None:
    assert concerned(told(Kind.COMMENT), GROUND) == Addressed((ANN,), (BOB, CHO), (DAN, EVE))


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (Notify.NONE, ()),
        (Notify.OWNER, (ANN,)),
        (Notify.OWNER_REVIEWERS, (ANN, BOB, CHO)),
        (Notify.ALL, (ANN, BOB, CHO, DAN, EVE)),
    ],
)
def test_each_level_of_notify_reaches_further(level: Notify, expected: tuple[int, ...]) -> None:
    assert concerned(told(Kind.COMMENT, wish=Wish(level)), GROUND).all == expected


def test_notify_details_reach_people_even_where_nobody_else_is_told() -> None:
    wish = Wish(Notify.NONE, to=(EVE,), bcc=(DAN, EVE))
    assert concerned(told(Kind.COMMENT, wish=wish), GROUND) == Addressed((EVE,), (), (DAN,))


def test_programs_reports_and_unfinished_work_make_less_noise() -> None:
    unready = replace(GROUND, change=replace(CHANGE, work_in_progress=True))
    report = told(Kind.COMMENT, BOT, tag="autogenerated:gatebot:check")
    assert level_of(report, GROUND) is Notify.OWNER_REVIEWERS
    assert level_of(report, unready) is Notify.OWNER
    assert level_of(told(Kind.NEW_PATCH_SET, ANN), unready) is Notify.OWNER
    assert level_of(told(Kind.ADD_REVIEWER, ANN), unready) is Notify.NONE
    assert level_of(told(Kind.COMMENT), replace(unready, reviewers=())) is Notify.NONE


def test_who_did_it_is_not_mailed_unless_he_wants_copies() -> None:
    assert BOB not in reached(told(Kind.COMMENT), GROUND, PEOPLE).all
    own = PEOPLE | {BOB: replace(PEOPLE[BOB], strategy="CC_ON_OWN_COMMENTS")}
    assert BOB in reached(told(Kind.COMMENT), GROUND, own).cc


def test_only_when_my_turn_is_mailed_on_ones_turn_and_when_ones_own_change_ends() -> None:
    patient = {id: replace(one, strategy="ATTENTION_SET_ONLY") for id, one in PEOPLE.items()}
    assert reached(told(Kind.COMMENT), GROUND, patient).all == ()
    turn = patient | {ANN: replace(patient[ANN], turn=True)}
    assert reached(told(Kind.COMMENT), GROUND, turn).all == (ANN,)
    assert reached(told(Kind.MERGED, BOT), GROUND, patient).all == (ANN,)


@pytest.mark.parametrize(
    "unfit", [{"sees": False}, {"active": False}, {"program": True}, {"muted": True}, {"email": ""},
              {"strategy": "DISABLED"}],
)  # fmt: skip
def test_who_may_not_or_does_not_want_to_hear_is_left_out(unfit: dict[str, object]) -> None:
    people = PEOPLE | {CHO: replace(PEOPLE[CHO], **unfit)}  # type: ignore[arg-type]
    wished = told(Kind.COMMENT, wish=Wish(to=(CHO,)))
    assert CHO not in reached(wished, GROUND, people).all
    assert ANN in reached(wished, GROUND, people).all


def test_watchers_hear_only_of_what_they_asked_for() -> None:
    assert EVE not in reached(told(Kind.NEW_CHANGE, ANN), GROUND, PEOPLE).all
    assert EVE in reached(told(Kind.MERGED, BOT), GROUND, PEOPLE).all


# -- what it says ----------------------------------------------------------------------------------------------------

QUOTE = Quote(
    "src/door.py", 2, "Why not a window?", "https://review.example.org/c/nova/api/+/7#message-31", 12,
    context="    return Door()", answers="It opens.",
)  # fmt: skip
TOLD = Told(
    told(Kind.COMMENT, message=31, text="Patch Set 2: Code-Review+1\n\n(1 comment)\n\nFine, but:",
         votes=(("Code-Review", 1),)),
    GROUND, PATCH_SET, PEOPLE, "https://review.example.org", "Example", (FileLine("M", "src/door.py", 3, 1),),
    (QUOTE,), (ANN,),
)  # fmt: skip
ENVELOPE = Envelope(
    "review@example.org", "Example", "ann@example.org", (("Ann", "ann@example.org"),), (("Cho", "cho@example.org"),),
    "https://review.example.org/mail/-/xyz", "https://review.example.org/settings/mail",
)  # fmt: skip


def same(text: str) -> str:
    return text


def parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_comment_reads_as_gerrit_writes_it() -> None:
    mail = parsed(message(letter(TOLD, same), ENVELOPE, same))
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == (
        "Attention is currently required from: Ann.\n\n"
        "Bob has posted comments on this change.\n\n"
        "    https://review.example.org/c/nova/api/+/7\n\n"
        "Change subject: Add a door\n\n" + "." * 70 + "\n\n"
        "Patch Set 2: Code-Review+1\n\n(1 comment)\n\nFine, but:\n\n"
        "File src/door.py:\n\n"
        "    https://review.example.org/c/nova/api/+/7#message-31\n\n"
        "PS2, line 12: return Door()\n\n"
        "> It opens.\n\n"
        "Why not a window?\n\n"
        "-- \n"
        "To view, visit https://review.example.org/c/nova/api/+/7\n"
        "To choose what you are mailed, visit https://review.example.org/settings/mail\n"
        "To hear no more of this project, visit https://review.example.org/mail/-/xyz\n\n"
        "Gerrit-MessageType: comment\n"
        "Gerrit-Project: nova/api\n"
        "Gerrit-Branch: main\n"
        f"Gerrit-Change-Id: I{'a' * 40}\n"
        "Gerrit-Change-Number: 7\n"
        "Gerrit-PatchSet: 2\n"
        "Gerrit-Owner: Ann <ann@example.org>\n"
        "Gerrit-Reviewer: Bob <bob@example.org>\n"
        "Gerrit-CC: Cho <cho@example.org>\n"
        "Gerrit-Attention: Ann <ann@example.org>\n"
        "Gerrit-Comment-Date: Sun, 29 Nov 2026 10:00:00 +0000\n"
        "Gerrit-HasComments: Yes\n"
        "Gerrit-Has-Labels: Yes\n"
    )


def test_headers_put_a_change_into_one_thread_and_let_programs_sort() -> None:
    first = replace(TOLD, happening=replace(TOLD.happening, kind=Kind.NEW_CHANGE, patch_set=1), quotes=())
    root, answer = (parsed(message(letter(one, same), ENVELOPE, same)) for one in (first, TOLD))
    assert root["Message-ID"] == f"<gatebot.7.I{'a' * 40}@review.example.org>"
    assert root["In-Reply-To"] is None
    assert answer["In-Reply-To"] == answer["References"] == root["Message-ID"]
    assert answer["Message-ID"] == "<gatebot.7.9.comment@review.example.org>"
    shown = {name: answer[name] for name in answer if name.startswith(("X-Gerrit", "List-", "Auto"))}
    assert shown == {
        "Auto-Submitted": "auto-generated",
        "X-Gerrit-MessageType": "comment",
        "X-Gerrit-Change-Id": f"I{'a' * 40}",
        "X-Gerrit-Change-Number": "7",
        "X-Gerrit-ChangeURL": "https://review.example.org/c/nova/api/+/7",
        "X-Gerrit-Commit": "c" * 40,
        "X-Gerrit-PatchSet": "2",
        "X-Gerrit-Project": "nova/api",
        "X-Gerrit-Branch": "main",
        "X-Gerrit-Attention-Set": "Ann",
        "List-Id": "nova-api <gerrit-nova-api.review.example.org>",
        "List-Archive": "<https://review.example.org/mail/nova/api/2026-11>",
        "List-Unsubscribe": "<https://review.example.org/mail/-/xyz>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert answer["From"] == '"Bob (Example)" <review@example.org>'
    assert answer["Reply-To"] == "Bob <bob@example.org>"
    assert answer["Subject"] == "Change in nova/api[main]: Add a door"


def test_long_addresses_and_ids_stay_whole_on_the_wire() -> None:
    address = "https://review.example.org/mail/-/" + "x" * 120
    raw = message(letter(TOLD, same), replace(ENVELOPE, unsubscribe=address), same)
    assert f"\r\nList-Unsubscribe: <{address}>\r\n".encode() in raw
    assert f"\r\nReferences: <gatebot.7.I{'a' * 40}@review.example.org>\r\n".encode() in raw
    assert max(map(len, raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 78


def test_new_work_shows_its_message_and_files() -> None:
    first = replace(TOLD, happening=told(Kind.NEW_CHANGE, ANN), quotes=(), attention=(), fetch="  git fetch X")
    text = readable(letter(first, same).blocks)
    assert text.startswith("Ann has uploaded this change for review.")
    assert "The house had none." in text
    assert "---\nM src/door.py\nFiles changed: 1, lines added: 3, lines deleted: 1" in text


def test_html_shows_what_people_wrote_as_text() -> None:
    evil = replace(TOLD, happening=replace(TOLD.happening, text="<script>alert(1)</script> & <b>"), quotes=(
        replace(QUOTE, text='"><img src=x onerror=y>', context="<i>"),))  # fmt: skip
    html = parsed(message(letter(evil, same), ENVELOPE, same)).get_body(("html",))
    assert html is not None
    shown = html.get_content()
    for harm in ("<script>", "<img", "<i>"):
        assert harm not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;" in shown


def test_who_wants_plain_text_gets_no_html() -> None:
    mail = parsed(message(letter(TOLD, same), replace(ENVELOPE, plain=True), same))
    assert mail.get_content_type() == "text/plain"


@given(st.text(max_size=200), st.text(max_size=60), st.text(max_size=60))
def test_nobody_breaks_out_of_a_header(subject: str, name: str, branch: str) -> None:
    hostile = f"{subject}\r\nBcc: everybody@example.org\n\nbody"
    change = replace(CHANGE, subject=hostile, branch=f"{branch}\r\nX-Evil: 1", project="nova/api")
    people = PEOPLE | {BOB: replace(PEOPLE[BOB], name=f"{name}\r\nX-Evil: 2")}
    one = replace(TOLD, ground=replace(GROUND, change=change), people=people)
    mail = parsed(message(letter(one, same), replace(ENVELOPE, to=((f"{name}\nX-Evil: 3", "a@example.org"),)), same))
    assert mail["X-Evil"] is None
    assert mail["Bcc"] is None
    assert mail.get_content_type() == "multipart/alternative"
    assert mail["X-Gerrit-Project"] == "nova/api"


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("ann@example.org", True),
        ("ann+x@example.org", True),
        ("a,b@example.org", False),
        ("ann@localhost", False),
        ("ann@example.org\r\nBcc: x@y", False),
        ("김@example.org", False),
        ("@", False),
        ("", False),
    ],
)
def test_only_addresses_are_mailed(address: str, fits: bool) -> None:
    assert can_be_mailed(address) is fits


def test_what_fails_is_tried_less_and_less_often_and_then_given_up() -> None:
    minutes = [None if (wait := patience(n)) is None else wait.total_seconds() / 60 for n in (1, 2, 3, 9, 29, 30)]
    assert minutes == [1, 2, 4, 240, 240, None]


def test_only_whole_comments_are_taken_out_of_a_letter() -> None:
    letter = readable(
        [Block(Form.SAID, "a"), Block(Form.CODE, "a cat"), Block(Form.QUOTED, "a"), Block(Form.SAID, "a")]
    )
    assert unsaid(letter, " a\n", "gone") == "gone\n\na cat\n\n> gone\n\ngone"
