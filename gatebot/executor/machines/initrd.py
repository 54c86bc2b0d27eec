# SPDX-License-Identifier: Apache-2.0
"""The archive that a kernel unpacks into memory and starts from: format `newc` of cpio.

Pure: from names and contents to bytes, always the same bytes for the same files.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping

_DIRECTORY, _FILE = 0o040755, 0o100755


def archive(files: Mapping[str, bytes]) -> bytes:
    """All files, executable, with the directories that they are in."""
    directories = sorted({parent for name in files for parent in _parents(name)})
    entries = [(name, _DIRECTORY, b"") for name in directories]
    entries += [(name, _FILE, content) for name, content in files.items()]
    written = b"".join(_entry(number, *one) for number, one in enumerate(entries, 1))
    return gzip.compress(written + _entry(0, "TRAILER!!!", 0, b""), 6, mtime=0)


def _parents(name: str) -> Iterator[str]:
    parts = name.split("/")[:-1]
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def _entry(number: int, name: str, mode: int, content: bytes) -> bytes:
    told = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(told), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + told
    return _padded(head) + _padded(content)


def _padded(piece: bytes) -> bytes:
    return piece + b"\0" * (-len(piece) % 4)
