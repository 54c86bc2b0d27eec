# SPDX-License-Identifier: Apache-2.0
"""YAML as Zuul's users write it: scalars of YAML 1.1, tags, aliases, merge keys, and the lines of everything."""

from __future__ import annotations

import pytest

from gatebot.pipeline.config.yamltext import MAX_DEPTH, Encrypted, Tagged, Unreadable, YamlList, YamlMap, read
from gatebot.words import say


def value(text: str) -> object:
    found, problems = read(text.encode())
    assert problems == ()
    return found


@pytest.mark.parametrize(
    "text, expected",
    [
        ("yes", True),
        ("Off", False),
        ("~", None),
        ("", None),
        ("012", 10),
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("-17", -17),
        ("1:30", 90),
        ("1.5", 1.5),
        ("1:30.5", 90.5),
        ("'yes'", "yes"),
        ('"012"', "012"),
        ("!!str 12", "12"),
        ("y", "y"),
        ("09", "09"),
        ("2026-11-22", "2026-11-22"),
        (".inf", ".inf"),
        ("1e3", "1e3"),
    ],
)
def test_scalars_are_those_of_yaml_1_1(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_every_key_and_entry_remembers_its_line() -> None:
    document = value("- job:\n    name: a\n    files:\n      - x\n      - y\n")
    assert isinstance(document, YamlList)
    stanza = document[0]
    assert isinstance(stanza, YamlMap)
    job = stanza["job"]
    assert isinstance(job, YamlMap)
    files = job["files"]
    assert isinstance(files, YamlList)
    assert (document.lines, job.line, job.lines, files.lines) == ([1], 2, {"name": 2, "files": 3}, [4, 5])


def test_aliases_and_merge_keys_are_followed_and_the_nearer_value_wins() -> None:
    found = value("a: &x {one: 1, two: 2}\nb:\n  <<: *x\n  two: 3\nc: [*x]\n")
    assert found == {"a": {"one": 1, "two": 2}, "b": {"one": 1, "two": 3}, "c": [{"one": 1, "two": 2}]}


def test_zuuls_tags_are_kept() -> None:
    found = value("a: !override [1]\nb: !inherit {c: 1}\nd: !encrypted/pkcs1-oaep\n  - YWJj\n  - ZGVm\n")
    assert found == {
        "a": Tagged(value("[1]"), True),  # type: ignore[arg-type]
        "b": Tagged(value("{c: 1}"), False),  # type: ignore[arg-type]
        "d": Encrypted(("YWJj", "ZGVm")),
    }


@pytest.mark.parametrize(
    "text, line, sentence",
    [
        ("a: 1\nb: 2\na: 3\n", 3, "`a` stands here a second time; the first is on line 1. Remove one."),
        (
            "a: !vault x\n",
            1,
            "The tag `!vault` is not known. Known are `!override`, `!inherit`, `!encrypted/pkcs1-oaep` and "
            "`!encrypted/gatebot-sealed`.",
        ),
        (
            "a: {{ b }}\n",
            1,
            "A key must be plain text. If this is a template such as `{{ name }}`, put quotes around it.",
        ),
        ("a:\n  <<: 1\n", 2, "`<<` takes a mapping or a list of mappings."),
    ],
)
def test_local_problems_do_not_stop_the_reading(text: str, line: int, sentence: str) -> None:
    _, problems = read(text.encode())
    assert [(problem.line, say(problem.reason)) for problem in problems] == [(line, sentence)]


@pytest.mark.parametrize(
    "data, line, sentence",
    [
        (
            b"a: 1\n b: 2\n",
            2,
            "This is not YAML: mapping values are not allowed in this context. Look at this line and the one before.",
        ),
        (b"a: 1\nb: \xff\n", 2, "The file is not UTF-8. Save it as UTF-8."),
        (b"a: *nobody\n", 1, "`*nobody` refers to nothing: no `&nobody` stands before it in this file."),
        (b"a: &a [*a]\n", 1, "`*a` refers to nothing: no `&a` stands before it in this file."),
        (b"a: 1\n---\nb: 1\n", 2, "A second YAML document begins here. Keep one, and remove the `---`."),
        (
            b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
            1,
            "The values are nested more than 64 levels deep. Make them flatter.",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(data: bytes, line: int, sentence: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(data)
    assert (caught.value.problem.line, say(caught.value.problem.reason)) == (line, sentence)


def test_aliases_that_explode_are_counted_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(Unreadable) as caught:
        read("\n".join(lines).encode())
    assert caught.value.problem.reason.kind == "config.too-many-nodes"
