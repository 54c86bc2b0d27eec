# SPDX-License-Identifier: Apache-2.0
"""The first error of a log, by rules that are data: the line that a person looks for."""

from __future__ import annotations

import pytest

from gatebot import assets
from gatebot.errors import SettingsError
from gatebot.executor.errors_in_log import ErrorFinder, Rules, rules_from
from gatebot.executor.model import FoundError

SHIPPED = rules_from(assets.path("jobs", "log-errors.toml").read_text("utf-8"), "log-errors.toml")


def first(text: str, rules: Rules | None = None) -> FoundError:
    finder = ErrorFinder(rules or Rules(SHIPPED))
    for number, line in enumerate(text.splitlines(), 1):
        finder.feed(number, line)
    return finder.found()


STDIN = """\
    Traceback (most recent call last):
      File "<stdin>", line 3, in <module>
    ValueError: No bread
fatal: [node]: FAILED!
"""
TRACE = "Traceback (most recent call last):\n  File x\n    y\nKeyError: 'a'"


STESTR = """\
    Traceback (most recent call last):

      File "/home/job/shop.py", line 2, in price
    return {"bread": 3}[thing]
           ~~~~~~~~~~~~^^^^^^^
    KeyError: 'salt'
"""


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
        ("TASK [Build]\n    a.c:3:1: error: no\nfatal: [node]: FAILED!", 2, "a.c:3:1: error: no"),
        ("TASK [Test]\n    FAILED a.py\nfatal: [node]: FAILED!", 2, "FAILED a.py"),
        ("    FAILED is what it would say\nfatal: [node]: no", 2, "fatal: [node]: no"),
        ("fatal: [node]: FAILED! non-zero return code", 1, "fatal: [node]: FAILED! non-zero return code"),
        ("\x1b[31mfatal: [node]: red\x1b[0m", 1, "fatal: [node]: red"),
        ("0 errors, 0 failed\nconnection refused\nerror: it broke", 3, "error: it broke"),
        ("0 failed\nconnection refused\nbye", 2, "connection refused"),
        ("hello\nlast words\n\n", 2, "last words"),
        ("java.lang.IllegalStateException: no\n  at x", 1, "java.lang.IllegalStateException: no"),
    ],
)
def test_the_first_error_is_the_line_a_person_looks_for(text: str, line: int, found: str) -> None:
    assert first(text) == FoundError(line, found)


@pytest.mark.parametrize(
    "text, line",
    [
        (TRACE, 4),
        ("ERROR: Exception:\n" + TRACE, 5),
        ("FAIL: test_add (tests.Adding)\n-----------\n" + TRACE, 6),
        ("\n".join("    " + one for one in TRACE.splitlines()), 4),
        (STDIN, 3),
        (STESTR, 6),
        ("\n".join("E   " + one for one in TRACE.splitlines()), 4),
        ("\n".join("2026-11-28 09:00:00.123 12 ERROR nova.compute " + one for one in TRACE.splitlines()), 4),
        ("  + Exception Group Traceback (most recent call last):\n  |   File x\n  | ExceptionGroup: two", 3),
        ("\x1b[1mTraceback (most recent call last):\x1b[0m\n  File x\nKeyError: 'a'", 3),
    ],
    ids=["plain", "pip", "unittest", "indented", "stdin", "stestr", "pytest", "service", "group", "coloured"],
)
def test_of_a_traceback_the_exception_counts_and_never_its_header(text: str, line: int) -> None:
    found = first(text + "\nlater: error: other")
    assert (found.line, "Error" in found.text or "ExceptionGroup" in found.text) == (line, True)


def test_of_a_chain_of_exceptions_the_first_exception_counts() -> None:
    trace = "Traceback (most recent call last):\n  File a\nOSError: gone\n\nDuring handling of the above exception\n"
    assert first(trace + trace) == FoundError(3, "OSError: gone")


def test_what_a_failed_test_is_called_counts_where_no_traceback_follows() -> None:
    assert first("FAIL: a_test\none\ntwo\nthree\nfour\nfive\nfatal: x") == FoundError(1, "FAIL: a_test")


def test_a_services_dump_of_its_options_is_no_error() -> None:
    dump = "DEBUG oslo_service.service [-] logging_exception_prefix = ERROR nova.x log_opt_values /usr/lib/cfg.py:2600"
    assert first(f"{dump}\nall well\n") == FoundError(2, "all well")


def test_a_sites_own_rules_say_what_is_harmless_and_what_is_certain() -> None:
    own = rules_from(
        "[[rule]]\nname='flaky'\nkind='harmless'\npattern='^fatal: known'\n"
        "[[rule]]\nname='ours'\nkind='certain'\npattern='^BOOM '\n",
        "own.toml",
    )
    assert first("fatal: known\nBOOM here\nfatal: other", Rules((*own, *SHIPPED))) == FoundError(2, "BOOM here")


@pytest.mark.parametrize(
    "text, told",
    [
        ("[[rule]\n", "own.toml: Expected"),
        ("[[rule]]\nname='a'\nkind='certain'\n", "rule 1: write exactly name, kind and pattern"),
        ("[[rule]]\nname='a'\nkind='odd'\npattern='x'\n", "rule a: kind is one of certain"),
        ("[[rule]]\nname='a'\nkind='likely'\npattern='(?=x)'\n", "is no RE2 pattern"),
        ("[[rule]]\nname='a'\nkind='block'\npattern='x'\n", "a block needs a group"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_with_its_file(text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=r"own\.toml") as refused:
        rules_from(text, "own.toml")
    assert told in str(refused.value)


def test_an_empty_log_has_no_error() -> None:
    assert first("") == FoundError()
