# SPDX-License-Identifier: Apache-2.0
"""git's configuration syntax: text in, entries with line numbers out, and every line that cannot be read.

Pure. What git and Gerrit read the same way: sections with a name in quotes or after a dot, comments,
quoted values, escapes, lines that go on after a backslash. Includes are only entries here.
"""

from __future__ import annotations

import re

from ...reasons import reason
from .model import ConfigFile, Entry, Trouble

_HEADER = re.compile(r'\[\s*([A-Za-z0-9.-]+?)(?:\.([^"\s\]]+)|\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", '"': '"', "\\": "\\"}


def parse(text: str, file: str) -> tuple[ConfigFile, tuple[Trouble, ...]]:
    """The entries of a text, and all lines that are none."""
    entries: list[Entry] = []
    headers: list[tuple[str, str | None, int]] = []
    troubles: list[Trouble] = []
    section: tuple[str, str | None] | None = None
    for number, line in _joined(text.removeprefix("\ufeff")):
        rest = line.strip()
        if rest.startswith("["):
            header = _HEADER.match(rest)
            if header is None:
                troubles.append(Trouble(file, number, reason("review.config-header", text=_short(rest))))
                section = None
                continue
            section = _section(header)
            headers.append((*section, number))
            rest = rest[header.end() :].lstrip()
        if not rest or rest[0] in "#;":
            continue
        entry = _entry(rest, section, number)
        if entry is None:
            why = "review.config-line" if section else "review.config-outside"
            troubles.append(Trouble(file, number, reason(why, text=_short(rest))))
        else:
            entries.append(entry)
    return ConfigFile(file, tuple(entries), tuple(headers)), tuple(troubles)


def _joined(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers; one that ends in a backslash goes on in the next."""
    found: list[tuple[int, str]] = []
    going = False
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        if going:
            start, before = found[-1]
            found[-1] = (start, before + line)
        else:
            found.append((number, line))
        backslashes = len(line) - len(line.rstrip("\\"))
        going = backslashes % 2 == 1 and not line.lstrip().startswith(("#", ";"))
        if going:
            start, before = found[-1]
            found[-1] = (start, before[:-1])
    return found


def _section(header: re.Match[str]) -> tuple[str, str | None]:
    name, dotted, quoted = header.groups()
    if quoted is not None:
        return name.lower(), re.sub(r"\\(.)", r"\1", quoted)
    return name.lower(), dotted.lower() if dotted is not None else None


def _entry(text: str, section: tuple[str, str | None] | None, line: int) -> Entry | None:
    name = _NAME.match(text)
    if section is None or name is None:
        return None
    rest = text[name.end() :].lstrip()
    if not rest or rest[0] in "#;":
        return Entry(*section, name[0].lower(), None, line, name[0])
    if not rest.startswith("="):
        return None
    value = _value(rest[1:])
    return None if value is None else Entry(*section, name[0].lower(), value, line, name[0])


def _value(text: str) -> str | None:
    """A value without quotes, escapes and comment; None when a quote stays open or an escape is unknown."""
    found: list[str] = []
    kept = 0  # how much of it blanks at the end may not be cut from
    quoted = False
    letters = iter(text.strip())
    for letter in letters:
        if letter == "\\":
            escaped = _ESCAPES.get(next(letters, ""))
            if escaped is None:
                return None
            found.append(escaped)
            kept = len(found)
        elif letter == '"':
            quoted = not quoted
            kept = len(found)
        elif letter in "#;" and not quoted:
            break
        else:
            found.append(letter)
            kept = len(found) if quoted or not letter.isspace() else kept
    return None if quoted else "".join(found[:kept])


def logical_lines(text: str) -> list[tuple[int, str]]:
    """The lines as they are written, with their numbers; those that go on in the next are one."""
    written = text.split("\n")
    starts = [number for number, _ in _joined(text)]
    ends = [*(number - 1 for number in starts[1:]), len(written)]
    return [(start, "\n".join(written[start - 1 : end])) for start, end in zip(starts, ends, strict=True)]


def quoted(value: str) -> str:
    """A value as a file has it: in quotes where it needs them."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    bare = not value or value != value.strip() or any(letter in value for letter in '#;"\\\n\t')
    return f'"{escaped}"' if bare else value


def header(section: str, subsection: str | None = None) -> str:
    """The line that opens a section."""
    if subsection is None:
        return f"[{section}]"
    escaped = subsection.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{section} "{escaped}"]'


def truth(value: str | None) -> bool | None:
    """A value that says yes or no, as git reads it; None for any other."""
    if value is None:
        return True
    word = value.lower()
    if word in ("true", "yes", "on", "1"):
        return True
    return False if word in ("false", "no", "off", "0", "") else None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
