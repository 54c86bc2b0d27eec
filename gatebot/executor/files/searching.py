# SPDX-License-Identifier: Apache-2.0
"""Finds a text in the lines of a file that comes in blocks, however large it is.

Pure: a block after the other, none kept. Letters A to Z are found in both cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .model import Found, FoundLine

_LONGEST_LINE = 1024 * 1024
_SHOWN = 400


def search(
    blocks: Iterable[bytes], first: int, wanted: str, most: int, goes_on: Callable[[], bool] = lambda: True
) -> Found:
    """The lines that hold a text; `first` is the number of the first line of the blocks."""
    needle = wanted.lower().encode()
    lines: list[FoundLine] = []
    number, rest = first, b""
    for block in blocks:
        if not goes_on():
            return Found(tuple(lines), number)
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if not newline and len(rest) > _LONGEST_LINE:
            whole, rest = rest, b""
        data = whole + newline
        lines += _in(data, number, needle, most - len(lines))
        if len(lines) >= most:
            return Found(tuple(lines), lines[-1].number + 1)
        number += data.count(b"\n")
    lines += _in(rest, number, needle, most - len(lines))
    return Found(tuple(lines))


def _in(data: bytes, number: int, needle: bytes, most: int) -> list[FoundLine]:
    lowered, found, place, counted = data.lower(), list[FoundLine](), 0, 0
    while len(found) < most and (at := lowered.find(needle, place)) >= 0:
        start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
        end = end if end >= 0 else len(data)
        number += data.count(b"\n", counted, start)
        counted, place = start, end
        found.append(
            FoundLine(
                number,
                data[max(start, at - _SHOWN // 2) if at - start > _SHOWN // 2 else start : end][:_SHOWN].decode(
                    "utf-8", "replace"
                ),
            )
        )
        if end == len(data):
            break
    return found
