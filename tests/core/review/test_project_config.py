# SPDX-License-Identifier: Apache-2.0
"""`project.config` and `groups`: what they say, and everything that is wrong with them at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.access import (
    CAPABILITIES,
    DEFAULT,
    Action,
    Actor,
    Limit,
    Permission,
    Rule,
    Rules,
    Section,
    Target,
    Verb,
    allowed_range,
    limit_of,
    may,
)
from gatebot.review.config import groups_file, syntax, whole, writing
from gatebot.review.config.model import Entry
from gatebot.words import say

UUID = {"Administrators": "a" * 40, "Core": "c" * 40, "Service Users": "5" * 40, "Third-Party CI": "3" * 40}
PARENTS = {"All-Projects": "", "api": "", "team": "", "lib": "team"}
GERRIT = """\
[project]
	description = Access inherited by all other projects.
[receive]
	requireContributorAgreement = false
	requireChangeId = true
[submit]
	mergeContent = true
[capability]
	administrateServer = group Administrators
	priority = batch group Service Users
	streamEvents = group Service Users
	queryLimit = +0..+500 group Registered Users
[access "refs/*"]
	read = group Administrators
	read = group Anonymous Users
[access "refs/for/*"]
	addPatchSet = group Registered Users
[access "refs/for/refs/*"]
	push = group Registered Users
	pushMerge = group Registered Users
[access "refs/heads/*"]
	create = group Administrators
	create = group Project Owners
	editTopicName = +force group Administrators
	forgeAuthor = group Registered Users
	label-Code-Review = -2..+2 group Administrators
	label-Code-Review = -1..+1 group Registered Users
	push = +force group Administrators
	submit = group Project Owners
[access "refs/meta/config"]
	exclusiveGroupPermissions = read
	create = group Administrators
	label-Code-Review = -2..+2 group Administrators
	push = group Administrators
	read = group Administrators
	read = group Project Owners
	submit = group Administrators
[access "refs/tags/*"]
	create = group Administrators
	createSignedTag = group Administrators
	createTag = group Administrators
[label "Code-Review"]
	function = NoBlock
	defaultValue = 0
	value = -2 This shall not be submitted
	value = 0 No score
	value = +2 Looks good to me, approved
	copyCondition = changekind:TRIVIAL_REBASE OR is:MIN
"""
GROUPS = groups_file.write(groups_file.GroupLine(uuid, name) for name, uuid in UUID.items())


def check(project: str = "api", groups: str = GROUPS, **files: str) -> list[str]:
    """What is wrong, as people read it."""
    texts = {"project.config": files.get("config", ""), "groups": groups}
    found = whole.check(project, texts, UUID, PARENTS)
    return [f"{one.file}:{one.line}: {say(one.why)}" for one in found]


def test_the_configuration_that_gerrit_ships_is_read_whole() -> None:
    assert check("All-Projects", config=GERRIT) == []
    config, troubles = whole.read({"project.config": GERRIT, "groups": GROUPS})
    assert troubles == ()
    rules = Rules((config.sections,), config.capabilities, config.limits)
    ann, admin = Actor(1, frozenset()), Actor(2, frozenset({"Administrators"}))
    main = Target("api", "refs/heads/main")
    assert may(ann, Verb.UPLOAD, main, rules)
    assert not may(ann, Verb.PUSH, main, rules)
    assert may(admin, Verb.FORCE_PUSH, main, rules)
    assert not may(ann, Verb.READ, Target("api", "refs/meta/config"), rules)
    assert may(admin, Verb.PUSH, Target("api", "refs/meta/config"), rules)
    assert may(Actor(3, frozenset({"Service Users"})), Verb.STREAM_EVENTS, Target(), rules)
    assert limit_of(ann, "queryLimit", rules, 100) == 500
    assert limit_of(ann, "batchChangesLimit", rules, 100) == 100
    assert config.file.get("submit", "mergecontent") == "true"
    assert config.file.subsections("label") == ("Code-Review",)
    values = [entry.value for entry in config.file.all("label", "value", "Code-Review")]
    assert values == ["-2 This shall not be submitted", "0 No score", "+2 Looks good to me, approved"]


def test_what_a_new_site_permits_is_written_and_reads_back_the_same() -> None:
    texts = writing.files(DEFAULT, "Rights that all projects inherit.", UUID)
    config, troubles = whole.read(texts)
    assert troubles == ()
    assert config.sections == DEFAULT.chain[0]
    assert config.capabilities == DEFAULT.capabilities
    assert check("All-Projects", texts["groups"], config=texts["project.config"]) == []


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("[a]\nb = c", ("a", None, "b", "c")),
        ('[A "S x"]\n  B=  c d  ', ("a", "S x", "b", "c d")),
        ('[a "q\\"s\\\\"]\nb = 1', ("a", 'q"s\\', "b", "1")),
        ("[a.Sub]\nb = c", ("a", "sub", "b", "c")),
        ("[a] b = c ; no", ("a", None, "b", "c")),
        ('[a]\nb = " c # d " # e', ("a", None, "b", " c # d ")),
        ('[a]\nb = "x\\ty\\n\\"z\\""', ("a", None, "b", 'x\ty\n"z"')),
        ("[a]\nb = one \\\n  two", ("a", None, "b", "one   two")),
        ("[a]\r\nb = c\r\n", ("a", None, "b", "c")),
        ("[a]\nb", ("a", None, "b", None)),
        ("[a]\nb =", ("a", None, "b", "")),
    ],
)
def test_entries_are_read_as_git_reads_them(text: str, entry: tuple[Any, ...]) -> None:
    file, troubles = syntax.parse(text, "x")
    assert troubles == ()
    assert [(one.section, one.subsection, one.name, one.value) for one in file.entries] == [entry]


def test_all_that_is_wrong_is_told_at_once_with_file_line_and_what_to_do() -> None:
    config = """\
stray = 1
[access "refs/heads/*"]
	raed = group Core
	push = Core
	push = group Kore
	label-Code-Review = group Core
	label-Code-Review = +2..-2 group Core
	exclusiveGroupPermissions = read submitt
	submit = group "Core
[access "heads/main"]
[access "^refs/heads/("]
[access
[capability]
	streamEvent = group Core
[access]
	inheritFrom = lib
"""
    assert check(project="team", config=config) == [
        'project.config:1: `stray = 1` stands in no section. Open one above it, for example [access "refs/heads/*"].',
        "project.config:3: There is no permission raed. Did you mean read?",
        "project.config:4: `Core` is not a rule. Write: [deny|block] [+force] [MIN..MAX] group NAME",
        "project.config:5: There is no group Kore. Did you mean Core?",
        "project.config:6: label-Code-Review needs the votes that it is about. Write, for example: "
        "label-Code-Review = -1..+1 group Registered Users",
        "project.config:7: 2..-2 begins above its end. Write the smaller vote first.",
        "project.config:8: There is no permission submitt. Did you mean submit?",
        'project.config:9: `submit = group "Core` is not an entry. Write name = value, and close every quote.',
        "project.config:10: heads/main is not a ref pattern. Write refs/heads/main, refs/heads/*, or ^refs/ and a "
        "regular expression.",
        "project.config:11: The ref pattern ^refs/heads/( is no regular expression: missing ): ^refs/heads/(. "
        "Correct it, or remove the ^ for a plain pattern.",
        'project.config:12: `[access` does not open a section. Write [section] or [section "name"].',
        "project.config:13: Capabilities are of the whole site. Move this section to project.config of All-Projects.",
        "project.config:14: There is no capability streamEvent. Did you mean streamEvents?",
        "project.config:16: team cannot inherit from lib, which inherits from it. Name another parent.",
    ]


@pytest.mark.parametrize(
    ("config", "groups", "told"),
    [
        ('[access "refs/*"]\nread = group Core', "", [
            "project.config:2: The group Core is not in the file groups. Add this line to it:\n  "
            + "c" * 40 + "\tCore"]),
        ('[access "refs/*"]\nread = group Old', "0" * 40 + "\tOld\n", [
            f"groups:1: This site has no group Old ({'0' * 40}). Make it with: gatebot group create 'Old'. "
            "Or remove it from both files."]),
        ('[access "refs/*"]\nread = group Core', "0" * 40 + "\tCore\n", [
            f"groups:1: The group Core has the UUID {'c' * 40} on this site, not {'0' * 40}. Correct the line."]),
        ('[access "refs/*"]\nread = group Nobody Knows', "", [
            "project.config:2: There is no group Nobody Knows. `gatebot group list` shows those that exist; "
            "`gatebot group create` makes one."]),
        ("", "x Core\n", [
            "groups:1: `x Core` is not a UUID, a tab and the name of a group. Write the three; `gatebot group list` "
            "shows them."]),
        ("[access]\ninheritFrom = nowhere", "", [
            "project.config:2: There is no project nowhere to inherit from. `gatebot project list` shows those that "
            "exist."]),
        ('[access "refs/*"]\nread = group Registered Users', "", []),
        ("", "0" * 40 + "\tUnused and gone\n", []),
    ],
)  # fmt: skip
def test_groups_and_parents_must_be_known(config: str, groups: str, told: list[str]) -> None:
    assert check(config=config, groups=groups) == told


def test_all_projects_inherits_from_nothing() -> None:
    assert check("All-Projects", config="[access]\ninheritFrom = api") == [
        "project.config:2: All-Projects is the root and inherits from nothing. Remove the line."
    ]


def test_a_capability_is_never_denied() -> None:
    assert check("All-Projects", config="[capability]\nrunAs = deny group Core") == [
        "project.config:2: runAs is a capability, which a group has or has not. Write: runAs = group NAME"
    ]


def test_a_group_is_found_by_its_uuid_whatever_it_is_called_now() -> None:
    config, _ = whole.read({"project.config": '[access "refs/*"]\nread = group Core', "groups": "c" * 40 + "\tCore\n"})
    now = whole.resolved(config, {"c" * 40: "Maintainers"})
    assert [rule.group for rule in now.sections[0].permissions[0].rules] == ["Maintainers"]
    gone = whole.resolved(config, {})
    assert [rule.group for rule in gone.sections[0].permissions[0].rules] == ["c" * 40]


def test_labels_are_the_same_in_any_case_of_letters() -> None:
    config, _ = whole.read({"project.config": GERRIT.replace("label-Code", "LABEL-code"), "groups": GROUPS})
    everybody = Section("refs/*", (Permission("comment", (Rule("Registered Users"),)),))
    ann = Actor(1, frozenset())
    rules = Rules((config.sections, (everybody,)))
    assert allowed_range(ann, "Code-Review", Target("api", "refs/heads/main"), rules) == (-1, 1)


groups = st.sampled_from(["Administrators", "Core", "Registered Users", "Change Owner"])
action = st.sampled_from(Action)
plain = st.builds(
    Permission, st.sampled_from(["read", "push", "submit", "owner", "forgeAuthor"]),
    st.lists(st.builds(Rule, groups, action, force=st.booleans()), min_size=1, max_size=3).map(tuple), st.booleans(),
)  # fmt: skip
votes = st.builds(
    Permission, st.sampled_from(["label-Code-Review", "labelAs-Verified", "removeLabel-x"]),
    st.lists(st.builds(Rule, groups, action, st.integers(-2, -1), st.integers(0, 2)), min_size=1, max_size=3).map(
        tuple
    ),
    st.booleans(),
)  # fmt: skip
section = st.builds(
    Section, st.sampled_from(["refs/*", "refs/heads/main", "^refs/heads/[a-z]+", "refs/heads/${username}/*"]),
    st.lists(plain | votes, max_size=3, unique_by=lambda one: one.name).map(tuple),
)  # fmt: skip
sections = st.lists(section, max_size=4, unique_by=lambda one: one.pattern).map(tuple)
held = st.lists(st.tuples(st.sampled_from(sorted(CAPABILITIES, key=str)), groups), max_size=3).map(tuple)
limits = st.lists(st.builds(Limit, st.just("queryLimit"), groups, st.integers(1, 999)), max_size=2).map(tuple)


@given(sections, held, limits)
def test_what_is_written_reads_back_the_same(s: Any, h: Any, m: Any) -> None:
    texts = writing.files(Rules((s,), h, m), "", UUID)
    config, troubles = whole.read(texts)
    assert troubles == ()

    def plain(one: Section) -> dict[str, tuple[object, bool]]:
        return {permission.name: (permission.rules, permission.exclusive) for permission in one.permissions}

    assert {one.pattern: plain(one) for one in config.sections} == {one.pattern: plain(one) for one in s}
    assert config.capabilities == h
    assert config.limits == m


@given(st.text(max_size=300) | st.lists(st.sampled_from(list('[]"\\#;=\n\t ab.')), max_size=60).map("".join))
def test_no_text_whatever_breaks_the_reader(text: str) -> None:
    file, troubles = syntax.parse(text, "x")
    assert all(isinstance(entry, Entry) and entry.line >= 1 for entry in file.entries)
    assert check(config=text) is not None or troubles


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40))
def test_a_value_that_is_quoted_reads_back(value: str) -> None:
    file, troubles = syntax.parse(f"[a]\nb = {syntax.quoted(value)}", "x")
    assert troubles == ()
    assert file.get("a", "b") == value
