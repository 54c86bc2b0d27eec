# SPDX-License-Identifier: Apache-2.0
"""Gerrit's query language asked of rows, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatebot import words
from gatebot.access import Actor
from gatebot.errors import Invalid
from gatebot.review import conversation, search, search_files, store
from gatebot.review.config.model import ConfigFile
from gatebot.review.edits.store import Edit, put_edit
from gatebot.review.judging import Judge
from gatebot.review.model import InlineComment, ReviewerState
from gatebot.review.query import OPERATORS, parse
from gatebot.review.reading import Reading
from tests.fakes.review_house import ANN, BOB, SITE, ReviewHouse


@pytest.fixture
def house(migrated_url: str, tmp_path: Path) -> Iterator[ReviewHouse]:
    """Three changes: one on a topic, one that bob commented on, one in a project of its own."""
    house = ReviewHouse(migrated_url, tmp_path / "git")
    base = house.project("demo/api")
    house.project("demo/client")
    for subject, project in (("Add a", "demo/api"), ("Add b", "demo/api"), ("Add c", "demo/client")):
        body = f"Depends-On: {SITE}1\n" if project == "demo/client" else ""
        house.push(project, {subject: "x\n"}, subject, base if project == "demo/api" else house.tip(project), body)
    now = house.clock.now()
    house.vote(1, "Code-Review", 2)
    house.vote(2, "Code-Review", -1)
    house.write(conversation.set_reviewer, 2, BOB, ReviewerState.REVIEWER, now)
    house.write(lambda session: store.update_change(session, 1, now, topic="letters"))
    said = house.write(conversation.add_message, 2, 1, BOB, "Nice.", now)
    house.write(
        conversation.add_comment, InlineComment("c1", 2, 1, BOB, "Add b", "Why?", now, said.id, unresolved=True)
    )
    index_files(house)
    yield house
    house.close()


VALUES = (
    "self",
    "^a.*",
    ">3",
    "2d",
    "2026-01-01",
    "Code-Review=MAX,count>1",
    "open",
    "unresolved",
    "py,c",
    "1",
    "%_/'",
)
CASES = [
    ("status:open", [3, 2, 1]),
    ("is:closed", []),
    ("project:demo/api branch:main", [2, 1]),
    ("owner:ann -project:demo/client", [2, 1]),
    ("owner:self", [3, 2, 1]),
    ("owner:bob", []),
    ("reviewer:bob", [2]),
    ("topic:letters", [1]),
    ("2", [2]),
    ("change:3 OR 1", [3, 1]),
    ("label:Code-Review=2", [1]),
    ("label:Code-Review<=-1,bob", [2]),
    ("label:Verified=0", [3, 2, 1]),
    ("label:Code-Review=0", [3]),
    ("label:Code-Review=ANY", [2, 1]),
    ("message:{depends-on:}", [3]),
    ('subject:"add b"', [2]),
    ("age:1h", []),
    ("-age:1h limit:1", [3]),
    ("after:2026-01-05", [3, 2, 1]),
    ("before:2026-01-04", []),
    ("hashtag:none", []),
    ("is:starred", []),
    ("100%", []),
    ("-status:open OR 2", [2]),
    ("project:^demo/.p.", [2, 1]),
    ("projects:demo/c", [3]),
    ("repo:demo/client", [3]),
    ("branch:^ma.*", [3, 2, 1]),
    ("ref:refs/heads/main 1", [1]),
    ("intopic:tter", [1]),
    ("prefixtopic:let", [1]),
    ("prefixsubject:{Add b}", [2]),
    ("author:ann@example.org", [3, 2, 1]),
    ('author:"Ann Author <ann@example.org>"', [3, 2, 1]),
    ("committer:nobody", []),
    ("file:x", []),
    ("path:{Add a}", [1]),
    ("file:^Add.[bc]", [3, 2]),
    ("dir:/ change:1", [1]),
    ("ext:py", []),
    ("added:1 deleted:0", [3, 2, 1]),
    ("size:>1", []),
    ("delta:<=1", [3, 2, 1]),
    ("footer:depends-on", [3]),
    ("footer:{Depends-On=https://review.example.org/1}", [3]),
    ("message:^Add.b.*", [2]),
    ("comment:nice", [2]),
    ("commentby:bob", [2]),
    ("from:bob", [2]),
    ("is:reviewed", [2]),
    ("has:unresolved", [2]),
    ("cc:bob", []),
    ("reviewerin:Core", [2]),
    ("ownerin:Core", []),
    ("label:Code-Review=2,user=bob", [1]),
    ("label:Code-Review=2,group=Core", [1]),
    ("label:Code-Review=2,owner", []),
    ("label:Code-Review=MAX,non_uploader", [1]),
    ("label:Code-Review=ANY,count>=2", []),
    ("label:Code-Review=ANY,count=1", [2, 1]),
    ("label:None=1", []),
    ("has:edit", []),
    ("cc:nobody@example.org", []),
    ('ownerin:"registered users"', [3, 2, 1]),
    ("mergedafter:2020-01-01", []),
    ("parentof:1", []),
    ("visibleto:bob 1", [1]),
    ("is:merge", []),
    ("is:watched", []),
    ("tr:5", []),
    ("hasfooter:Depends-On", [3]),
    ("hasfooter:depends-on", []),
    ("hasfooter:Change-Id -hasfooter:Depends-On", [2, 1]),
    ("parentproject:demo/api", [2, 1]),
    ("unresolved:1", [2]),
    ("unresolved:0", [3, 1]),
    ("unresolved:>0", [2]),
    ("unresolved:>=2", []),
    ("unresolved:<=1 -unresolved:<1", [2]),
    ("reviewedby:bob", [2]),
    ("reviewedby:self", []),
]


def test_queries_find_what_they_describe(house: ReviewHouse) -> None:
    asking = search.Asking(ANN, False, house.clock.now())
    wrong: list[str] = []
    for query, numbers in CASES:
        found = [change.number for change in house.read(search.search, parse(query), asking).changes]
        if found != numbers:
            wrong.append(f"{query} finds {found}, not {numbers}")
    assert wrong == []


def test_a_topic_as_long_as_gerrit_takes_it_is_kept_and_found(house: ReviewHouse) -> None:
    """Of letters that no database packs."""
    topic = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(2048))
    house.write(lambda session: store.update_change(session, 3, house.clock.now(), topic=topic))
    asking = search.Asking(ANN, False, house.clock.now())
    for query in (f"topic:{topic}", f"intopic:{topic[1000:1100]}", f"prefixtopic:{topic[:9]}"):
        assert [one.number for one in house.read(search.search, parse(query), asking).changes] == [3]
    assert [one.number for one in house.read(search.search, parse(f"topic:{topic[:-1]}x"), asking).changes] == []


def test_a_change_is_reviewed_until_its_owner_speaks(house: ReviewHouse) -> None:
    asking = search.Asking(ANN, False, house.clock.now())

    def reviewed(query: str) -> list[int]:
        return [change.number for change in house.read(search.search, parse(query), asking).changes]

    house.write(conversation.add_message, 2, 1, None, "Told by nobody.", house.clock.now())
    assert (reviewed("is:reviewed"), reviewed("-is:reviewed")) == ([2], [3, 1])
    house.write(conversation.add_message, 2, 1, ANN, "Because.", house.clock.now())
    assert (reviewed("is:reviewed"), reviewed("-is:reviewed")) == ([], [3, 2, 1])


async def test_what_can_be_submitted_is_found_beside_other_terms_and_counted_in_pages(house: ReviewHouse) -> None:
    for number in (1, 3):
        house.vote(number, "Code-Review", 2)
        house.vote(number, "Verified", 1)
        house.vote(number, "Workflow", 1)
    reading = Reading(house.db, house.judge, house.clock)

    async def found(query: str, limit: int = 10, start: int = 0) -> tuple[list[int], bool]:
        views, more = await reading.search(Actor(ANN), query, limit, start)
        return [view.change.number for view in views], more

    able = [view.change.number for view in (await reading.search(Actor(ANN), "is:open"))[0] if view.verdict.submittable]
    assert able
    assert await found("is:submittable") == (able, False)
    assert await found("is:submittable project:demo/none") == ([], False)
    assert await found("-is:submittable") == ([number for number in (3, 2, 1) if number not in able], False)
    assert await found("status:open (is:submittable owner:ann)", limit=1) == (able[:1], len(able) > 1)
    assert await found("is:submittable", start=len(able)) == ([], False)
    assert await found("is:submittable -is:submittable") == ([], False)
    with pytest.raises(Invalid) as refused:
        await found("is:submittable OR owner:self")
    assert words.say(refused.value.reason) == (
        "is:submittable cannot be searched for: it must hold of all that is found, so it cannot stand inside an OR."
    )


REFUSED = [
    ("owner:nobody", "User nobody not found"),
    ("o:nobody OR status:open", "User nobody not found"),
    ("commentby:nobody", "User nobody not found"),
    ("ownerin:nosuch", "Group nosuch not found"),
    ("label:Code-Review=2,group=nosuch", "Group nosuch not found"),
    ("label:Code-Review=2,user=nosuch", "Neither user nor group nosuch found"),
    ("reviewedby:nobody", "User nobody not found"),
    ("query:mine", "Unknown named query: mine"),
    ("destination:mine", "Unknown named destination: mine"),
    ("unresolved:many", "unresolved:many cannot be searched for: write it as >50, <=3 or 7."),
    ("hasfooter:a=b", "hasfooter:a=b cannot be searched for: write the name of a footer, as Signed-off-by."),
    ("size:m", "size:m cannot be searched for: write it as >50, <=3 or 7."),
    (
        "since:then",
        "since:then cannot be searched for: write a date as 2026-01-31, or with a time as 2026-01-31T12:00.",
    ),
    ("limit:99999999999", "limit:99999999999 cannot be searched for: it must be a whole number from 1 to 999999999."),
    ("limit:0", "limit:0 cannot be searched for: it must be a whole number from 1 to 999999999."),
    (
        "is:bogus",
        "is:bogus cannot be searched for: the values are open, closed, merged, abandoned, wip, private, started, "
        "visible, owner, uploader, reviewer, cc, starred, attention, watched, reviewed, merge, cherrypick, "
        "pure-revert, submittable.",
    ),
]


@pytest.mark.parametrize(("query", "told"), REFUSED)
def test_a_mistyped_value_is_refused_as_it_was_written(house: ReviewHouse, query: str, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        house.read(search.search, parse(query), search.Asking(ANN, False, house.clock.now()))
    assert words.say(refused.value.reason) == told


def test_changes_with_an_own_edit_are_found_by_who_has_it(house: ReviewHouse) -> None:
    now = house.clock.now()
    house.write(put_edit, Edit(2, ANN, 1, "a" * 40, now), "")
    found = {
        who: [change.number for change in house.read(search.search, parse("has:edit"), asking).changes]
        for who in (ANN, BOB)
        if (asking := search.Asking(who, False, now))
    }
    assert found == {ANN: [2], BOB: []}


_TEXTS = st.text(max_size=12).filter(lambda text: text.isprintable() and "\0" not in text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(terms=st.lists(st.tuples(st.sampled_from(("", *OPERATORS)), _TEXTS | st.sampled_from(VALUES)), max_size=3))
def test_no_query_breaks_the_database(house: ReviewHouse, terms: list[tuple[str, str]]) -> None:
    """It finds something or is refused in a sentence."""
    text = " ".join(f'{operator}:"{value}"' if operator else f'"{value}"' for operator, value in terms)
    asking = search.Asking(BOB, False, house.clock.now())
    try:
        found = house.read(search.search, parse(text), asking).changes
    except Invalid as error:
        found = () if error.reason is not None else None
    assert found is not None


def index_files(house: ReviewHouse) -> None:
    """What the indexer does behind the server's back."""
    for one in house.read(search_files.unread):
        changed = house.repositories.changed_files(one.project, one.commit)
        paths = [file.path for file in changed]
        added, deleted = sum(file.added for file in changed), sum(file.deleted for file in changed)
        house.write(search_files.store_files, one, paths, added, deleted)


async def test_queries_by_votes_do_not_look_at_every_repository(house: ReviewHouse) -> None:
    """What projects say of a label is read again once a configuration moved, or a project came."""

    class Counted:
        """No project says anything; how often they were asked."""

        asked = 0
        moves = 0

        def files(self, project: str) -> tuple[ConfigFile, ...]:
            self.asked += 1
            return ()

        @property
        def generation(self) -> tuple[int, int]:
            return self.moves, 0

    configs = Counted()
    judge = Judge(house.gates, SITE, configs=configs)
    hosted = len(house.read(judge.labels_named, "Code-Review"))
    assert (configs.asked, hosted) == (hosted, hosted)
    house.read(judge.labels_named, "Code-Review")
    assert configs.asked == hosted
    configs.moves = 1
    assert house.read(judge.labels_named, "Code-Review")["demo/api"] is not None
    assert configs.asked == 2 * hosted
    house.project("demo/more")
    assert house.read(judge.labels_named, "Code-Review")["demo/more"] is not None
