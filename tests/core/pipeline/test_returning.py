# SPDX-License-Identifier: Apache-2.0
"""What jobs return reaches the jobs after them and the people, in Zuul's order, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatebot.assignment import ProvidedArtifact
from gatebot.change import FileComment, TextRange
from gatebot.pipeline.returning import (
    ReturnedBuild,
    comments,
    handed_on,
    json_table,
    left_out,
    parents,
    remarks,
    warnings,
)
from gatebot.words import say
from tests.fakes.jobs import job, jobs_gate

pytestmark = pytest.mark.zuul(109)


def build(name: str, data=None, secret=None) -> ReturnedBuild:
    return ReturnedBuild(
        name, name, "api", "main", 7, 2, data or {}, secret or {}, f"https://ci.example.org/logs/{name}/"
    )


def test_data_comes_from_the_jobs_that_one_depends_on_however_far_and_from_no_others() -> None:
    q = jobs_gate(job("a"), job("b", "a"), job("other"), job("c", "b"))
    first = q.build(1, "a").build
    q.ends("a")
    second = q.build(1, "b").build
    q.ends("b")
    assert parents(q.item(), "c") == (first, second)
    assert parents(q.item(), "other") == ()


def test_mappings_are_merged_and_the_later_job_wins_while_what_is_the_schedulers_stays_behind() -> None:
    one = build("one", {"cloud": {"name": "a", "zone": 1}, "list": [1], "zuul": {"pause": True}, "nodepool": 1})
    two = build("two", {"cloud": {"name": "b"}, "list": [2], "unsafe_vars": {}})
    assert handed_on([one, two], []).data == {"cloud": {"name": "b", "zone": 1}, "list": [2]}


def test_of_secret_data_the_earlier_job_wins_as_in_zuul() -> None:
    one, two = build("one", secret={"password": "x", "zuul": {}}), build("two", secret={"password": "y", "token": "z"})
    assert handed_on([one, two], []).secret_data == {"password": "x", "token": "z"}


def test_artifacts_say_where_they_come_from_once_each_with_whole_addresses() -> None:
    told = {"zuul": {"artifacts": [
        {"name": "image", "url": "artifacts/image.tar", "metadata": {"type": "container_image"}},
        {"name": "docs", "url": "https://docs.example.org/"},
        {"name": "broken"},
    ]}}  # fmt: skip
    one = build("build", told)
    where = ("api", "build", 7, 2, "main")
    assert handed_on([one], [one]).artifacts == (
        ProvidedArtifact(
            "image",
            "https://ci.example.org/logs/build/artifacts/image.tar",
            *where,
            metadata={"type": "container_image"},
        ),
        ProvidedArtifact("docs", "https://docs.example.org/", *where),
    )


def test_a_job_that_names_its_own_place_for_logs_has_its_artifacts_there() -> None:
    one = build(
        "build", {"zuul": {"log_url": "https://logs.example.org/1", "artifacts": [{"name": "a", "url": "a.txt"}]}}
    )
    assert [artifact.url for artifact in handed_on([], [one]).artifacts] == ["https://logs.example.org/1/a.txt"]


def test_warnings_and_remarks_on_lines_are_read_and_nonsense_is_not() -> None:
    told = {"zuul": {"warnings": ["slow", 7], "file_comments": {
        "a.py": [{"line": 3, "message": "too long", "level": "warning"}, {"message": "it all", "line": 0}, {"line": 4}],
        "b.py": [{"range": {"start_line": 1, "end_line": 2}, "message": "odd"}],
        "d.py": [
            {"range": {"start_line": 1, "start_character": 3, "end_line": 2, "end_character": 0}, "message": "here"},
            {"line": 2, "range": {"start_line": 2, "start_character": 3, "end_line": 2, "end_character": 0},
             "message": "the wrong way round"},
        ],
        "c.py": "nonsense",
    }}}  # fmt: skip
    assert warnings([build("lint", told)]) == ("slow",)
    assert list(comments(build("lint", told))) == [
        FileComment("a.py", 3, "too long", "warning"),
        FileComment("a.py", 0, "it all"),
        FileComment("b.py", 2, "odd"),
        FileComment("d.py", 2, "here", span=TextRange(1, 3, 2, 0)),
        FileComment("d.py", 2, "the wrong way round"),
    ]


def test_remarks_that_are_too_many_are_counted_aloud_and_so_are_those_on_other_files() -> None:
    item = jobs_gate(job("lint")).item()
    (change,) = item.changes
    item = replace(item, changes=(replace(change, files=("a.txt",)),))
    said = {"a.txt": [{"line": line, "message": "long"} for line in range(1, 131)]}
    said |= {f"b{number}": [{"line": 1, "message": "odd"}] for number in range(22)}
    builds = [build("lint", {"zuul": {"file_comments": said}})]
    assert [one.line for one in remarks(item.changes[0], builds)] == list(range(1, 101))
    first, *others, last = map(say, left_out(item, builds))
    assert first == (
        "Jobs commented on more lines of change 1 than are shown: the first 100 are on its files, and 30 more are left "
        "out. The logs of the jobs have them all."
    )
    assert len(others) == 20
    assert last == "Jobs commented on 2 more files that this change does not touch."


def test_what_is_no_mapping_is_nothing() -> None:
    assert [json_table(text) for text in ("", "[1]", "{", '{"a": 1}')] == [{}, {}, {}, {"a": 1}]
