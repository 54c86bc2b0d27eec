# SPDX-License-Identifier: Apache-2.0
"""What texts name of trackers: by footers and patterns, as safe links, and what trackers are told of merges."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatebot.app.outward import sign_of_trackers, trackers_of
from gatebot.errors import SettingsError
from gatebot.events import ChangeMerged
from gatebot.review.config import syntax
from gatebot.review.config.model import ConfigFile
from gatebot.review.deliveries.store import Counts
from gatebot.review.model import Change, Kind, PatchSet, Person, Status
from gatebot.review.trackers.commentlinks import check, commentlinks
from gatebot.review.trackers.linking import linked
from gatebot.review.trackers.model import Rule, Tracker
from gatebot.review.trackers.news import news
from gatebot.review.trackers.rules import ANY_ID, SHIPPED, named
from gatebot.review.trackers.spoken import bug_at, said, spoken
from gatebot.settings import load

AT = datetime(2026, 1, 5, 10, 30, tzinfo=UTC)
BUGS = Rule(ANY_ID, "https://bugs.example.org/{id}", ("Closes-Bug", "Related-Bug"))
ISSUES = Rule(r"\bissue (\d+)", "https://issues.example.org/?n=$1")
MESSAGE = (
    "Add a door\n\nSee issue 7.\n\nCloses-Bug: #12, 13\nrelated-bug: WIN-4\nStory: 99\nImplements: blueprint big-door\n"
)


def found(text: str, rules: Sequence[Rule]) -> list[tuple[str, str, str]]:
    return [(one.footer, one.id, one.url) for one in named(text, rules)]


def test_footers_and_patterns_name_things_in_the_order_of_the_text() -> None:
    assert found(MESSAGE, [BUGS, ISSUES]) == [
        ("", "7", "https://issues.example.org/?n=7"),
        ("Closes-Bug", "12", "https://bugs.example.org/12"),
        ("Closes-Bug", "13", "https://bugs.example.org/13"),
        ("related-bug", "WIN-4", "https://bugs.example.org/WIN-4"),
    ]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        (
            "is bug 12 the same as Bug: #13?",
            ["https://bugs.launchpad.net/bugs/12", "https://bugs.launchpad.net/bugs/13"],
        ),
        ("LP#14 and lp: 15를", ["https://bugs.launchpad.net/bugs/14", "https://bugs.launchpad.net/bugs/15"]),
        (
            "story #99, task 5",
            ["https://storyboard.openstack.org/#!/story/99", "https://storyboard.openstack.org/#!/task/5"],
        ),
        ("see issue 7", ["https://issues.example.org/?n=7"]),
        ("bp door-2", ["https://blueprints.launchpad.net/openstack/?searchtext=door-2"]),
        ("a bug the size of a debug 3 story", []),
        ("win-4 is bug WIN-4", ["https://bugs.example.org/WIN-4"]),
    ],
)
def test_who_talks_names_bugs_by_their_noun(text: str, urls: list[str]) -> None:
    rules = spoken([*SHIPPED["launchpad"], *SHIPPED["storyboard"], ISSUES, BUGS])
    assert [one.url for one in said(text, rules)] == urls


@pytest.mark.parametrize(
    ("address", "of"),
    [
        ("https://bugs.launchpad.net/bugs/7", "https://bugs.launchpad.net/bugs/7"),
        ("https://bugs.launchpad.net/nova/+bug/7/comments/3", "https://bugs.launchpad.net/bugs/7"),
        ("https://storyboard.openstack.org/#!/story/99", "https://storyboard.openstack.org/#!/story/99"),
        ("https://bugs.example.org/WIN-4?show=all", "https://bugs.example.org/WIN-4"),
        ("https://bugs.example.org/help", ""),
        ("https://bugs.example.org/WIN-4.html", ""),
        ("https://launchpad.example.org/nova/+bug/7", ""),
        ("https://issues.example.org/?n=7", ""),
    ],
)
def test_the_address_of_a_bug_is_known_in_the_forms_that_people_paste(address: str, of: str) -> None:
    assert bug_at(address, spoken([*SHIPPED["launchpad"], *SHIPPED["storyboard"], ISSUES, BUGS])) == of


def test_the_rules_of_launchpad_and_storyboard_know_their_footers() -> None:
    assert found(f"{MESSAGE}Task: 5\n", [*SHIPPED["launchpad"], *SHIPPED["storyboard"]]) == [
        ("Closes-Bug", "12", "https://bugs.launchpad.net/bugs/12"),
        ("Closes-Bug", "13", "https://bugs.launchpad.net/bugs/13"),
        ("related-bug", "4", "https://bugs.launchpad.net/bugs/4"),
        ("Story", "99", "https://storyboard.openstack.org/#!/story/99"),
        ("Implements", "big-door", "https://blueprints.launchpad.net/openstack/?searchtext=big-door"),
        ("Task", "5", "https://storyboard.openstack.org/#!/task/5"),
    ]


def a(url: str, text: str) -> str:
    return f'<a href="{url}" rel="nofollow noopener">{text}</a>'


@pytest.mark.parametrize(
    ("rule", "text", "shown"),
    [
        (BUGS, "Closes-Bug: <b>", f"Closes-Bug: &lt;{a('https://bugs.example.org/b', 'b')}&gt;"),
        (
            Rule(r"b(.+)", "https://x.org/{id}"),
            'b"><script>',
            a("https://x.org/%22%3E%3Cscript%3E", "b&quot;&gt;&lt;script&gt;"),
        ),
        (Rule(r"\S+:\S+", "$0"), "javascript:alert(1)", "javascript:alert(1)"),
        (Rule(r"\S+", "$0"), "//evil.example/", "//evil.example/"),
        (Rule(r"to (\S+)", "/$1"), "to /evil.example", "to /evil.example"),
        (Rule(r"to (\S+)", "/q/$1"), "to x", a("/q/x", "to x")),
        (Rule(r"bugs/(\d+)", "https://b.org/$1"), "https://x.org/bugs/1", a("https://x.org/bugs/1", "https://x.org/bugs/1")),
        (Rule(r"https://x\S+", "https://y.org/"), "https://x.org/1", a("https://y.org/", "https://x.org/1")),
        (Rule(r"x*", "https://x.org/"), "aa", "aa"),
        (Rule(r"a", "https://x.org/"), "a \ud800", "a \ud800"),
    ],
)  # fmt: skip
def test_a_link_leads_only_where_it_may(rule: Rule, text: str, shown: str) -> None:
    assert linked(text, [rule]) == shown


PATTERNS = st.sampled_from([r"(\S+)", r"[a-z]+", r"#(\d+)", r"(?i)bug:? ?(.+)", r"(?P<id>.)(.)", r"\w*"])
LINKS = st.sampled_from(["https://x.org/{id}", "$1", "$0", "/$1", "mailto:$1", "https://x.org/?a=$1&b=$2#$9", ""])
FOOTERS = st.sampled_from([(), ("Bug",), ("Closes-Bug", "Story")])
RULES = st.lists(st.builds(Rule, PATTERNS, LINKS, FOOTERS), max_size=4)
PARTS = st.sampled_from(["Bug: ", "\nStory: #1", "https://a.org/", "javascript:x", '"><', "\n"])
TEXTS = st.lists(st.one_of(st.text(max_size=12), PARTS)).map("".join)


@given(TEXTS, RULES)
@example('Bug: "onclick=x', [Rule(r"(\S+)", "$1", ("Bug",))])
def test_without_its_links_a_text_is_the_same_text_escaped(text: str, rules: list[Rule]) -> None:
    shown = linked(text, rules)
    links = re.findall(r'<a href="([^"<>]*)" rel="nofollow noopener">', shown)
    assert re.sub(r'<a href="[^"<>]*" rel="nofollow noopener">|</a>', "", shown) == html.escape(text)
    assert all(re.match(r"https?://|mailto:|/(?![/\\])", html.unescape(link)) for link in links)
    assert shown.count("<") == 2 * len(links)


def test_a_hostile_text_costs_little() -> None:
    evil = Rule(r"(a|aa)+$", "https://x.org/")
    assert linked("a" * 60_000 + "!", [evil]) == "a" * 60_000 + "!"
    assert linked("issue 1 " * 10_000, [ISSUES]).count("<a ") == 200


def config(text: str) -> ConfigFile:
    return syntax.parse(text, "project.config")[0]


def test_commentlinks_are_inherited_replaced_and_switched_off() -> None:
    root = config(
        '[commentlink "a"]\nmatch = a\nlink = https://all/a\n[commentlink "b"]\nmatch = b\nlink = https://all/b\n'
    )
    own = config('[commentlink "a"]\nmatch = "A(\\\\d)"\nlink = "#/q/$1"\n[commentlink "b"]\nenabled = false\n')
    (one,) = commentlinks([own, root])
    assert (one.name, one.match, one.link, one.rule) == ("a", r"A(\d)", "#/q/$1", Rule(r"A(\d)", "/q/$1"))
    assert [each.name for each in commentlinks([root])] == ["a", "b"]


def test_what_is_wrong_with_a_commentlink_is_told_with_its_line_and_left_out() -> None:
    file = config(
        '[commentlink "a"]\nmatch = (?=x)\nlink = https://x\n[commentlink "b"]\nmatch = b\nlink = javascript:$0\n'
    )
    assert [(one.line, one.why.kind) for one in check(file)] == [
        (2, "review.commentlink-match"),
        (6, "review.commentlink-link"),
    ]
    assert [one.rule for one in commentlinks([file])] == [None, None]
    assert (
        check(config('[commentlink "c"]\nmatch = "(x)"\nlink = "$1"\n[commentlink "d"]\nmatch = x\nhtml = "<b>"\n'))
        == []
    )


def change(*, private: bool = False) -> Change:
    return Change(
        3, "demo/api", "main", "I" + "1" * 40, "Add a door", Status.MERGED, 1, 2, AT, AT, private=private
    )  # fmt: skip


def patch_set(message: str) -> PatchSet:
    ann = Person("Ann", "ann@example.org", AT)
    return PatchSet(3, 2, "c" * 40, (), 1, Kind.REWORK, AT, "Add a door", message, ann, ann)


def told(tracker: Tracker, message: str = MESSAGE, *, private: bool = False) -> list[dict[str, object]]:
    fact = ChangeMerged(3, 2, "demo/api", "main", "d" * 40, 1)
    one = change(private=private)
    return [json.loads(each.body) for each in news(tracker, fact, 40, AT, one, patch_set(message), "https://r.org")]


def test_a_tracker_is_told_of_each_thing_once() -> None:
    tracker = Tracker("bugs", (BUGS,), "https://hook")
    first, second = told(tracker, "Add a door\n\nCloses-Bug: 12\nCloses-Bug: #12\nRelated-Bug: 12\n")
    assert first == {
        "type": "change-merged",
        "delivery": "40-1",
        "tracker": "bugs",
        "id": "12",
        "footer": "Closes-Bug",
        "link": "https://bugs.example.org/12",
        "change": 3,
        "subject": "Add a door",
        "project": "demo/api",
        "branch": "main",
        "commit": "d" * 40,
        "url": "https://r.org/c/demo/api/+/3",
        "merged": "2026-01-05T10:30:00Z",
    }
    assert second == {**first, "delivery": "40-2", "footer": "Related-Bug"}


def test_private_changes_and_trackers_without_a_hook_are_not_told() -> None:
    assert told(Tracker("bugs", (BUGS,), "https://hook"), private=True) == []
    assert told(Tracker("bugs", (BUGS,))) == []


def test_the_settings_make_trackers() -> None:
    text = '[tracker.bugs]\nfooters = ["Bug"]\nlink = "https://b.org/{id}"\nhook = "https://h.org/x"\n'
    text += 'token_file = "t"\n[tracker.lp]\nrules = "launchpad"\n'
    bugs, launchpad = trackers_of(load(text, "/etc/gatebot.toml"))
    assert bugs == Tracker("bugs", (Rule(ANY_ID, "https://b.org/{id}", ("Bug",)),), "https://h.org/x", "/etc/t")
    assert launchpad == Tracker("lp", SHIPPED["launchpad"])
    assert trackers_of(load("", "gatebot.toml")) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "tracker.t: write footers or match, so that it is known what names it, or rules."),
        ("rules = 'launchpad'\nlink = 'https://x/{id}'", "tracker.t.link: this needs footers or match."),
        (
            "footers = ['Bug:']",
            'tracker.t.footers: "Bug:" is no footer; write it without the colon, such as Closes-Bug.',
        ),
        ("match = '('", 'tracker.t.match: "(" is no RE2 expression: missing ): (.'),
        (
            "match = 'x'\nlink = 'javascript:{id}'",
            'tracker.t.link: "javascript:{id}" cannot be used; write http://, https:// or mailto:.',
        ),
        ("match = 'x'\nlink = 'https://x/'", "tracker.t.link: write {id} where the id stands in it."),
        ("match = 'x'\nhook = 'ftp://x'", "tracker.t.hook: write http:// or https://, and no password in it."),
        (
            "match = 'x'\nhook = 'https://me:hunter2@x/'",
            "tracker.t.hook: write http:// or https://, and no password in it.",
        ),
        ("match = 'x'\ntoken_file = 't'", "tracker.t.token_file: this needs hook."),
        ("rules = 'jira'", 'tracker.t.rules: "jira" is none of none, launchpad, storyboard.'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_tracker_is_told(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(f"[tracker.t]\n{text}\n", "gatebot.toml")
    assert f"gatebot.toml: {said}" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_health_tells_how_each_tracker_stands() -> None:
    assert sign_of_trackers({}).text == "no tracker is told of merges"
    sign = sign_of_trackers({"a": Counts(), "b": Counts(2, AT, 1, "it answered 500")})
    assert sign.text == "a: nothing waits; b: 2 waiting since 2026-01-05 10:30 UTC, 1 given up (it answered 500)"
    assert not sign.ok
    assert not sign.vital
