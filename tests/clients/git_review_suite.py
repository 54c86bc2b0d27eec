# SPDX-License-Identifier: Apache-2.0
"""Runs git-review's own functional tests, unmodified, in git-review's environment and in the current directory.

    python git_review_suite.py [PART OF PARTS] [TEST ...]

Where the suite finds a Gerrit there is `stand_in_gerrit.py`. One line of JSON is printed for each test: its name, and
what went wrong. With `0 2`, every second test is run, from the first on.
"""

from __future__ import annotations

import json
import sys
import unittest

from git_review.tests import test_git_review  # type: ignore[import-untyped]


class Told(unittest.TestResult):
    """Prints how each test ended."""

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._tell(test, "")

    def addError(self, test: unittest.TestCase, err: object = None, details: object = None) -> None:
        self._tell(test, str(err or _text(details)))

    addFailure = addError

    def addSkip(self, test: unittest.TestCase, reason: str = "", details: object = None) -> None:
        self._tell(test, f"skipped: {reason or _text(details)}")

    def _tell(self, test: unittest.TestCase, wrong: str) -> None:
        print(json.dumps({"test": name_of(test), "wrong": wrong}), flush=True)


def _text(details: object) -> str:
    """What testtools has collected of a failure, without the attached files."""
    parts = [content.as_text() for name, content in dict(details or {}).items() if name.startswith("traceback")]
    return "\n".join(parts) or str(details)


def name_of(test: unittest.TestCase) -> str:
    """`GitReviewTestCase.git_review_s`."""
    return f"{type(test).__name__}.{test.id().rpartition('.')[2].removeprefix('test_')}"


def tests(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    """All tests of a suite, those of suites within it too."""
    found: list[unittest.TestCase] = []
    for one in suite:
        found += tests(one) if isinstance(one, unittest.TestSuite) else [one]
    return found


def main() -> None:
    """Run the tests that are asked for."""
    part, parts, *names = sys.argv[1:] or ["0", "1"]
    every = tests(unittest.TestLoader().loadTestsFromModule(test_git_review))
    wanted = [test for test in every if not names or name_of(test) in names][int(part) :: int(parts)]
    unittest.TestSuite(wanted).run(Told())


if __name__ == "__main__":
    main()
