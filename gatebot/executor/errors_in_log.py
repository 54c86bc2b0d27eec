# SPDX-License-Identifier: Apache-2.0
"""The first error of a log, found while the log is written, by rules that are data (`jobs/log-errors.toml`).

Pure. All rules are asked of a line at once. Most failing logs name their cause in the first line that a rule knows; of
a traceback the exception is meant, which stands where the indented text ends. Nothing here knows files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import re2

from ..errors import SettingsError
from .model import FoundError

_LONGEST = 400  # an error is shown in one line of a page
_LOOKED_AT = 2000  # characters of a line that rules see
_EXCEPTION = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit)(?::|$)")
_TASK, _MARGIN = "TASK [", "    "  # what tasks of playbooks print stands behind a margin
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_NEAR = 4  # lines after a heading in which its block begins
_LONGEST_BLOCK = 500


class Kind(StrEnum):
    """What a match of a rule means."""

    CERTAIN = "certain"
    HEADING = "heading"
    BLOCK = "block"
    LIKELY = "likely"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the file."""

    name: str
    kind: Kind
    pattern: str


def rules_from(text: str, where: str) -> tuple[Rule, ...]:
    """The rules of a file. Raises `SettingsError` that names the file, the rule and what is wrong."""
    try:
        written: object = tomllib.loads(text).get("rule", [])
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: {error}. Write [[rule]] with name, kind and pattern.") from None
    rules: list[Rule] = []
    listed = cast("list[object]", written) if isinstance(written, list) else [written]
    for number, given in enumerate(listed, 1):
        one = cast("dict[str, object]", given) if isinstance(given, dict) else dict[str, object]()
        name, kind, pattern = (one.get(key) for key in ("name", "kind", "pattern"))
        if not (isinstance(name, str) and isinstance(pattern, str) and set(one) == {"name", "kind", "pattern"}):
            raise SettingsError(f"{where}: rule {number}: write exactly name, kind and pattern, all texts.")
        if kind not in set(Kind):
            raise SettingsError(f"{where}: rule {name}: kind is one of {', '.join(Kind)}.")
        groups = _compiled(pattern, f"{where}: rule {name}").groups
        if kind == Kind.BLOCK and not groups:
            raise SettingsError(
                f"{where}: rule {name}: a block needs a group, at whose column the counting line begins."
            )
        rules.append(Rule(name, Kind(str(kind)), pattern))
    return tuple(rules)


def _compiled(pattern: str, where: str) -> re.Pattern[str]:
    try:
        return cast("re.Pattern[str]", re2.compile(pattern))  # pyright: ignore[reportUnknownMemberType]
    except re2.error as error:  # pyright: ignore
        raise SettingsError(f"{where}: {pattern!r} is no RE2 pattern ({error}).") from None  # pyright: ignore


class Rules:
    """Rules made ready; one for all logs."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._blocks = [_compiled(rule.pattern, rule.name) for rule in self._rules if rule.kind is Kind.BLOCK]
        self._all: Any = re2.Set.SearchSet()  # pyright: ignore  # the library has no types
        for rule in self._rules:
            self._all.Add(rule.pattern)
        self._all.Compile()

    def kinds(self, text: str) -> frozenset[Kind]:
        """Of which kinds the rules are that a line matches."""
        found: list[int] | None = self._all.Match(text[:_LOOKED_AT]) if self._rules else None
        return frozenset(self._rules[index].kind for index in found) if found else frozenset()

    def column(self, text: str) -> int:
        """Where the text of a block begins."""
        found = (block.search(text[:_LOOKED_AT]) for block in self._blocks)
        return next((match.start(1) for match in found if match is not None), 0)


class ErrorFinder:
    """Reads a log line by line and remembers its first error, and its last line."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._certain: FoundError | None = None
        self._heading: FoundError | None = None
        self._likely: FoundError | None = None
        self.last = FoundError()
        self._column: int | None = None
        self._began = 0
        self._source = False
        self._tasks = False

    def feed(self, number: int, text: str) -> bool:
        """Read one line (`number` counts from 1). True when it is the first certain error."""
        text = (_COLOURS.sub("", text) if "\x1b" in text else text).rstrip()
        if not text.strip():
            return False
        self.last = FoundError(number, text[:_LONGEST].strip())
        if self._certain is not None:
            return False
        if self._column is not None and number - self._began <= _LONGEST_BLOCK:
            return self._in_block(text, self._column)
        return self._outside(number, text)

    def _kinds(self, text: str) -> frozenset[Kind]:
        """Of which kinds a line is; what a task printed is read as if a script had printed it."""
        self._tasks = self._tasks or text.startswith(_TASK)
        if self._tasks and text.startswith(_MARGIN):
            text = text.removeprefix(_MARGIN)
        return self._rules.kinds(text)

    def _in_block(self, text: str, column: int) -> bool:
        """Whether a line ends the indented text, and so is the one that counts.

        Some programs lose the indentation of source lines: what stands below `File "..."`, and marks, never count. Of
        programs that are in no file (`python3 -c`) the exception stands there.
        """
        told = text.strip()
        source = self._source and _EXCEPTION.match(told) is None
        self._source = told.startswith('File "')
        if len(text) <= column or text[column].isspace() or source or not set(told) - set("~^ "):
            return False
        self._certain, self._column = self.last, None
        return True

    def _outside(self, number: int, text: str) -> bool:
        kinds = self._kinds(text)
        if Kind.BLOCK in kinds:
            self._column, self._began = self._rules.column(text), number
            return False
        if self._heading is not None and number - self._heading.line > _NEAR:
            self._certain = self._heading
            return False
        if not kinds or Kind.HARMLESS in kinds:
            return False
        if Kind.CERTAIN in kinds:
            self._certain = self._heading or self.last
            return self._heading is None
        if Kind.HEADING in kinds:
            self._heading = self._heading or self.last
        elif self._likely is None:
            self._likely = self.last
        return False

    def found(self) -> FoundError:
        """The first error, else the last line."""
        return self.named() if self._certain or self._heading or self._likely else self.last

    def named(self) -> FoundError:
        """The first certain error, else what was named, else the first likely one."""
        return self._certain or self._heading or self._likely or FoundError()
