# SPDX-License-Identifier: Apache-2.0
"""The options of Gerrit's commands: `--name VALUE`, `--name=VALUE`, `-n VALUE`, in any order with what is named.

Pure. The sentences of refusals are those of Gerrit's own parser, which scripts look for.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .model import Failed

_NUMBER = re.compile(r"[+-]?[0-9]+")
HELP = "--help"


@dataclass(frozen=True, slots=True)
class Option:
    """One option; the first of its names is the one that is asked for. With `value` it takes one each time."""

    names: tuple[str, ...]
    value: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What was given: values by the option's first name, what is named without an option, and unknown options."""

    values: Mapping[str, tuple[str, ...]]
    rest: tuple[str, ...]
    others: tuple[tuple[str, str], ...] = ()

    def has(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.values.get(name, ("false",))[-1] != "false"

    def text(self, name: str, default: str = "") -> str:
        """The last value of an option."""
        return self.values.get(name, (default,))[-1]

    def all(self, name: str) -> tuple[str, ...]:
        """All values of an option, in their order."""
        return self.values.get(name, ())

    def number(self, name: str, default: int = 0) -> int:
        """The last value of an option, a whole number that is not negative."""
        given = self.text(name, str(default))
        if not (given.isascii() and given.isdecimal() and len(given) < 10):
            raise Failed(f'fatal: "{given}" is not a valid value for "{name}"')
        return int(given)


def read(options: Sequence[Option], words: Sequence[str], *, others: bool = False, minus: bool = False) -> Given:
    """Sort the words of a command.

    With `others` an unknown `--name` is kept, with the number behind it; with `minus` an unknown `-word` is no option.
    """
    by_name = {name: option for option in options for name in option.names}
    values: dict[str, list[str]] = {}
    rest: list[str] = []
    unknown: list[tuple[str, str]] = []
    left = deque(words)
    while left:
        word = left.popleft()
        if word == "--":
            rest += left
            break
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        name, equals, attached = word.partition("=")
        option = by_name.get(name)
        if name in (HELP, "-h") and option is None:
            values.setdefault(HELP, []).append("true")
        elif option is None:
            if minus and not word.startswith("--"):
                rest.append(word)
            elif others and word.startswith("--"):
                value = attached if equals else left.popleft() if left and _NUMBER.fullmatch(left[0]) else ""
                unknown.append((name.removeprefix("--"), value))
            else:
                raise Failed(f'fatal: "{name}" is not a valid option')
        elif not option.value:
            values.setdefault(option.names[0], []).append(attached.lower() if equals else "true")
        elif equals or left:
            values.setdefault(option.names[0], []).append(attached if equals else left.popleft())
        else:
            raise Failed(f'fatal: Option "{name}" takes an operand')
    return Given({name: tuple(those) for name, those in values.items()}, tuple(rest), tuple(unknown))


def score(name: str, text: str) -> int:
    """The value of a vote that an option gives; `name` is how it was written."""
    if not text:
        raise Failed(f'fatal: Option "{name}" takes an operand')
    if not (_NUMBER.fullmatch(text) and len(text) < 7):
        raise Failed(f'fatal: "{text[:40]}" is not a valid value for "{name}"')
    return int(text)


def usage(command: str, named: str, options: Sequence[Option]) -> str:
    """What `--help` says."""
    head = f"{command} {named}".rstrip() + " [OPTIONS]"
    shown = [f" {' '.join([*option.names, option.value]).rstrip()} : {option.about}" for option in options]
    return "\n".join([head, "", *shown, f" {HELP} (-h) : display this help text", ""])
