# SPDX-License-Identifier: Apache-2.0
"""Gerrit's permission model: the default table, and how allow, deny, block and exclusive meet."""

from __future__ import annotations

import pytest

from gatebot.access import (
    ADMINISTRATORS,
    CAPABILITIES,
    CORE,
    DEFAULT,
    SERVICE_USERS,
    SITE,
    STRANGER,
    THIRD_PARTY_CI,
    Action,
    Actor,
    Permission,
    Rule,
    Rules,
    Section,
    Target,
    Verb,
    allowed_range,
    may,
)
from gatebot.errors import Invalid

MAIN = Target("demo/api", "refs/heads/main")
ADA = Actor(1, frozenset(), "ada")
CORE_MEMBER = Actor(2, frozenset({CORE}))
ROBOT = Actor(3, frozenset({SERVICE_USERS}))
ELSEWHERE = Actor(5, frozenset({THIRD_PARTY_CI}))
ADMIN = Actor(4, frozenset({ADMINISTRATORS}))
HERS = Target("demo/api", "refs/heads/main", change_owner=1)


def chain(*projects: list[Section]) -> Rules:
    """Rules of a project, its parent, and so on; everybody may read and comment at the root."""
    everybody = (Rule("Anonymous Users"),)
    root = Section("refs/*", (Permission("read", everybody), Permission("comment", everybody)))
    return Rules((*(tuple(sections) for sections in projects), (root,)))


def push(pattern: str, *rules: Rule, exclusive: bool = False) -> Section:
    """A section about direct pushes."""
    return Section(pattern, (Permission("push", rules, exclusive),))


#: What an administrator may do by the rules of a new site: all but acting for others and what is an owner's.
EVERYONE = set(Verb) - {Verb.RUN_AS, Verb.SUBMIT_AS, Verb.DELETE_OWN_CHANGES}
REGISTERED = {
    Verb.READ, Verb.UPLOAD, Verb.ADD_PATCH_SET, Verb.FORGE_AUTHOR, Verb.COMMENT, Verb.REVERT, Verb.VIEW_QUEUE,
    Verb.STREAM_EVENTS,
}  # fmt: skip
OWNER = {
    Verb.ABANDON, Verb.REBASE, Verb.EDIT_TOPIC, Verb.TOGGLE_WIP, Verb.REMOVE_REVIEWER, Verb.VIEW_PRIVATE, Verb.DEQUEUE,
    Verb.EDIT_HASHTAGS, Verb.EDIT_KEYED_VALUES,
}  # fmt: skip


@pytest.mark.parametrize(
    ("who", "target", "verbs"),
    [
        (STRANGER, MAIN, {Verb.READ, Verb.VIEW_QUEUE, Verb.STREAM_EVENTS}),
        (ADA, MAIN, REGISTERED),
        (ADA, HERS, REGISTERED | OWNER),
        (ROBOT, MAIN, REGISTERED),
        (
            CORE_MEMBER,
            MAIN,
            REGISTERED | OWNER - {Verb.VIEW_PRIVATE} | {Verb.SUBMIT, Verb.ENQUEUE, Verb.PROMOTE, Verb.AUTOHOLD},
        ),
        (ADMIN, MAIN, EVERYONE),
        (ADA, Target("demo/api", "refs/meta/config"), {Verb.VIEW_QUEUE, Verb.STREAM_EVENTS}),
        (ADMIN, Target("demo/api", "refs/meta/config"), EVERYONE),
    ],
    ids=["stranger", "registered", "change owner", "robot", "core", "administrator", "config ref", "admin config ref"],
)
def test_a_new_site_permits(who: Actor, target: Target, verbs: set[Verb]) -> None:
    assert {verb for verb in Verb if may(who, verb, target, DEFAULT)} == verbs


@pytest.mark.parametrize(
    ("who", "label", "votes"),
    [
        (STRANGER, "Code-Review", (0, 0)),
        (ADA, "Code-Review", (-1, 1)),
        (CORE_MEMBER, "Code-Review", (-2, 2)),
        (ROBOT, "Code-Review", (-1, 1)),
        (ADMIN, "Code-Review", (-1, 1)),
        (ADA, "Workflow", (-1, 0)),
        (CORE_MEMBER, "Workflow", (-1, 1)),
        (ROBOT, "Workflow", (0, 0)),
        (ADA, "Verified", (0, 0)),
        (ROBOT, "Verified", (-2, 2)),
        (ELSEWHERE, "Verified", (-1, 1)),
        (ADMIN, "Verified", (0, 0)),
        (ADA, "Unknown", (0, 0)),
    ],
)
def test_a_new_site_permits_votes(who: Actor, label: str, votes: tuple[int, int]) -> None:
    assert allowed_range(who, label, HERS, DEFAULT) == votes


def test_what_no_rule_allows_is_refused() -> None:
    nothing = Rules(((),))
    assert not any(may(ADMIN, verb, MAIN, nothing) for verb in Verb)
    assert allowed_range(ADMIN, "Code-Review", MAIN, nothing) == (0, 0)


def test_an_administrator_has_every_capability_and_owns_every_project() -> None:
    rules = Rules(((),), ((Verb.ADMINISTRATE_SERVER, ADMINISTRATORS),))
    assert all(may(ADMIN, verb, SITE, rules) for verb in CAPABILITIES - {Verb.RUN_AS})
    assert not may(ADMIN, Verb.RUN_AS, SITE, rules), "to act as somebody else is given by name, as in Gerrit"
    assert may(ADMIN, Verb.OWN, MAIN, rules)


def test_a_stranger_changes_nothing_even_where_a_rule_is_careless() -> None:
    rules = chain([push("refs/*", Rule("Anonymous Users", force=True))])
    assert may(ADA, Verb.PUSH, MAIN, rules)
    assert not may(STRANGER, Verb.PUSH, MAIN, rules)


def test_who_may_not_read_may_do_nothing() -> None:
    hidden = Section("refs/heads/secret", (Permission("read", (Rule(CORE),), exclusive=True),))
    rules = chain([hidden, push("refs/*", Rule("Registered Users"))])
    secret = Target("demo/api", "refs/heads/secret")
    assert not may(ADA, Verb.PUSH, secret, rules)
    assert may(CORE_MEMBER, Verb.PUSH, secret, rules)
    assert may(ADA, Verb.PUSH, MAIN, rules)


def test_a_deny_takes_away_what_the_same_pattern_allows_further_up() -> None:
    parent = [push("refs/heads/*", Rule("Registered Users"))]
    assert may(ADA, Verb.PUSH, MAIN, chain([], parent))
    assert not may(ADA, Verb.PUSH, MAIN, chain([push("refs/heads/*", Rule("Registered Users", Action.DENY))], parent))
    elsewhere = [push("refs/heads/main", Rule("Registered Users", Action.DENY))]
    assert may(ADA, Verb.PUSH, MAIN, chain(elsewhere, parent)), "another pattern is another rule"


def test_a_block_of_a_parent_wins_over_an_allow_of_its_child() -> None:
    parent = [push("refs/heads/*", Rule("Registered Users", Action.BLOCK))]
    child = [push("refs/heads/main", Rule("Registered Users", force=True), exclusive=True)]
    assert not may(ADA, Verb.PUSH, MAIN, chain(child, parent))


def test_an_allow_beside_a_block_makes_an_exception() -> None:
    parent = [push("refs/heads/*", Rule("Registered Users", Action.BLOCK), Rule(CORE))]
    assert not may(ADA, Verb.PUSH, MAIN, chain([], parent))
    assert may(CORE_MEMBER, Verb.PUSH, MAIN, chain([], parent))


def test_an_exclusive_allow_in_the_same_project_overrides_its_block() -> None:
    blocking = push("refs/*", Rule("Registered Users", Action.BLOCK))
    assert may(
        ADA, Verb.PUSH, MAIN, chain([blocking, push("refs/heads/main", Rule("Registered Users"), exclusive=True)])
    )
    assert not may(ADA, Verb.PUSH, MAIN, chain([blocking, push("refs/heads/main", Rule("Registered Users"))]))


def test_an_exclusive_permission_hides_what_is_less_specific() -> None:
    parent = [push("refs/*", Rule("Registered Users"))]
    child = [push("refs/heads/main", Rule(CORE), exclusive=True)]
    assert not may(ADA, Verb.PUSH, MAIN, chain(child, parent))
    assert may(CORE_MEMBER, Verb.PUSH, MAIN, chain(child, parent))
    assert may(ADA, Verb.PUSH, Target("demo/api", "refs/heads/other"), chain(child, parent))


def test_a_block_of_force_stops_only_forced_pushes() -> None:
    rules = chain(
        [push("refs/*", Rule("Registered Users", force=True))],
        [push("refs/*", Rule("Registered Users", Action.BLOCK, force=True))],
    )
    assert may(ADA, Verb.PUSH, MAIN, rules)
    assert not may(ADA, Verb.FORCE_PUSH, MAIN, rules)


def test_a_push_for_review_is_a_push_to_refs_for() -> None:
    rules = chain([push("refs/for/refs/heads/main", Rule("Registered Users"))])
    assert may(ADA, Verb.UPLOAD, MAIN, rules)
    assert not may(ADA, Verb.PUSH, MAIN, rules)
    assert not may(ADA, Verb.UPLOAD, Target("demo/api", "refs/heads/other"), rules)


@pytest.mark.parametrize(
    ("pattern", "ref", "fits"),
    [
        ("refs/heads/main", "refs/heads/main", True),
        ("refs/heads/main", "refs/heads/main2", False),
        ("refs/heads/*", "refs/heads/stable/1", True),
        ("refs/heads/*", "refs/tags/1", False),
        ("^refs/heads/stable-[0-9]+", "refs/heads/stable-12", True),
        ("^refs/heads/stable-[0-9]+", "refs/heads/stable-12x", False),
        ("refs/heads/users/${username}/*", "refs/heads/users/ada/x", True),
        ("refs/heads/users/${username}/*", "refs/heads/users/bob/x", False),
        ("^refs/heads/users/${username}/[a-z]+", "refs/heads/users/ada/x", True),
    ],
)
def test_patterns_fit_refs(pattern: str, ref: str, fits: bool) -> None:
    rules = chain([push(pattern, Rule("Registered Users"))])
    assert may(ADA, Verb.PUSH, Target("demo/api", ref), rules) is fits


def test_a_username_is_never_read_as_an_expression() -> None:
    rules = chain([push("^refs/heads/users/${username}/.+", Rule("Registered Users"))])
    dotted = Actor(9, frozenset(), "a.a")
    assert may(dotted, Verb.PUSH, Target("demo/api", "refs/heads/users/a.a/x"), rules)
    assert not may(dotted, Verb.PUSH, Target("demo/api", "refs/heads/users/ada/x"), rules)


def test_a_wrong_expression_is_refused_where_it_is_written() -> None:
    with pytest.raises(Invalid, match=r"^The ref pattern \^refs/heads/\( is no regular expression: missing \)"):
        Section("^refs/heads/(", ())


def test_project_owners_are_those_whom_the_owner_permission_names() -> None:
    own = Section("refs/*", (Permission("owner", (Rule("Team"),)), Permission("push", (Rule("Project Owners"),))))
    assert may(Actor(5, frozenset({"Team"})), Verb.PUSH, MAIN, chain([own]))
    assert not may(ADA, Verb.PUSH, MAIN, chain([own]))
    asking_itself = Section("refs/*", (Permission("owner", (Rule("Project Owners"),)),))
    assert not may(ADA, Verb.OWN, MAIN, chain([asking_itself]))


def test_a_blocked_range_stops_its_ends_and_beyond() -> None:
    allow = Section("refs/*", (Permission("label-Code-Review", (Rule("Registered Users", least=-2, most=2),)),))
    block = Permission(
        "label-Code-Review", (Rule("Registered Users", Action.BLOCK, -2, 2), Rule(CORE, least=-2, most=1))
    )
    rules = chain([allow], [Section("refs/*", (block,))])
    assert allowed_range(ADA, "Code-Review", MAIN, rules) == (-1, 1)
    assert allowed_range(CORE_MEMBER, "Code-Review", MAIN, rules) == (-2, 1)
