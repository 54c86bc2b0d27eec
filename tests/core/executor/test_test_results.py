# SPDX-License-Identifier: Apache-2.0
"""Test results as jobs leave them, JUnit XML and subunit, read with care and compared with an earlier run."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.executor.files import junit, subunit
from gatebot.executor.files.comparing import Compared, compare, counts, ordered
from gatebot.executor.files.model import Outcome, TestCase, TestRun

JUNIT = b"""<?xml version="1.0"?>
<testsuites><testsuite name="unit">
 <testcase classname="tests.T" name="test_ok" time="0.25"/>
 <testcase classname="tests.T" name="test_bad" time="1,000.5"><failure message="1 != 2">Traceback
AssertionError: 1 != 2</failure><system-out>said &lt;this&gt;</system-out></testcase>
 <testcase name="test_broken" time="x"><error message="no"/></testcase>
 <testcase name="test_skip"><skipped message="not here"/></testcase>
</testsuite></testsuites>"""
# Made by python-subunit: ok, bad, skip, xfail in turn, and one test that began and never ended.
SUBUNIT = base64.b64decode(
    "sykBGA90ZXN0cy5ULnRlc3Rfb2tNZ3NBsyuCJ2sKmBAAD3Rlc3RzLlQudGVzdF9vawEId29ya2VyLTBAnGrNsyuDKmsKmBDO5rKAD3Rlc3Rz"
    "LlQudGVzdF9vawEId29ya2VyLTALlsZGsyuCKGsKmBEAEHRlc3RzLlQudGVzdF9iYWQBCHdvcmtlci0w6DmphbMtcECDEHRlc3RzLlQudGVz"
    "dF9iYWQXdGV4dC9wbGFpbjtjaGFyc2V0PXV0ZjgJdHJhY2ViYWNrQENUcmFjZWJhY2sgKG1vc3QgcmVjZW50IGNhbGwgbGFzdCk6CiAgRmls"
    "ZSB4CkFzc2VydGlvbkVycm9yOiAxICE9IDIKATACD+F8syuGK2sKmBHO5rKAEHRlc3RzLlQudGVzdF9iYWQBCHdvcmtlci0wly7DOrMrgilr"
    "CpgSABF0ZXN0cy5ULnRlc3Rfc2tpcAEId29ya2VyLTDcZVgusy1wQEgRdGVzdHMuVC50ZXN0X3NraXAXdGV4dC9wbGFpbjtjaGFyc2V0PXV0"
    "ZjgJdHJhY2ViYWNrCG5vdCBoZXJlATBzYiaCsyuFLGsKmBLO5rKAEXRlc3RzLlQudGVzdF9za2lwAQh3b3JrZXItMMUqTdqzK4IqawqYEwAS"
    "dGVzdHMuVC50ZXN0X3hmYWlsAQh3b3JrZXItMIXidFOzK4ctawqYE87msoASdGVzdHMuVC50ZXN0X3hmYWlsAQh3b3JrZXItMI4HYA2zKwIf"
    "awqYEAARdGVzdHMuVC50ZXN0X2xvc3QWur1q"
)
BAD = "Traceback (most recent call last):\n  File x\nAssertionError: 1 != 2"


def test_junit_is_read_with_outcomes_durations_and_what_failed_tests_said() -> None:
    cases, cut = junit.read(JUNIT, "r.xml", 100)
    assert not cut
    assert [(case.name, case.outcome, case.seconds) for case in cases] == [
        ("tests.T.test_ok", Outcome.PASSED, 0.25),
        ("tests.T.test_bad", Outcome.FAILED, 1000.5),
        ("test_broken", Outcome.ERROR, 0.0),
        ("test_skip", Outcome.SKIPPED, 0.0),
    ]
    assert cases[1].output == "1 != 2\nTraceback\nAssertionError: 1 != 2\nsaid <this>"


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>'


@pytest.mark.parametrize(
    "data, why",
    [
        (LAUGHS, "it has a document type"),
        (b'<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuite/>', "it has a document type"),
        (b"<testsuite><testcase", "it is no XML"),
        (b"<html><testsuite/></html>", "its root is no testsuite"),
        (b"<testsuite>" + b"<a>" * 100, "it is nested too deeply"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_with_why(data: bytes, why: str) -> None:
    with pytest.raises(junit.Unreadable, match=why):
        junit.read(data, "r.xml", 100)


def test_more_tests_than_are_kept_are_cut_and_so_is_long_output() -> None:
    many = b"<testsuite>" + b'<testcase name="a"/>' * 5 + b"</testsuite>"
    assert [len(junit.read(many, "r.xml", 3)[0]), junit.read(many, "r.xml", 3)[1]] == [3, True]
    long = b'<testsuite><testcase name="a"><failure>' + b"x" * 100_000 + b"</failure></testcase></testsuite>"
    assert len(junit.read(long, "r.xml", 3)[0][0].output) == junit.MOST_OUTPUT


def test_subunit_is_read_as_its_own_library_writes_it() -> None:
    assert subunit.looks_so(SUBUNIT)
    cases, _ = subunit.read(SUBUNIT, "s.subunit", 100)
    assert [(case.name, case.outcome, round(case.seconds, 3), case.output) for case in cases] == [
        ("tests.T.test_ok", Outcome.PASSED, 0.25, ""),
        ("tests.T.test_bad", Outcome.FAILED, 0.25, BAD),
        ("tests.T.test_skip", Outcome.SKIPPED, 0.25, "not here"),
        ("tests.T.test_xfail", Outcome.PASSED, 0.25, ""),
        ("tests.T.test_lost", Outcome.ERROR, 0.0, ""),
    ]


def test_what_programs_print_between_packets_is_skipped_and_a_damaged_packet_too() -> None:
    assert len(subunit.read(b"noise \xb3 noise" + SUBUNIT + b"tail", "s", 100)[0]) == 5
    damaged = SUBUNIT.replace(b"AssertionError", b"AssertionErrxr")
    assert next(case for case in subunit.read(damaged, "s", 100)[0] if case.name.endswith("bad")).output == ""
    with pytest.raises(junit.Unreadable, match="it has no packet"):
        subunit.read(b"\xb3" * 50, "s", 100)


@given(st.binary(max_size=300), st.integers(0, len(SUBUNIT)))
def test_no_bytes_break_the_reader_of_packets(noise: bytes, at: int) -> None:
    found = list(subunit.packets(SUBUNIT[:at] + noise + SUBUNIT[at:]))
    assert len(found) <= len(SUBUNIT) // 8 + len(noise) // 8


def run(**outcomes: Outcome) -> TestRun:
    return TestRun(tuple(TestCase(name, outcome) for name, outcome in outcomes.items()))


def test_a_run_is_told_beside_the_one_before() -> None:
    failed, passed = Outcome.FAILED, Outcome.PASSED
    before = run(a=passed, b=failed, c=passed, d=failed, gone=passed)
    now = run(a=failed, b=passed, c=passed, d=failed, new=failed)
    compared = compare(now, before)
    names = [frozenset(one) for one in ("a", "b", "d", ["new"], ["gone"])]
    assert compared == Compared(*names)
    assert [(case.name, compared.mark(case)) for case in ordered(now, compared)] == [
        ("a", "newly failing"),
        ("new", "new"),
        ("d", "failed before, too"),
        ("b", "newly passing"),
        ("c", None),
    ]
    assert counts(now)[failed] == 3
    assert compare(now, None) == Compared()
