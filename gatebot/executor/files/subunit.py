# SPDX-License-Identifier: Apache-2.0
"""Reads test results as stestr and testtools write them: the packets of subunit, version 2.

Pure. Sizes in a packet are believed only as far as the packet reaches, its checksum must fit, and what stands between
packets (output of programs) is skipped, as the format asks for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from .junit import MOST_OUTPUT, Unreadable
from .model import Outcome, TestCase

_SIGNATURE = 0xB3
#: The longest packet that the format allows.
LONGEST = 4 * 1024 * 1024
_TEST, _ROUTE, _TIME, _TAGS, _CONTENT, _MIME = 0x800, 0x400, 0x200, 0x080, 0x040, 0x020
_STATUS = {
    3: Outcome.PASSED,
    4: Outcome.FAILED,  # an unexpected success
    5: Outcome.SKIPPED,
    6: Outcome.FAILED,
    7: Outcome.PASSED,  # an expected failure
}
_BEGAN = 2


@dataclass(slots=True)
class Packet:
    """One event; `status` 0: none, `at` None: no time."""

    test: str = ""
    status: int = 0
    at: float | None = None
    name: str = ""
    mime: str = ""
    content: bytes = b""


@dataclass(slots=True)
class _Open:
    began: float | None = None
    said: list[str] = field(default_factory=list[str])
    length: int = 0


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def number(self) -> int:
        """A number of one to four bytes; the first two bits say how many."""
        length = (self.take(1, move=False)[0] >> 6) + 1
        return int.from_bytes(self.take(length), "big") & ((1 << (8 * length - 2)) - 1)

    def text(self) -> str:
        """A text with its length before it."""
        return self.take(self.number()).decode("utf-8", "replace")

    def take(self, length: int, *, move: bool = True) -> bytes:
        """So many bytes."""
        found = self.data[self.place : self.place + length]
        if len(found) < length:
            raise ValueError("cut off")
        self.place += length if move else 0
        return found


def looks_so(data: bytes) -> bool:
    """Whether a file may be one of these: its first packet is whole."""
    return data[:1] == bytes((_SIGNATURE,)) and next(packets(data[: LONGEST + 1]), None) is not None


def packets(data: bytes) -> Iterator[Packet]:
    """The packets of a file that are whole."""
    place = 0
    while (place := data.find(_SIGNATURE, place)) >= 0:
        try:
            cursor = _Cursor(data[place + 3 : place + 7])
            length = cursor.number()
            body = data[place : place + length]
            whole = 8 <= length <= LONGEST and len(body) == length and data[place + 1] >> 4 == 2
            if not whole or zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "big"):
                raise ValueError("no packet")
            yield _packet(int.from_bytes(body[1:3], "big"), _Cursor(body[3 + cursor.place : -4]))
        except (ValueError, IndexError):
            place += 1
        else:
            place += length


def _packet(flags: int, cursor: _Cursor) -> Packet:
    packet = Packet(status=flags & 7)
    if flags & _TIME:
        seconds = int.from_bytes(cursor.take(4), "big")
        packet.at = seconds + cursor.number() / 1e9
    if flags & _TEST:
        packet.test = cursor.text()[:500]
    if flags & _TAGS:
        for _ in range(cursor.number()):
            cursor.text()
    if flags & _MIME:
        packet.mime = cursor.text()
    if flags & _CONTENT:
        packet.name = cursor.text()
        packet.content = cursor.take(cursor.number())
    return packet


def read(data: bytes, file: str, most: int) -> tuple[list[TestCase], bool]:
    """The tests of a file, at most so many; whether there are more. Raises `Unreadable` when it has none."""
    open_tests: dict[str, _Open] = {}
    cases: list[TestCase] = []
    seen = False
    for packet in packets(data):
        seen = True
        if not packet.test:
            continue
        if packet.test not in open_tests and len(open_tests) + len(cases) >= most:
            return cases, True
        one = open_tests.setdefault(packet.test, _Open())
        if packet.status == _BEGAN:
            one.began = packet.at
        if packet.content and not packet.mime.startswith(("image/", "application/octet")) and one.length < MOST_OUTPUT:
            text = packet.content[: MOST_OUTPUT - one.length].decode("utf-8", "replace")
            one.said.append(text)
            one.length += len(text)
        if (outcome := _STATUS.get(packet.status)) is not None:
            del open_tests[packet.test]
            seconds = max(packet.at - one.began, 0.0) if packet.at is not None and one.began is not None else 0.0
            output = "" if outcome is Outcome.PASSED else "".join(one.said).strip()
            cases.append(TestCase(packet.test, outcome, seconds, output, file))
    if not seen:
        raise Unreadable("it has no packet")
    lost = [TestCase(name, Outcome.ERROR, 0.0, "".join(one.said).strip(), file) for name, one in open_tests.items()]
    return [*cases, *lost], False
