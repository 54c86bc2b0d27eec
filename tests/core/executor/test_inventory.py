# SPDX-License-Identifier: Apache-2.0
"""Which variable wins, and which text may be a template."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gatebot.assignment import FrozenJob, NodeGroup, NodeSpec
from gatebot.executor.inventory import inventory, job_variables, squashed, told, untalkative
from gatebot.executor.model import Places
from gatebot.executor.spelling import Plain, plain, spelled, written
from gatebot.merging import merged
from tests.fakes.executor import assignment, job

PLACES = Places("/home/job", "/opt/gatebot", "git.example.org")
COMMIT = "a" * 40
TEXTS = st.text(alphabet="ab{}%", max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
tables = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


def two_nodes(**more: Any) -> FrozenJob:
    nodes = (NodeSpec(("one", "first"), "small"), NodeSpec(("two",), "small"))
    return FrozenJob(
        "unit", "hash", nodes=nodes, groups=(NodeGroup("db", ("two",)), NodeGroup("web", ("one",))), **more
    )


@given(tables, tables)
def test_merging_keeps_what_is_new_and_all_that_only_the_old_has(old: dict[str, Any], new: dict[str, Any]) -> None:
    found = merged(old, new)
    assert set(found) == set(old) | set(new)
    assert merged(found, new) == found
    for name in set(old) - set(new):
        assert found[name] == old[name]
    for name, value in new.items():
        assert found[name] == value or isinstance(value, dict)


@given(values)
def test_no_text_that_could_be_a_template_is_left_unmarked_and_scripts_get_it_as_it_is(value: Any) -> None:
    def check(inner: Any) -> None:
        if isinstance(inner, dict) and set(inner) == {"__ansible_unsafe"}:
            return
        for one in inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ():
            check(one)
        assert not (isinstance(inner, str) and "{" in inner)

    check(spelled(plain(value)))
    assert json.loads(json.dumps(plain(value))) == value


def keys_of(value: Any) -> list[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*(value if isinstance(value, dict) else ()), *(key for one in inner for key in keys_of(one))]


@given(values, values)
def test_names_that_are_templates_are_written_so_that_ansible_knows_them_and_marked_ones_never(
    live: Any, marked: Any
) -> None:
    class Reader(yaml.SafeLoader):
        pass

    Reader.add_constructor("!unsafe", lambda reader, node: Plain(node.value))
    text = written({"live": live, "marked": plain(marked)})
    if not any("{" in key for key in keys_of(live)):
        assert json.loads(text) == spelled({"live": live, "marked": plain(marked)})
        return
    found = yaml.load(text, Reader)
    assert found == {"live": live, "marked": marked}
    assert all(isinstance(key, Plain) for key in keys_of(found["marked"]) if "{" in key)
    assert not any(isinstance(key, Plain) for key in keys_of(found["live"]))


def test_a_job_cannot_write_what_the_reader_of_the_inventory_takes_for_its_own() -> None:
    hostile: Any = {"__ansible_unsafe": {"a": 1}, "b": {"__ansible_vault": "x", "c": "{{ 1 }}"}}
    assert spelled(plain(hostile)) == {"b": {"c": {"__ansible_unsafe": "{{ 1 }}"}}}


def test_included_files_lie_between_what_parents_returned_and_the_variables_of_the_job() -> None:
    frozen = job(vars={"b": {"own": 1}, "c": "job"})
    given_ = assignment(COMMIT, frozen, inherited={"a": "parent", "b": {"own": 0, "up": 1}, "zuul": {"pause": True}})
    found = job_variables(given_, ({"b": {"file": 1}, "c": "file", "d": "first"}, {"d": "second"}))
    assert found == {"a": "parent", "b": {"own": 1, "up": 1, "file": 1}, "c": "job", "d": "second"}


def test_what_a_parent_returned_is_never_a_template() -> None:
    found = job_variables(assignment(COMMIT, job(), inherited={"a": "{{ 1 }}"}), ())
    assert spelled(found) == {"a": {"__ansible_unsafe": "{{ 1 }}"}}


def test_the_inventory_has_the_nodeset_under_its_names_with_variables_of_groups_and_hosts() -> None:
    frozen = two_nodes(
        vars={"a": 1}, group_vars={"db": {"a": 2}, "all": {"z": 0}, "gone": {"x": 1}}, host_vars={"two": {"a": 3}}
    )
    found: Any = inventory(
        assignment(COMMIT, frozen), job_variables(assignment(COMMIT, frozen), ()), "/usr/bin/python3"
    )
    assert sorted(found["all"]["hosts"]) == ["first", "one", "two"]
    assert found["all"]["hosts"]["two"]["a"] == 3
    assert found["all"]["hosts"]["one"]["ansible_connection"] == "gatebot"
    assert found["all"]["hosts"]["one"]["nodepool"]["label"] == "small"
    assert found["all"]["children"] == {
        "db": {"hosts": {"two": None}, "vars": {"a": 2}},
        "web": {"hosts": {"one": None}, "vars": {}},
        "zuul_unreachable": {"hosts": {}},
    }
    assert found["all"]["vars"] == {"a": 1, "z": 0}


def test_a_script_is_told_the_variables_of_its_first_node_with_extra_vars_over_all() -> None:
    frozen = two_nodes(
        vars={"a": 1, "b": 1}, group_vars={"web": {"a": 2, "c": 2}}, host_vars={"one": {"a": 3}}, extra_vars={"b": 4}
    )
    given_ = assignment(COMMIT, frozen)
    assert squashed(given_, job_variables(given_, ())) == {"a": 3, "b": 4, "c": 2}


def test_what_zuul_says_is_said_under_both_names_and_guarded_under_both() -> None:
    said = untalkative(told(assignment(COMMIT, job()), PLACES, "small"))
    zuul, own = said["zuul"], said["gatebot"]  # type: ignore[call-overload,index]
    assert {name: own[name] for name in zuul} == zuul  # type: ignore[call-overload,index,union-attr]
    assert own["artifacts_dir"] == PLACES.artifacts  # type: ignore[call-overload,index]


def test_a_message_of_a_change_is_never_a_template() -> None:
    given_ = assignment(COMMIT, job())
    said = told(given_, PLACES, "small")
    said["zuul"] = {
        "change_message": "{{ lookup('pipe', 'id') }}",
        "items": [{"change_message": "{% x %}", "job": "a"}],
    }
    assert spelled(untalkative(said)["zuul"]) == {  # type: ignore[call-overload,index]
        "change_message": {"__ansible_unsafe": "{{ lookup('pipe', 'id') }}"},
        "items": [{"change_message": {"__ansible_unsafe": "{% x %}"}, "job": "a"}],
    }
