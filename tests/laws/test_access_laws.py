# SPDX-License-Identifier: Apache-2.0
"""Laws of the permission model that hold for any rules whatever."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatebot.access import (
    IMPLIED,
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

GROUPS = ("Anonymous Users", "Registered Users", "Project Owners", "Change Owner", "Core", "Team")
PATTERNS = ("refs/*", "refs/heads/*", "refs/heads/main", "^refs/heads/m.*", "refs/for/*", "refs/tags/*")
NAMES = ("read", "push", "comment", "submit", "owner", "label-Code-Review")

rule = st.builds(
    Rule, st.sampled_from(GROUPS), st.sampled_from(Action), st.integers(-2, 0), st.integers(0, 2), st.booleans()
)
permission = st.builds(
    Permission, st.sampled_from(NAMES), st.lists(rule, min_size=1, max_size=3).map(tuple), st.booleans()
)
section = st.builds(Section, st.sampled_from(PATTERNS), st.lists(permission, max_size=4).map(tuple))
project = st.lists(section, max_size=4).map(tuple)
rules = st.builds(Rules, st.lists(project, min_size=1, max_size=3).map(tuple))
actor = st.builds(
    Actor, st.sampled_from([None, 1, 2]), st.frozensets(st.sampled_from(["Core", "Team"])), st.just("ada")
)
target = st.builds(
    Target, st.just("demo/api"), st.sampled_from(["refs/heads/main", "refs/tags/1"]), st.sampled_from([None, 1])
)
verb = st.sampled_from([Verb.READ, Verb.PUSH, Verb.FORCE_PUSH, Verb.UPLOAD, Verb.SUBMIT, Verb.OWN])


def everywhere(name: str, rule: Rule) -> tuple[Section, ...]:
    """A project that says one thing about all refs."""
    return (Section("^refs/.*", (Permission(name, (rule,)),)),)


@given(rules, actor, target, verb)
def test_who_may_do_something_may_read_and_has_an_account(r: Rules, a: Actor, t: Target, v: Verb) -> None:
    if may(a, v, t, r):
        assert may(a, Verb.READ, t, r)
        assert v is Verb.READ or a.account is not None


@given(rules, actor, target, verb)
def test_no_child_project_undoes_a_block_of_its_parent(r: Rules, a: Actor, t: Target, v: Verb) -> None:
    name = "push" if v in (Verb.FORCE_PUSH, Verb.UPLOAD) else v.value
    blocked = replace(r, chain=(*r.chain, everywhere(name, Rule("Anonymous Users", Action.BLOCK))))
    assert not may(a, v, t, blocked)


@given(rules, actor, target, verb)
def test_a_block_further_up_never_permits_anything_new(r: Rules, a: Actor, t: Target, v: Verb) -> None:
    stricter = replace(r, chain=(*r.chain, everywhere("push", Rule("Core", Action.BLOCK))))
    assert may(a, v, t, r) or not may(a, v, t, stricter)


@given(rules, actor, target, verb)
def test_an_exclusive_permission_hides_everything_that_is_less_specific(r: Rules, a: Actor, t: Target, v: Verb) -> None:
    nobody = Permission(v.value, (Rule("Nobody"),), exclusive=True)
    closed = replace(r, chain=((Section(t.ref, (nobody,)),), *r.chain))
    if v not in (Verb.UPLOAD, Verb.FORCE_PUSH):
        hides = not any(s.pattern == t.ref for sections in r.chain for s in sections)
        assert not (hides and may(a, v, t, closed))


@given(rules, actor, target, verb)
def test_who_may_force_a_push_may_push(r: Rules, a: Actor, t: Target, v: Verb) -> None:
    assert may(a, Verb.PUSH, t, r) or not may(a, Verb.FORCE_PUSH, t, r)


@given(rules, actor, target)
def test_a_range_of_votes_contains_zero_and_stays_within_what_is_allowed(r: Rules, a: Actor, t: Target) -> None:
    least, most = allowed_range(a, "Code-Review", t, r)
    assert -2 <= least <= 0 <= most <= 2
    if a.account is None:
        assert (least, most) == (0, 0)


@given(rules, actor, target, verb, st.data())
def test_a_block_added_anywhere_never_grants_anything(
    r: Rules, a: Actor, t: Target, v: Verb, data: st.DataObject
) -> None:
    stricter = replace(r, chain=with_rule(r, data, Action.BLOCK))
    assert may(a, v, t, r) or not may(a, v, t, stricter)
    before, after = allowed_range(a, "Code-Review", t, r), allowed_range(a, "Code-Review", t, stricter)
    assert before[0] <= after[0] <= after[1] <= before[1]


@given(rules, actor, target, verb, st.data())
def test_a_deny_added_anywhere_never_grants_anything(
    r: Rules, a: Actor, t: Target, v: Verb, data: st.DataObject
) -> None:
    stricter = replace(r, chain=with_rule(r, data, Action.DENY))
    assert may(a, v, t, r) or not may(a, v, t, stricter)


def with_rule(r: Rules, data: st.DataObject, action: Action) -> tuple[tuple[Section, ...], ...]:
    """The same with one more rule at the beginning of a permission that is there, or in a new section."""
    place = data.draw(st.integers(0, len(r.chain) - 1))
    new = Rule(data.draw(st.sampled_from(GROUPS)), action, -1, 1, data.draw(st.booleans()))
    sections = list(r.chain[place])
    there = [
        (i, j) for i, section in enumerate(sections) for j, _ in enumerate(section.permissions)
    ]  # fmt: skip
    if there and data.draw(st.booleans()):
        i, j = data.draw(st.sampled_from(there))
        permissions = list(sections[i].permissions)
        permissions[j] = replace(permissions[j], rules=(new, *permissions[j].rules))
        sections[i] = replace(sections[i], permissions=tuple(permissions))
    else:
        name = data.draw(st.sampled_from(NAMES))
        sections.append(Section(data.draw(st.sampled_from(PATTERNS)), (Permission(name, (new,)),)))
    return (*r.chain[:place], tuple(sections), *r.chain[place + 1 :])


@given(rules, actor, target, verb)
def test_what_is_implied_takes_nothing_away(r: Rules, a: Actor, t: Target, v: Verb) -> None:
    implied = replace(r, chain=(*r.chain, IMPLIED))
    assert may(a, v, t, implied) or not may(a, v, t, r)
