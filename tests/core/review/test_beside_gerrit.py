# SPDX-License-Identifier: Apache-2.0
"""How two servers' answers are compared, and the page's table of what may differ."""

from __future__ import annotations

import re

from tests.clients.differential.compared import events
from tests.clients.differential.listed import BEGIN, PAGE, listed
from tests.clients.differential.shapes import Difference, Listed, Names, differences, flat

ONE = Names(("http://one",), {7: "ann"})
OTHER = Names(("http://other",), {1000007: "ann"})


def test_what_belongs_to_a_server_alone_is_no_difference() -> None:
    theirs = {
        "owner": {"_account_id": 7},
        "date": "2026-01-05 09:00:00.000000000",
        "message": "See http://one/c/play/+/3, refs/changes/03/3/1, 0123456789abcdef",
        "labels": {"X": {"all": [{"_account_id": 7, "value": 1}]}},
    }
    ours = {
        "owner": {"_account_id": 1000007},
        "date": "2026-02-06 10:00:00.000000000",
        "message": "See http://other/c/play/+/14, refs/changes/14/14/1, fedcba9876543210",
        "labels": {"X": {"all": [{"_account_id": 1000007, "value": 1}]}},
    }
    assert differences("step", flat(theirs, ONE), flat(ours, OTHER)) == []


def test_missing_fields_other_types_and_other_counts_are_told_once() -> None:
    theirs = {"a": {"b": 1, "c": 2}, "n": 1, "list": [{"x": 1}, {"x": 2}]}
    ours = {"n": "1", "list": [{"x": 1}], "more": True}
    assert differences("step", flat(theirs, ONE), flat(ours, ONE)) == [
        Difference("step", ".a", "object", ""),
        Difference("step", ".list", "list of 2", "list of 1"),
        Difference("step", ".more", "", "true"),
        Difference("step", ".n", "1", '"1"'),
    ]


def test_events_are_compared_by_their_subject_and_changes_of_the_store_are_not() -> None:
    change = {"id": "I1", "branch": "main"}
    meta = {"type": "ref-updated", "refUpdate": {"project": "p", "refName": "refs/changes/01/1/meta"}}
    theirs = [meta, {"type": "patchset-created", "change": change, "x": 1}, {"type": "comment-added", "change": change}]
    ours = [{"type": "patchset-created", "change": change, "eventId": "4"}]
    told = events(theirs, ours, ONE, ONE)
    assert told[0] == Difference(
        "events of change I1 on main", "order", "patchset-created comment-added", "patchset-created"
    )
    assert [one.where for one in told[1:]] == [".eventId", ".x"]


def test_the_page_lists_differences_in_a_table_that_is_read() -> None:
    head = "| asked | field | why |\n| --- | --- | --- |\n"
    table = f"{BEGIN}\n{head}| `GET *` | `.a` | because \\| so |\n<!-- /differences -->"
    (row,) = listed(table)
    assert row == Listed("GET *", ".a", "because | so")
    assert row.covers(Difference("GET x", ".a", "1", ""))
    assert not row.covers(Difference("PUT x", ".a", "1", ""))
    rows = listed()
    assert all(re.search(r"\w", row.why) for row in rows)
    assert PAGE.read_text().count(BEGIN) == 1
