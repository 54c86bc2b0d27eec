# SPDX-License-Identifier: Apache-2.0
"""Labels and submit requirements as `project.config` has them: read, inherited, and what is wrong with them."""

from __future__ import annotations

from gatebot import words
from gatebot.review.config import syntax
from gatebot.review.config.model import ConfigFile
from gatebot.review.labels.configured import check, overlaid, read_label, read_requirement
from gatebot.review.labels.model import SubmitRequirement
from gatebot.review.rules import DEFAULT, configured


def file(text: str) -> ConfigFile:
    found, troubles = syntax.parse(text, "project.config")
    assert not troubles
    return found


STYLE = file(
    """\
[label "Code-Style"]
  value = -1 Ugly
  value = +1 Fine
  copyCondition = changekind:NO_CODE_CHANGE OR is:MIN
  defaultValue = 0
  description = How it looks
  branch = refs/heads/main
  allowPostSubmit = false
[submit-requirement "Code-Style"]
  description = It has to look well.
  applicableIf = -branch:refs/meta/config
  submittableIf = label:Code-Style=MAX AND -label:Code-Style=MIN
  overrideIf = label:Code-Review=+2,group=Core
  canOverrideInChildProjects = true
"""
)


def test_a_label_has_all_that_its_section_says() -> None:
    label = read_label(STYLE, "Code-Style")
    assert label is not None
    assert label.values == ((-1, "Ugly"), (0, "No score"), (1, "Fine"))
    assert (label.copy_condition, label.branches) == ("changekind:NO_CODE_CHANGE OR is:MIN", ("refs/heads/main",))
    assert (label.description, label.can_override, label.allow_post_submit) == ("How it looks", True, False)


def test_a_requirement_has_all_that_its_section_says() -> None:
    assert read_requirement(STYLE, "Code-Style") == SubmitRequirement(
        "Code-Style",
        "label:Code-Style=MAX AND -label:Code-Style=MIN",
        "-branch:refs/meta/config",
        "label:Code-Review=+2,group=Core",
        "It has to look well.",
        can_override_in_children=True,
    )
    assert check(STYLE) == []


def test_gaps_between_values_are_filled() -> None:
    label = read_label(file('[label "Trust"]\n value = -2 Never\n value = 2 Fully\n'), "Trust")
    assert label is not None
    assert [value for value, _ in label.values] == [-2, -1, 0, 1, 2]


def test_old_switches_of_copying_become_a_condition() -> None:
    text = '[label "L"]\n value = 1 x\n copyMinScore\n copyAllScoresOnTrivialRebase = true\n copyMaxScore = false\n'
    label = read_label(file(f"{text} copyValue = 1\n"), "L")
    assert label is not None
    assert label.copy_condition == "is:MIN OR changekind:TRIVIAL_REBASE OR is:1"


def test_what_a_preset_has_stays_where_nothing_is_said_of_it() -> None:
    rules = configured(DEFAULT, (STYLE,))
    assert [label.name for label in rules.labels] == ["Code-Review", "Verified", "Workflow", "Code-Style"]
    assert [one.name for one in rules.requirements] == ["Code-Review", "Workflow", "Verified", "Code-Style"]
    assert configured(DEFAULT, ()) is DEFAULT


def test_a_child_overrides_by_name_in_any_case_where_the_parent_lets_it() -> None:
    parent = file(
        '[submit-requirement "Strict"]\n submittableIf = is:true\n'
        '[submit-requirement "Lax"]\n submittableIf = is:true\n canOverrideInChildProjects = true\n'
        '[label "Fixed"]\n value = 1 a\n canOverride = false\n'
        '[label "Free"]\n value = 1 a\n'
    )
    child = file(
        '[submit-requirement "strict"]\n submittableIf = is:false\n'
        '[submit-requirement "LAX"]\n submittableIf = is:false\n'
        '[label "fixed"]\n value = 2 b\n'
        '[label "FREE"]\n value = 2 b\n'
    )
    labels, wanted = overlaid((), (), (parent, child))
    assert [(one.name, one.submittable_if) for one in wanted] == [("Strict", "is:true"), ("LAX", "is:false")]
    assert [(one.name, one.highest) for one in labels] == [("Fixed", 1), ("FREE", 2)]


def test_a_label_without_values_is_taken_away() -> None:
    labels, _ = overlaid(DEFAULT.labels, (), (file('[label "Workflow"]\n description = gone\n'),))
    assert [label.name for label in labels] == ["Code-Review", "Verified"]


def test_the_function_of_a_label_asks_for_votes_where_no_requirement_of_its_name_does() -> None:
    text = '[label "QA"]\n value = -1 no\n value = +1 yes\n function = MaxWithBlock\n ignoreSelfApproval = true\n'
    _, (legacy,) = overlaid((), (), (file(text),))
    assert (legacy.submittable_if, legacy.legacy) == ("label:QA=MAX,user=non_uploader AND -label:QA=MIN", True)
    _, (own,) = overlaid((), (), (file(f'{text}[submit-requirement "QA"]\n submittableIf = is:true\n'),))
    assert (own.submittable_if, own.legacy) == ("is:true", False)
    _, (kept,) = overlaid((), (), (file(text), file(text.replace("MaxWithBlock", "AnyWithBlock"))))
    assert kept.submittable_if == "-label:QA=MIN"
    assert overlaid((), (), (file(text), file(text.replace("MaxWithBlock", "NoBlock"))))[1] == ()


def test_everything_that_is_wrong_is_told_with_its_line() -> None:
    broken = file(
        """\
[label "Bad Name"]
  value = 1 Yes
[label "L"]
  value = much
  value = 1 Yes
  value = +1 Again
  function = Magic
  copyCondition = is:huge
  defaultValue = 7
  colour = red
[submit-requirement "None"]
  applicableIf = wat:x
[submit-requirement "R"]
  submittableIf = label:L=
"""
    )
    assert [f"{one.line}: {words.say(one.why)}" for one in check(broken)] == [
        "1: Bad Name cannot be the name of a label: use letters, digits and '-'.",
        "10: There is no colour here. There are value, copyCondition, defaultValue, description, branch, canOverride, "
        "allowPostSubmit, ignoreSelfApproval, function, " + ", ".join(_SWITCHES) + ", copyValue.",
        "4: 'much' is no value of a label: write a number and what it means, `+1 Looks good`.",
        "6: The value +1 stands there twice. Keep one.",
        "7: 'Magic' is no function of a label. There are MaxWithBlock, AnyWithBlock, MaxNoBlock, NoBlock, NoOp, "
        "PatchSetLock.",
        "8: The copyCondition of L cannot be read: huge is not MIN, MAX, ANY or a vote.",
        "9: '7' is no value of L. Choose one of its values.",
        "11: The submit requirement None has no submittableIf. Add it.",
        "12: The applicableIf of None cannot be read: Unsupported operator wat:x.",
        "14: The submittableIf of R cannot be read: 'L=' is no label with a value.",
    ]


_SWITCHES = (
    "copyAnyScore", "copyMinScore", "copyMaxScore", "copyAllScoresIfNoChange", "copyAllScoresIfNoCodeChange",
    "copyAllScoresOnTrivialRebase", "copyAllScoresOnMergeFirstParentUpdate", "copyAllScoresIfListOfFilesDidNotChange",
)  # fmt: skip
