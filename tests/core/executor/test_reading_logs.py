# SPDX-License-Identifier: Apache-2.0
"""What is found in logs (the first error) and what is kept out of them (secrets)."""

from __future__ import annotations

import base64

import pytest

from gatebot.executor.errors_in_log import ErrorFinder
from gatebot.executor.model import FoundError
from gatebot.executor.scrub import Scrubber


def first(text: str) -> FoundError:
    finder = ErrorFinder()
    for number, line in enumerate(text.splitlines(), 1):
        finder.feed(number, line)
    return finder.found()


@pytest.mark.parametrize(
    "text, line, found",
    [
        ("ok\nE       assert 3 == 4\nmore", 2, "E       assert 3 == 4"),
        ("a.c:3:1: error: expected ';'\nmake: *** [all] Error 1", 1, "a.c:3:1: error: expected ';'"),
        ("cc\nmake[1]: *** [x] Error 2", 2, "make[1]: *** [x] Error 2"),
        ("fatal: not a git repository", 1, "fatal: not a git repository"),
        ("./run.sh: line 2: pytset: command not found", 1, "./run.sh: line 2: pytset: command not found"),
        ("./run.sh: 2: pytset: not found", 1, "./run.sh: 2: pytset: not found"),
        ("FAILED tests/test_a.py::test_b - ValueError", 1, "FAILED tests/test_a.py::test_b - ValueError"),
        ("not ok 3 - adds", 1, "not ok 3 - adds"),
        ("fatal: [node]: FAILED! non-zero return code", 1, "fatal: [node]: FAILED! non-zero return code"),
        ("Traceback (most recent call last):\n  File x\n    y\nKeyError: 'a'", 4, "KeyError: 'a'"),
        ("0 errors, 0 failed\nconnection refused\nerror: it broke", 3, "error: it broke"),
        ("0 failed\nconnection refused\nbye", 2, "connection refused"),
        ("hello\nlast words\n\n", 2, "last words"),
    ],
)
def test_the_first_error_is_the_line_a_person_looks_for(text: str, line: int, found: str) -> None:
    assert first(text) == FoundError(line, found)


def test_of_a_chain_of_exceptions_the_first_exception_counts() -> None:
    trace = "Traceback (most recent call last):\n  File a\nOSError: gone\n\nDuring handling of the above exception\n"
    assert first(trace + trace) == FoundError(3, "OSError: gone")


def test_an_empty_log_has_no_error() -> None:
    assert first("") == FoundError()


def test_secret_values_are_covered_in_every_spelling() -> None:
    scrub = Scrubber({"demo/api": {"token": "s3cret&value", "key": "line one\nline two", "pin": 123456}})
    told = b"a s3cret&value b line two c 123456 d s3cret%26value e " + base64.b64encode(b"s3cret&value")
    assert scrub(told).rstrip(b"=") == b"a ***** b ***** c ***** d ***** e *****"


def test_short_values_and_no_values_leave_the_text_alone() -> None:
    assert Scrubber({"p": {"a": "abc", "b": True}})(b"abc True") == b"abc True"
    assert Scrubber({})(b"anything") == b"anything"


def test_a_secret_inside_a_longer_base64_text_is_covered() -> None:
    scrub = Scrubber({"login": {"password": "s3cret-value"}})
    for before in (b"a", b"ab", b"abc", b"admin:"):
        for after in (b"", b"x", b"xy"):
            encoded = base64.b64encode(before + b"s3cret-value" + after)
            told = scrub(b"header: " + encoded)
            assert b"*****" in told, (before, after)
            assert len(told) < len(encoded), "no more than two letters at each end may be left"
