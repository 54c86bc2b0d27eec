# SPDX-License-Identifier: Apache-2.0
"""The first error of a log, found while the log is written.

Pure rules over single lines with a little memory. Most failing logs name their cause in the first line that
one of these rules knows; a rule is certain (it is an error wherever it stands) or likely (used when no
certain one matched). Nothing here knows files.
"""

from __future__ import annotations

import re

from .model import FoundError

_LONGEST = 400  # an error is shown in one line of a page

_CERTAIN = re.compile(
    r"""
      ^E\s{2,}\S                                  # pytest's explanation of an assertion
    | ^[^\s:]+:\d+(?::\d+)?:\ (?:fatal\ )?error:  # compilers and type checkers
    | ^\s*error(?:\[\w+\])?:\s\S                  # git, rustc, pip, linters
    | ^fatal:\s                                   # git, Ansible
    | ^(?:FAIL|FAILED|ERROR):?\s+\S               # unittest, pytest's summary, tox
    | ^not\ ok\ \d+                               # TAP
    | ^---\ FAIL:                                 # Go
    | ^make(?:\[\d+\])?:\ \*\*\*\s                # make
    | ^npm\ (?:ERR!|error)\s
    | :\ (?:line\ )?\d*:?\s*[\w./+-]+:\ (?:command\ )?not\ found$
    | ^(?:bash|sh|dash|env):\s.*(?:No\ such\ file|not\ found|Permission\ denied)
    | Segmentation\ fault
    | ^thread\ '.*'\ panicked\ at
    | ^panic:\s
    """,
    re.VERBOSE,
)
_LIKELY = re.compile(
    r"""\b(?:error|failed|failure|exception|cannot|refused|denied|undefined\ reference|no\ such\ file)\b""",
    re.VERBOSE | re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"\b(?:0|no) (?:errors?|failed|failures?)\b|\b(?:errors?|failed|failures?)[=:] ?0\b", re.IGNORECASE
)
_TRACE = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above", "The above exception was")


class ErrorFinder:
    """Reads a log line by line and remembers its first error."""

    def __init__(self) -> None:
        self._certain: FoundError | None = None
        self._likely: FoundError | None = None
        self._last = FoundError()
        self._in_trace = False

    def feed(self, number: int, text: str) -> bool:
        """Read one line (`number` counts from 1). True when it is the first certain error."""
        text = text.rstrip()
        if not text.strip():
            return False
        self._last = FoundError(number, text[:_LONGEST].strip())
        if self._certain is not None:
            return False
        if self._in_trace and not text[0].isspace():
            self._in_trace = False
            if not text.startswith(_CHAINED):
                self._certain = self._last
                return True
        if text.endswith(_TRACE):
            self._in_trace = True
        elif _CERTAIN.search(text) and not _HARMLESS.search(text):
            self._certain = self._last
            return True
        elif self._likely is None and _LIKELY.search(text) and not _HARMLESS.search(text):
            self._likely = self._last
        return False

    def found(self) -> FoundError:
        """The first certain error, else the first likely one, else the last line: something failed there."""
        return self._certain or self._likely or self._last
