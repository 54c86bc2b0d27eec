# SPDX-License-Identifier: Apache-2.0
"""Reads test results as JUnit writes them: XML, by an event parser, so that no tree of a stranger's file is built.

Pure. A file with a document type is refused before anything in it is expanded; texts are cut.
"""

from __future__ import annotations

from xml.parsers import expat

from .model import Outcome, TestCase

MOST_OUTPUT = 8_000
_LONGEST_NAME = 500
_KINDS = {"failure": Outcome.FAILED, "error": Outcome.ERROR, "skipped": Outcome.SKIPPED}
_SAID = {"failure", "error", "skipped", "system-out", "system-err"}


class Unreadable(Exception):
    """The file is no such file; the message says why, in a few words."""


class _Reader:
    def __init__(self, file: str, most: int) -> None:
        self.cases: list[TestCase] = []
        self.cut = False
        self._file = file
        self._most = most
        self._open: list[str] = []
        self._name = ""
        self._seconds = 0.0
        self._outcome = Outcome.PASSED
        self._said: list[str] = []
        self._length = 0

    def start(self, tag: str, given: dict[str, str]) -> None:
        """An element begins."""
        if not self._open and tag not in ("testsuite", "testsuites"):
            raise Unreadable("its root is no testsuite")
        self._open.append(tag)
        if len(self._open) > 50:
            raise Unreadable("it is nested too deeply")
        if tag == "testcase":
            names = (given.get("classname", ""), given.get("name", ""))
            self._name = ".".join(part for part in names if part)[:_LONGEST_NAME] or "?"
            self._seconds = _seconds(given.get("time", ""))
            self._outcome, self._said, self._length = Outcome.PASSED, [], 0
        elif tag in _KINDS and "testcase" in self._open:
            if self._outcome is Outcome.PASSED:
                self._outcome = _KINDS[tag]
            self._say(f"{message}\n" if (message := given.get("message", "")) else "")

    def text(self, text: str) -> None:
        """Characters inside an element."""
        if self._open and self._open[-1] in _SAID:
            self._say(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        self._open.pop()
        if tag in _SAID:
            self._say("\n")
        if tag != "testcase":
            return
        if len(self.cases) >= self._most:
            self.cut = True
            return
        output = "" if self._outcome is Outcome.PASSED else "".join(self._said).strip()
        self.cases.append(TestCase(self._name, self._outcome, self._seconds, output, self._file))

    def _say(self, text: str) -> None:
        room = MOST_OUTPUT - self._length
        if text and room > 0:
            self._said.append(text[:room])
            self._length += len(text)


def _seconds(text: str) -> float:
    try:
        found = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return found if 0 <= found < 1e7 else 0.0


def looks_so(data: bytes) -> bool:
    """Whether a file may be one of these, by its beginning."""
    return b"<testsuite" in data[:4096]


def read(data: bytes, file: str, most: int) -> tuple[list[TestCase], bool]:
    """The tests of a file, at most so many; whether there are more. Raises `Unreadable`."""
    reader = _Reader(file, most)
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise Unreadable("it has a document type, which test results have no use for")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Unreadable(f"it is no XML: {error}") from None
    return reader.cases, reader.cut
