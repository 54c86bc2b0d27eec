# SPDX-License-Identifier: Apache-2.0
"""Changes of a text in git's configuration syntax that leave everything else of it as people wrote it.

Pure: a text in, a text out. Comments, order and spelling of what is not named stay; reading is in `syntax.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .syntax import header, logical_lines, parse, quoted


def with_values(text: str, section: str, subsection: str | None, name: str, values: Sequence[str]) -> str:
    """The text where an entry has these values and no others, in the place where it was or at the section's end."""
    file, _ = parse(text, "")
    place, opens = (section.lower(), subsection), _opens(text)
    old = {one.line for one in file.all(section, name, subsection)}
    lines = [f"\t{name} = {quoted(value)}" for value in values]
    kept: list[str] = []
    at: int | None = None
    here = False
    for number, written in logical_lines(text):
        opened = opens.get(number)
        if opened is not None:
            here = opened == place
        if number in old:
            if opened is not None:  # `[section] name = value` on one line
                kept.append(header(section, subsection))
            at = len(kept)
            continue
        kept.append(written)
        if here and written.strip():
            at = len(kept) if not old else at
    if at is None and lines:
        kept = [*_trimmed(kept), header(section, subsection)]
        at = len(kept)
    if at is not None:
        kept[at:at] = lines
    return _ended(kept)


def without_section(text: str, section: str, subsection: str | None = None) -> str:
    """The text without a section, however often it is opened."""
    place, opens, here = (section.lower(), subsection), _opens(text), False
    kept: list[str] = []
    for number, written in logical_lines(text):
        opened = opens.get(number)
        if opened is not None:
            here = opened == place
        if not here:
            kept.append(written)
    return _ended(kept)


def with_section(text: str, section: str, subsection: str | None, lines: Iterable[str]) -> str:
    """The text with a section of exactly these entries (`name = value`); none: without it."""
    left, entries = without_section(text, section, subsection), list(lines)
    if not entries:
        return left
    return _ended([*_trimmed(left.split("\n")), header(section, subsection), *(f"\t{one}" for one in entries)])


def _opens(text: str) -> dict[int, tuple[str, str | None]]:
    """The lines that open sections."""
    return {line: (name, sub) for name, sub, line in parse(text, "")[0].headers}


def _trimmed(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _ended(lines: list[str]) -> str:
    left = _trimmed(lines)
    return "\n".join(left) + "\n" if left else ""
