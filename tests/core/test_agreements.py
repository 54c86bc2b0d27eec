# SPDX-License-Identifier: Apache-2.0
"""Which contributor agreements a configuration has, for which projects, and what is wrong with one."""

from __future__ import annotations

import pytest

from gatebot.review.agreements.configured import agreements, asked_of, check, on_file
from gatebot.review.config import whole
from gatebot.words import say

CONFIG = """\
[contributor-agreement "Individual"]
	description = On your own
	agreementUrl = https://example.org/cla
	autoVerify = group Signed
	accepted = group Signed
	accepted = group Core
	accepted = deny group Registered Users
[contributor-agreement "Tools"]
	accepted = group Core
	matchProjects = ^tools/.*
	excludeProjects = ^tools/free$
[contributor-agreement "Nobody"]
	description = Says nothing of whom it accepts
"""
GROUPS = "aaaa\tSigned\nbbbb\tCore\n"


def read(text: str = CONFIG) -> tuple[str, ...]:
    config, _ = whole.read({"project.config": text, "groups": GROUPS})
    return tuple(one.name for one in agreements(config))


def test_what_is_configured_is_read() -> None:
    config, _ = whole.read({"project.config": CONFIG, "groups": GROUPS})
    first, tools, _ = agreements(config)
    assert (first.name, first.description, first.url) == ("Individual", "On your own", "https://example.org/cla")
    assert (first.accepted, first.verifies) == (frozenset({"aaaa", "bbbb"}), "aaaa")
    assert (tools.projects, tools.verifies) == (("^tools/.*",), "")
    assert read() == ("Individual", "Tools", "Nobody")


@pytest.mark.parametrize(
    ("project", "asked"),
    [("api", ["Individual"]), ("tools/lint", ["Individual", "Tools"]), ("tools/free", ["Individual"])],
)
def test_each_is_for_the_projects_that_it_names(project: str, asked: list[str]) -> None:
    config, _ = whole.read({"project.config": CONFIG, "groups": GROUPS})
    assert [one.name for one in asked_of(agreements(config), project)] == asked


def test_one_that_is_accepted_is_enough() -> None:
    config, _ = whole.read({"project.config": CONFIG, "groups": GROUPS})
    wanted = asked_of(agreements(config), "tools/lint")
    assert on_file(wanted, {"bbbb"})
    assert on_file(wanted, {"aaaa"})
    assert not on_file(wanted, {"cccc"})
    assert on_file((), set())


def test_what_is_wrong_is_told_with_its_line() -> None:
    text = '[contributor-agreement "CLA"]\n\taccepted = Signed\n\tmatchProjects = ^(tools\n'
    config, _ = whole.read({"project.config": text, "groups": GROUPS})
    found = [(one.line, say(one.why)) for one in check(config.file)]
    assert found == [
        (
            2,
            "accepted of the agreement CLA is Signed, which names no group. "
            "Write it like: accepted = group CLA Accepted",
        ),
        (3, "matchProjects of the agreement CLA is no regular expression: missing ): ^(tools"),
    ]


def test_an_expression_that_cannot_be_read_lets_nobody_past() -> None:
    text = '[contributor-agreement "CLA"]\n\taccepted = group Signed\n\tmatchProjects = ^(tools\n'
    config, _ = whole.read({"project.config": text, "groups": GROUPS})
    assert not on_file(asked_of(agreements(config), "api"), {"bbbb"})
