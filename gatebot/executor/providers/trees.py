# SPDX-License-Identifier: Apache-2.0
"""Brings trees of files to a node and back, as tar streams through commands on it: the same for every provider.

The node packs and unpacks with its own tar, as the user that its commands run as. What comes from a node is
a stranger's: only plain files and directories in it count, and none leaves the directory it is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Protocol

from ...errors import TooLarge, Unavailable
from ...reasons import reason
from .model import Command, Exit
from .ports import Output

_PUT = 'mkdir -p "$1" && exec tar -C "$1" --no-same-owner -xf -'
_GET = 'cd "$1" 2>/dev/null && exec tar -cf - . 2>/dev/null </dev/null'
_PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
#: What a tar stream has besides the bytes of its files, at most, for each of them.
_AROUND = 4096
#: Seconds that taking something off a node may last.
PATIENCE = 900.0


class Runs(Protocol):
    """The part of a connection that runs commands."""

    async def run(
        self,
        command: Command,
        output: Output,
        *,
        started: Callable[[], None] | None = None,
        source: int | None = None,
    ) -> Exit:
        """As `Connection.run`."""
        ...


async def put(node: Runs, source: PurePath, target: str) -> None:
    """As `Connection.put`."""
    said = bytearray()
    readable, packer = await _packing(source)
    try:
        ended = await node.run(Command(("sh", "-c", _PUT, "sh", target), _PATH, "/"), said.extend, source=readable)
    finally:
        os.close(readable)  # a packer that nobody reads from ends by that
        packed = await packer.wait()
    if ended.status or packed:
        told = said.decode("utf-8", "replace").strip()[-500:] or f"tar: {ended.status or packed}"
        raise Unavailable(reason=reason("executor.put-failed", path=target, told=told))


async def _packing(source: PurePath) -> tuple[int, asyncio.subprocess.Process]:
    """A tar stream of what is in a directory, to be read from a descriptor, and the process that writes it.

    The directory itself is not in it: whose it is on the node, and what it allows, is the node's matter.
    """
    names = tempfile.TemporaryFile()  # noqa: SIM115 - closed below, with the pipe
    readable, writable = os.pipe()
    try:
        names.write(b"".join(os.fsencode(name) + b"\0" for name in sorted(os.listdir(source))))
        names.seek(0)
        line = ("tar", "-C", str(source), "--null", "-T", "-", "-cf", "-")
        return readable, await asyncio.create_subprocess_exec(
            *line, stdin=names, stdout=writable, stderr=subprocess.DEVNULL
        )
    except BaseException:
        os.close(readable)
        raise
    finally:
        names.close()
        os.close(writable)


async def get(node: Runs, path: str, target: PurePath, limit: int) -> None:
    """As `Connection.get`."""
    with tempfile.TemporaryFile() as spool:
        taken, ended = await received(node, Command(("sh", "-c", _GET, "sh", path), _PATH, "/"), spool, limit + _AROUND)
        if not taken:
            raise Unavailable(
                reason=reason("executor.get-failed", path=path, status=-1 if ended is None else ended.status)
            )
        whole = await asyncio.to_thread(unpacked, spool, Path(target), limit)
    if not whole:
        raise TooLarge(reason=reason("executor.get-too-large", path=path, limit=limit))


async def received(
    node: Runs, command: Command, spool: IO[bytes], most: int, patience: float = PATIENCE
) -> tuple[int, Exit | None]:
    """What a command prints, up to `most` bytes, in a file at its beginning: how many they were, and how it ended.

    None: it was ended here, because it printed more, or did not end by itself in so many seconds. What else is on the
    node belongs to a stranger: it may print for ever, stop the command, or write to where that printed after its end.
    """
    taken, open_ = 0, True
    try:
        async with asyncio.timeout(patience) as limit:

            def take(piece: bytes) -> None:
                nonlocal taken
                if open_ and taken <= most:
                    taken += len(piece)
                    spool.write(piece[: len(piece) - max(taken - most, 0)])
                    if taken > most:
                        limit.reschedule(asyncio.get_running_loop().time())

            ended = await node.run(command, take)
    except TimeoutError:
        ended = None
    finally:
        open_ = False
    spool.seek(0)
    return taken, ended


def unpacked(stream: IO[bytes], target: Path, limit: int) -> bool:
    """Make the plain files and directories of a tar stream below `target`; whether it was whole, and within `limit`.

    No other kind of entry is ever made, so no link of the stream's can lie in the way of one.
    """
    target.mkdir(parents=True, exist_ok=True)
    try:
        for archive, member in entries(stream):
            parts = PurePosixPath(member.name).parts
            if ".." in parts or member.name.startswith("/"):
                continue
            if member.isdir():
                target.joinpath(*parts).mkdir(parents=True, exist_ok=True)
            elif member.isfile():
                limit -= member.size  # a sparse file is small in the stream and large on the disk
                if limit < 0:
                    return False
                _keep(archive.extractfile(member), target.joinpath(*parts), member.mode)
    except (tarfile.TarError, OSError, EOFError):  # damaged by the node, or cut off: what was whole is kept
        return False
    return True


def entries(stream: IO[bytes]) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """What a tar stream in a file has, one after the other. Raises what `tarfile` does for a damaged one.

    Sizes that are not true are sought over, not read over; and nothing is remembered of a million entries.
    """
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
            yield archive, member


def _keep(content: IO[bytes] | None, path: Path, mode: int) -> None:
    if content is None:
        return
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(content, file)
    path.chmod(0o755 if mode & 0o100 else 0o644)
