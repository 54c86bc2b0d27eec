# SPDX-License-Identifier: Apache-2.0
"""What a fetch asks for: the ids of objects in a request, of either protocol, and how git says that it has one not.

Protocol 2 gives any object to whoever knows its id, so whoever guards objects looks at the wants of a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import Invalid

_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")


def wants(body: bytes) -> Iterator[str]:
    """The ids of `want ID` lines, of either protocol."""
    place = 0
    while place < len(body):
        if not _LENGTH.match(body, place):
            raise Invalid("This is not git's protocol.")
        length = int(body[place : place + 4], 16)
        line = body[place + 4 : place + max(length, 4)]
        if line.startswith(b"want "):
            yield line[5:].split(b" ")[0].split(b"\0")[0].strip().decode("ascii", "replace").lower()
        place += max(length, 4)


def not_ours(wanted: str) -> bytes:
    """What git says of an object that it does not have."""
    return refusal(f"not our ref {wanted}")


def refusal(why: str) -> bytes:
    """What git says when it does not go on."""
    line = f"ERR upload-pack: {why}"
    return f"{len(line) + 4:04x}{line}".encode()
