# SPDX-License-Identifier: Apache-2.0
"""What the log of a service or command says is wrong: the one line that people have to read first.

Pure. Only what ended is asked, so the last error counts: what came before, the service survived.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: `2026-11-28 12:54:21.123 4711 ERROR nova.compute.manager [...] message`, by oslo.log.
_LOGGED = re.compile(r"^\S+ \S+ \d+ (?:ERROR|CRITICAL) (?P<where>\S+) (?P<told>.*)$")
#: The dump of all options at a service's start has names like `logging_exception_prefix`.
_OPTIONS = re.compile(r" log_opt_values |Options:")
_EXCEPTION = re.compile(r"^(?P<told>(?:\w+\.)*\w*(?:Error|Exception|Exit|NotFound|Failed|Refused|Invalid\w*)\b.*)$")
_SAID = re.compile(r"(?i)^(?P<told>.*(?:\berror\b|\bfatal\b|\bfailed\b|no such|cannot ).*)$")
_LONGEST = 400


def why(lines: Sequence[str]) -> str:
    """The line; the last one that is not empty where none looks like an error."""
    wanted = [line.rstrip() for line in lines if line.strip() and not _OPTIONS.search(line)]
    for pattern in (_EXCEPTION, _LOGGED, _SAID):
        for line in reversed(wanted):
            found = pattern.match(_bare(line) if pattern is _EXCEPTION else line)
            if found is not None:
                return found["told"].strip()[:_LONGEST]
    return wanted[-1].strip()[:_LONGEST] if wanted else ""


def _bare(line: str) -> str:
    """A line of a traceback without what oslo.log puts before each."""
    found = _LOGGED.match(line)
    return found["told"].strip() if found is not None else line
