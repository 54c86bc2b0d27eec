# SPDX-License-Identifier: Apache-2.0
"""The one file that SSH gives out: `hooks/commit-msg`, by the old protocol of scp and by SFTP, which new ones speak.

There is no file system behind it. The library's SFTP server would serve the machine's own, so all of its calls are
refused here by default, also those that a later version of it may bring; a few are then given back for the one file.
"""

from __future__ import annotations

import stat
from collections.abc import Awaitable, Callable
from typing import Any

from asyncssh import SFTPAttrs, SFTPNoSuchFile, SFTPPermissionDenied, SFTPServer

from ..git_http import COMMIT_MSG
from .model import Failed

_NAME = "hooks/commit-msg"
_MODE = 0o755
_FLAGS = frozenset("fvpqdr")
_MOST_OPEN = 16


def scp_source(words: tuple[str, ...]) -> str | None:
    """The file that `scp -f` asks for; None when the words are no such command."""
    if not words or words[0] != "scp":
        return None
    flags = [word for word in words[1:] if word.startswith("-")]
    named = [word for word in words[1:] if not word.startswith("-")]
    if not any("f" in flag for flag in flags) or any(set(flag[1:]) - _FLAGS - {"-"} for flag in flags):
        raise Failed("fatal: scp: this server only gives files out (scp -f)")
    if len(named) != 1:
        raise Failed("fatal: scp: exactly one file can be fetched")
    return named[0].lstrip("/").removeprefix("./")


async def send(name: str, read: Callable[[int], Awaitable[bytes]], write: Callable[[bytes], Awaitable[None]]) -> int:
    """Send a file as scp's source does: its mode, size and name, then its bytes, each when the other side is ready."""
    await read(1)
    if name != _NAME:
        await write(f"\x01scp: {name}: No such file or directory\n".encode("utf-8", "replace"))
        return 1
    content = COMMIT_MSG.read_bytes()
    await write(f"C{_MODE:04o} {len(content)} commit-msg\n".encode())
    await read(1)
    await write(content + b"\0")
    await read(1)
    return 0


def _refuse(*_: object, **__: object) -> Any:
    raise SFTPPermissionDenied("This server only gives out hooks/commit-msg.")


_HARMLESS = frozenset(
    {"channel", "connection", "env", "logger", "format_user", "format_group", "format_longname", "convert_attrs"}
)
_Refusing = type(
    "_Refusing",
    (SFTPServer,),
    {name: _refuse for name in dir(SFTPServer) if not name.startswith("_") and name not in _HARMLESS},
)


class HookFiles(_Refusing):
    """SFTP that knows one file, to be read; so many times at once, because the library keeps whatever is open."""

    _open = 0

    def realpath(self, path: bytes) -> bytes:
        """Every path, from the only directory that there is."""
        return b"/" + _plain(path)

    def lstat(self, path: bytes) -> SFTPAttrs:
        """What the file is, or one of the two directories above it."""
        return _attributes(path)

    def stat(self, path: bytes) -> SFTPAttrs:
        """The same: there are no links."""
        return _attributes(path)

    def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> bytes:
        """Only to read: flag 1 and no other."""
        del attrs
        return self._opened(path, writes=pflags != 1)

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> bytes:
        """The same in the later versions of the protocol: read data and attributes of what exists."""
        del attrs
        return self._opened(path, writes=bool(desired_access & ~0x81) or flags & 7 != 2)

    def _opened(self, path: bytes, *, writes: bool) -> bytes:
        if self._open >= _MOST_OPEN:
            raise SFTPPermissionDenied("Too many files are open; close some.")
        content = _content(path, writes=writes)
        self._open += 1
        return content

    def fstat(self, file_obj: object) -> SFTPAttrs:
        """What the open file is."""
        del file_obj
        return _attributes(_NAME.encode())

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """A part of it."""
        return file_obj[offset : offset + size] if isinstance(file_obj, bytes) else b""

    def close(self, file_obj: object) -> None:
        """One less is open."""
        del file_obj
        self._open -= 1

    def exit(self) -> None:
        """The client is done: without a status, OpenSSH's scp thinks that something went wrong."""
        self.channel.exit(0)  # pyright: ignore[reportUnknownMemberType]


def _plain(path: bytes) -> bytes:
    return b"/".join(part for part in path.split(b"/") if part not in (b"", b"."))


def _content(path: bytes, *, writes: bool) -> bytes:
    if writes:
        _refuse()
    if _plain(path) != _NAME.encode():
        raise _no_such_file()
    return COMMIT_MSG.read_bytes()


def _attributes(path: bytes) -> SFTPAttrs:
    match _plain(path):
        case b"" | b"hooks":
            return SFTPAttrs(type=2, permissions=stat.S_IFDIR | 0o555, size=0)
        case b"hooks/commit-msg":
            found = COMMIT_MSG.stat()
            when = int(found.st_mtime)  # who copies with `-p` insists on it
            return SFTPAttrs(
                type=1, permissions=stat.S_IFREG | _MODE, size=found.st_size, uid=0, gid=0, atime=when, mtime=when
            )
        case _:
            raise _no_such_file()


def _no_such_file() -> SFTPNoSuchFile:
    return SFTPNoSuchFile("No such file or directory")
