# SPDX-License-Identifier: Apache-2.0
"""Submit requirements in Gerrit's language: what each atom means, how requirements stand, and what people are told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from gatebot.review import sentences
from gatebot.review.labels import expression
from gatebot.review.labels.model import About, Facts, State, SubmitRequirement, Touched
from gatebot.review.labels.requirements import evaluation, problem, result
from gatebot.review.labels.wishes import wishes
from gatebot.review.model import Status, Vote
from gatebot.review.rules import DEFAULT, LABELS, Rules
from gatebot.review.verdict import Outcome, Situation, Verdict, explain

ANN, BOB, EVE, BOT = 1, 2, 3, 4
NAMES = {ANN: "ann", BOB: "bob", EVE: "eve", BOT: "bot"}
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Content:
    """Two files, one of them renamed, with their changed lines."""

    def files(self) -> tuple[Touched, ...]:
        return (Touched("src/app/main.py", added=3, deleted=1), Touched("docs/new.rst", "docs/old.rst", 1, 0))

    def changed_lines(self, path: str) -> tuple[str, ...]:
        return ("import os", "secret: later") if path == "src/app/main.py" else ("Title",)


ABOUT = About(
    project="demo/api",
    branch="stable/1",
    topic="speed",
    hashtags=("Fast",),
    subject="Make it fast",
    message="Make it fast\n\nMuch faster.\n\nSigned-off-by: Ann <ann@example.org>\nChange-Id: I1\n",
    author="ann@example.org",
    committer="eve@example.org",
    reviewers=(BOB, EVE, BOT),
    emails={ANN: "ann@example.org", BOB: "bob@example.org", EVE: "eve@example.org", BOT: ""},
    groups={ANN: frozenset(), BOB: frozenset({"Core", "Api Owners"}), BOT: frozenset({"Service Users"})},
    content=Content(),
)


def votes(*cast: tuple[str, int, int]) -> tuple[Vote, ...]:
    return tuple(Vote(label, value, who, START + timedelta(minutes=n), 1) for n, (label, value, who) in enumerate(cast))


def facts(*cast: tuple[str, int, int], about: About = ABOUT) -> Facts:
    labels = {label.name.lower(): label for label in LABELS}
    return Facts(ANN, ANN, votes(*cast), labels, NAMES, about=about)


CAST = (("Code-Review", 2, ANN), ("Code-Review", 1, BOB), ("Code-Review", -1, EVE), ("Workflow", 1, BOB))


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("is:true", True),
        ("is:false", False),
        ("label:Code-Review=MAX", True),
        ("label:code-review=+2", True),
        ("label:Code-Review+2", True),
        ("label:Code-Review=2", True),
        ("label:Code-Review", True),
        ("label:Code-Review=MIN", False),
        ("label:Code-Review<0", True),
        ("label:Code-Review<=-2", False),
        ("label:Code-Review>=1", True),
        ("label:Code-Review>2", False),
        ("label:Code-Review=ANY", True),
        ("label:Verified=ANY", False),
        ("label:Verified=0", True),
        ("label:Verified>=0", True),
        ("label:Code-Review=0", False),
        ("label:No-Such-Label=MAX", False),
        ("label:Code-Review=MAX,user=non_uploader", False),
        ("label:Code-Review=MAX,user=owner", True),
        ("label:Code-Review=1,user=bob", True),
        ("label:Code-Review=1,bob", True),
        ("label:Code-Review=1,user=eve", False),
        ("label:Code-Review=1,group=Core", True),
        ('label:Code-Review=1,group="Api Owners"', True),
        ("label:Code-Review=2,group=Core", False),
        ("label:Code-Review=-1,user=non_contributor", False),
        ("label:Code-Review=1,user=non_contributor", True),
        ("label:Code-Review>=1,count>=2", True),
        ("label:Code-Review>=1,count>2", False),
        ("label:Code-Review=MAX,count=1", True),
        ("label:Code-Review<0,count<2", True),
        ("label:Code-Review>=1,users=human_reviewers", False),
        ("distinctvoters:[Code-Review,Workflow],value=MAX,count>1", True),
        ("distinctvoters:[Code-Review,Workflow],count>=3", True),
        ("distinctvoters:[Code-Review],value=MAX,count>1", False),
        ("authoremail:^.*@example\\.org", True),
        ("authoremail:'.*@example\\.org'", True),
        ("authoremail:example", False),
        ("committeremail:eve@.*", True),
        ("uploaderemail:ann@.*", True),
        ("branch:stable/1", True),
        ("branch:^stable/.*", True),
        ("branch:refs/heads/stable/1", True),
        ("branch:refs/meta/config", False),
        ("ref:refs/heads/stable/1", True),
        ("project:demo/api", True),
        ("projects:demo/", True),
        ("topic:speed", True),
        ("hashtag:fast", True),
        ("owner:ann", True),
        ("owner:ann@example.org", True),
        ("uploader:bob", False),
        ("uploaderin:Core", False),
        ("message:faster", True),
        ('subject:"Make it"', True),
        ("hasfooter:Signed-off-by", True),
        ("hasfooter:Closes-Bug", False),
        ("file:src/app/main.py", True),
        ("file:main.py", True),
        ("file:^.*\\.py", True),
        ("file:docs/old.rst", True),
        ("path:main.py", False),
        ("file:\"'^src/.*',withDiffContaining='secret'\"", True),
        ("file:'^docs/.*',withDiffContaining='secret'", False),
        ("dir:src", True),
        ("directory:app", True),
        ("ext:py", True),
        ("onlyextensions:py,rst", True),
        ("onlyextensions:py", False),
        ("delta:>4", True),
        ("added:<4", False),
        ("deleted:1", True),
        ("is:wip OR is:private OR is:merge", False),
        ("is:open -is:closed status:new", True),
        ("has:unresolved", False),
        ("is:true OR is:false is:false", True),
        ("(is:true OR is:false) AND is:false", False),
        ("NOT is:false AND -is:false", True),
    ],
)
def test_an_atom_means_what_it_means_in_gerrit(text: str, true: bool) -> None:
    assert problem(text) == ""
    found = evaluation(text, facts(*CAST))
    assert (found.error, found.fulfilled) == ("", true)


def test_all_human_reviewers_are_those_who_were_asked_without_owner_and_bots() -> None:
    text = "label:Code-Review>=1,users=human_reviewers"
    cast = (("Code-Review", 1, BOB), ("Code-Review", 2, EVE))
    assert evaluation(text, facts(*cast)).fulfilled
    assert not evaluation(text, facts(*cast[:1])).fulfilled
    assert not evaluation(text, facts(*cast, about=replace(ABOUT, reviewers=(ANN, BOT)))).fulfilled


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("colour:red", "Unsupported operator colour:red"),
        ("is:submittable", "Operator 'is:submittable' cannot be used in submit requirement expressions."),
        ("is:wat", "Unrecognized value: wat"),
        ("has:wings", "Unrecognized value: wings"),
        ("(is:true", "a ')' is missing"),
        ("is:true OR", "something is missing at its end"),
        ("is:true)", "')' is not expected there"),
        ("red", "'red' is no operator with a value"),
        ("label:Code-Review=OK", "OK is a status of the old rules; ask for a value, MAX, MIN or ANY"),
        ("label:Code-Review=much", "MUCH is not MAX, MIN, ANY or a vote"),
        ("label:Code-Review=2,count=x", "'count=x' is no argument of label:"),
        ("label:Code-Review=2,group=Core,count>1", "'count' and 'group' cannot be used together"),
        ("label:Code-Review=2,users=bots", "users=bots is not known, only users=human_reviewers is"),
        ("authoremail:'a('", "'a(' is no regular expression: missing ): a("),
        ("added:much", "'much' is no number"),
        ("file:a,withNothing=b", "'withNothing=b' is no argument of file:, only withDiffContaining= is"),
        ("distinctvoters:A", "distinctvoters:A is not distinctvoters:[LABEL,LABEL],value=MAX,count>1"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_says_why(text: str, why: str) -> None:
    assert problem(text) == why
    assert evaluation(text, facts(*CAST)).error == why


def test_nesting_has_an_end() -> None:
    assert problem("(" * 60 + "is:true" + ")" * 60) == "it is nested too deeply"
    assert problem("NOT " * 60 + "is:true") == "it is nested too deeply"


def test_atoms_are_told_as_they_were_written_with_those_behind_a_not() -> None:
    found = evaluation("label:Code-Review=MAX,user=non_uploader AND -label:Code-Review=MIN", facts())
    assert (found.status, found.passing) == ("FAIL", ())
    assert found.failing == ("label:Code-Review=MAX,user=non_uploader", "label:Code-Review=MIN")
    assert [atom.text for atom in expression.atoms(expression.parse("-(is:true is:false)"))] == ["is:true", "is:false"]


RULE = SubmitRequirement("Rule", "label:Code-Review=MAX")


@pytest.mark.parametrize(
    ("applicable", "submittable", "override", "state"),
    [
        ("", "is:true", "", State.SATISFIED),
        ("", "is:false", "", State.UNSATISFIED),
        ("is:true", "is:false", "is:true", State.OVERRIDDEN),
        ("is:false", "is:false", "is:true", State.NOT_APPLICABLE),
        ("is:false", "wat", "", State.NOT_APPLICABLE),
        ("wat", "is:true", "", State.ERROR),
        ("", "wat", "is:true", State.ERROR),
        ("", "is:true", "wat", State.ERROR),
    ],
)
def test_the_state_follows_from_the_three_expressions(
    applicable: str, submittable: str, override: str, state: State
) -> None:
    wanted = SubmitRequirement("Rule", submittable, applicable, override)
    assert result(wanted, facts()).state is state


def judged(rule: str, *cast: tuple[str, int, int], applicable: str = "", override: str = "") -> Verdict:
    wanted = SubmitRequirement("Rule", rule, applicable, override)
    about = Situation(Status.NEW, ANN, ANN, gated=False, names=NAMES, about=ABOUT)
    return explain(about, votes(*cast), Rules("default", LABELS, (wanted,)))


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ("label:Code-Review>=1", ["It needs Code-Review +1 or higher. "
                                  "Any member of Registered Users, Core can vote Code-Review +1."]),
        ("label:Code-Review=MAX,count>=2", ["It needs Code-Review +2 from 2 people, and has 0. "
                                            "Any member of Core can vote Code-Review +2."]),
        ("label:Code-Review=MAX,user=owner", ["It needs Code-Review +2. ann can vote Code-Review +2."]),
        ("label:Code-Review=MAX,group=Leads", ["It needs Code-Review +2. "
                                               "Any member of Leads can vote Code-Review +2."]),
        ("label:Code-Review=MAX,user=non_contributor", [
            "It needs Code-Review +2. Any member of Core who neither wrote nor uploaded it can vote Code-Review +2."]),
        ("label:Code-Review=MAX,users=human_reviewers", [
            "Every reviewer has to vote Code-Review +2. "
            "Each reviewer who has not done so can vote Code-Review +2."]),
        ("label:Workflow=-1,user=non_uploader OR label:Nope=MAX", [
            "It needs Workflow -1. Any member of Core except ann, who uploaded the patch set, can vote Workflow -1.",
            "It needs votes on Nope, and this branch has no such label. "
            "Whoever owns the project can correct the rule in project.config on refs/meta/config."]),
        ("topic:slow", ["topic:slow is not true of this change. "
                        "ann, who owns the change, can change the topic or the hashtags."]),
        ("-file:^docs/.*", ["file:^docs/.* is true of this change, and must not be. "
                            "ann, who owns the change, can upload a patch set of which that is so."]),
        ("is:false", ["is:false is not true of this change. "
                      "Whoever owns the project can correct the rule in project.config on refs/meta/config."]),
        ("distinctvoters:[Code-Review],count>1", [
            "distinctvoters:[Code-Review],count>1 is not true of this change. The reviewers can vote so."]),
        ("wat:x", ["The submit requirement Rule cannot be judged: Unsupported operator wat:x. "
                   "Whoever owns the project can correct the rule in project.config on refs/meta/config."]),
    ],
)  # fmt: skip
def test_each_leaf_says_what_is_missing_and_who_can_do_it(rule: str, lines: list[str]) -> None:
    verdict = judged(rule)
    told = sentences.lines(verdict)[1:]
    assert [f"{line.text} {line.next}" for line in told] == lines
    assert not verdict.submittable


def test_an_overridden_or_inapplicable_rule_keeps_nobody_waiting() -> None:
    verdict = judged("is:false", override="label:Code-Review=2,user=ann")
    assert not verdict.submittable
    verdict = judged("is:false", ("Code-Review", 2, ANN), override="label:Code-Review=2,user=ann")
    assert sentences.lines(verdict)[1].text == "It is overridden, because label:Code-Review=2,user=ann is true."
    assert verdict.submittable
    verdict = judged("is:false", applicable="branch:main")
    assert sentences.lines(verdict)[1].text == "It does not apply to this change: branch:main is not true of it."
    assert verdict.submittable


def test_one_way_of_several_is_enough_and_the_others_are_not_told() -> None:
    rule = "label:Code-Review=MAX,user=non_uploader OR label:Workflow=MAX"
    verdict = judged(rule, ("Workflow", 1, BOB))
    assert [line.text for line in sentences.lines(verdict)[1:]] == ["Workflow +1 by bob."]
    assert verdict.submittable


def test_what_only_lacks_the_gates_vote_is_the_gates_business() -> None:
    wanted = SubmitRequirement("Tested", "label:Verified=MAX AND -label:Verified=MIN AND label:Workflow=MAX")
    about = Situation(Status.NEW, ANN, ANN, gated=True, names={**NAMES, 9: "gatebot"}, gate="gatebot", about=ABOUT)
    rules = Rules("default", LABELS, (wanted,))
    waiting = explain(about, votes(("Workflow", 1, BOB)), rules)
    assert not waiting.submittable
    assert waiting.of_people().submittable
    refused = explain(about, votes(("Workflow", 1, BOB), ("Verified", -2, 9)), rules)
    assert refused.requirements[-1].outcome is Outcome.BLOCKED
    assert refused.of_people().submittable
    assert not explain(about, votes(), rules).of_people().submittable


def test_labels_can_be_of_some_branches_only() -> None:
    label = replace(LABELS[0], name="Backport", branches=("refs/heads/stable/*", "^refs/heads/old-[0-9]+"))
    rules = replace(DEFAULT, labels=(*LABELS, label))
    has = [branch for branch in ("stable/1", "old-7", "main", "old-x") if rules.on(branch).label("backport")]
    assert has == ["stable/1", "old-7"]


def test_the_page_of_a_project_tells_votes_as_votes_and_other_rules_as_written() -> None:
    def told(*rules: str, gated: bool = True) -> list[tuple[str, str, int, bool, bool]]:
        requirements = [SubmitRequirement(f"R{n}", rule) for n, rule in enumerate(rules)]
        found = wishes([*DEFAULT.requirements, *requirements], LABELS, lambda label, value: ("Core",), gated=gated)
        return [(one.rule, one.label, one.value, one.not_uploader, one.gate) for one in found]

    assert told(gated=False) == [("", "Code-Review", 2, True, False), ("", "Workflow", 1, False, False)]
    assert told()[2] == ("", "Verified", 2, False, True)
    for rule in (
        "label:Workflow=1 OR is:wip",
        "label:Code-Review=MAX,count>1",
        "-label:Workflow=MIN",
        "wat",
        "label:X=1",
    ):
        assert told(rule)[3] == (rule, "", 0, False, False)
