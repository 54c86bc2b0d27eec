# SPDX-License-Identifier: Apache-2.0
"""Which lines are about which request, in the formats that services write; and texts found in large files."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.executor.files.entries import Entry, entries, exported, time_of, told
from gatebot.executor.files.model import Found, FoundLine
from gatebot.executor.files.searching import search

A, B = "req-e4b65285-c9b2-48cb-963d-97cc84135279", "req-a2e6e474-0000-4000-8000-97cc84135279"
NINE = 1795856400.0  # 2026-11-28 09:00 UTC


@pytest.mark.parametrize(
    "line, at",
    [
        ("2026-11-28 09:00:00.500 12 INFO nova.compute [None x] m", NINE + 0.5),
        ("2026-11-28T09:00:00Z m", NINE),
        ("2026-11-28T18:00:00+09:00 m", NINE),
        ("[2026-11-28 09:00:00,250] m", NINE + 0.25),
        ("Nov 28 09:00:00.5 host nova-api[12]: m", NINE + 0.5),
        ('{"asctime": "2026-11-28 09:00:00.5", "message": "m"}', NINE + 0.5),
        ('{"ts": 1795856400.5, "msg": "m"}', NINE + 0.5),
        ('{"__REALTIME_TIMESTAMP": "1795856400500000"}', NINE + 0.5),
        ("2026-11-28 08:00:00.000000 | 2026-11-28 09:00:00 m", NINE),
        ("2026-11-28 09:00:00.000000 | no time of its own", NINE),
        ("no time", 0.0),
        ("2026-13-48 99:00:00 m", 0.0),
        ("{broken", 0.0),
    ],
)
def test_a_line_tells_its_time_in_many_formats(line: str, at: float) -> None:
    assert time_of(line, 2026) == at


def test_an_entry_has_its_ids_in_either_place_and_the_lines_that_belong_to_it() -> None:
    lines = [
        f"2026-11-28 09:00:00.000 12 INFO nova.api [None {A} u p] one",
        f"2026-11-28 09:00:01.000 13 INFO neutron [{A} {B} u p] two",
        "  going on",
        "2026-11-28 09:00:01.000 13 ERROR neutron Traceback (most recent call last):",
        "2026-11-28 09:00:02.000 13 INFO neutron [-] another",
        "nothing",
    ]
    assert list(entries((line.encode() for line in lines), 2026)) == [
        Entry(1, 1, NINE, (A,)),
        Entry(2, 3, NINE + 1, (A, B)),
    ]


def test_a_journals_export_is_read_with_fields_of_bytes() -> None:
    message = f"line one\n[{A}] line two".encode()
    data = (
        b"__CURSOR=x\n__REALTIME_TIMESTAMP=1795856400500000\n_SYSTEMD_UNIT=nova.service\nMESSAGE=nothing\n\n"
        b"__REALTIME_TIMESTAMP=1795856401000000\nMESSAGE\n" + struct.pack("<Q", len(message)) + message + b"\n\n"
        b"__REALTIME_TIMESTAMP=1795856402000000\n_SYSTEMD_UNIT=n.service\nMESSAGE=" + B.encode() + b"\n\n"
    )
    found = list(exported(data))
    assert [(one.at, one.ids) for one in found] == [(NINE + 1, (A,)), (NINE + 2, (B,))]
    assert told(f"__REALTIME_TIMESTAMP=1\n_SYSTEMD_UNIT=n.service\nMESSAGE={B}") == f"n.service: {B}"


@given(st.binary(max_size=400))
def test_no_bytes_break_the_readers(data: bytes) -> None:
    assert all(one.ids for one in entries(data.split(b"\n"), 2026))
    assert all(one.ids for one in exported(b"__CURSOR=x\n" + data))


TEXT = b"alpha\nBeta gamma\n\ndelta beta\nlast"


@given(st.integers(1, 12), st.sampled_from(["beta", "LAST", "a", "nowhere", "mm"]))
def test_lines_are_found_however_the_file_is_cut_into_blocks(size: int, wanted: str) -> None:
    blocks = [TEXT[at : at + size] for at in range(0, len(TEXT), size)]
    lines = [FoundLine(n, one) for n, one in enumerate(TEXT.decode().split("\n"), 1) if wanted.lower() in one.lower()]
    assert search(blocks, 1, wanted, 100) == Found(tuple(lines))


def test_a_search_says_where_it_stopped() -> None:
    assert search([TEXT], 1, "beta", 1) == Found((FoundLine(2, "Beta gamma"),), upto=3)
    assert search([TEXT, TEXT], 7, "beta", 9, lambda: False) == Found((), upto=7)
