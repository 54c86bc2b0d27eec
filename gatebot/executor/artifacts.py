# SPDX-License-Identifier: Apache-2.0
"""Takes artifacts and returned data off a node: the node packs them itself, the server unpacks with care.

The packing runs on the node as the job's uid, so nothing hostile is read with the server's rights; what comes
is a tar stream in which only plain files and directories count.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from .files.model import ARTIFACTS
from .model import MIB, Places, Returned
from .providers.model import Command
from .providers.ports import Connection
from .providers.trees import PATIENCE, entries, received
from .returned import read

RESULT, SECRET_RESULT = "result.json", "secret-result.json"
_LARGEST_RESULT = MIB
_MOST = 20_000  # artifacts of one build, as many as are listed
_NAMED, _LONGEST_NAME = 5, 200  # of what is left out, how many are named, and how long
#: The directories whose files are kept: a job's own, and the one that roles of Zuul's leave logs in.
_KEPT = ("artifacts", "logs")
_BELOW = tuple(f"{name}/" for name in _KEPT)
#: GNU's tar has to be told to go on past what cannot be read; busybox's does, and knows no such option.
_PACK = (
    'cd "$1" && shift || exit 1; more=--ignore-failed-read; tar $more --version >/dev/null 2>&1 || more=; '
    'exec tar $more -cf - $(ls -dr "$@" 2>/dev/null) </dev/null 2>/dev/null'
)


async def returned_so_far(connection: Connection, places: Places) -> Returned:
    """What the job returned until now; nothing else is taken."""
    with tempfile.TemporaryFile() as spool:
        await received(connection, _packing(places, (RESULT, SECRET_RESULT)), spool, 4 * _LARGEST_RESULT)
        return _unpack(spool, None, 0).returned


async def collect(
    connection: Connection,
    places: Places,
    into: Path,
    largest: int,
    say: Callable[[str], None],
    patience: float = PATIENCE,
) -> Returned:
    """Fetch what the job leaves, up to `largest` bytes; what it returned as data comes back."""
    with tempfile.TemporaryFile() as spool:
        packing = _packing(places, (SECRET_RESULT, RESULT, *_KEPT))
        taken, ended = await received(connection, packing, spool, largest, patience)
        if taken > largest:
            say(f"gatebot: the artifacts exceed {largest // MIB} MiB (logs.max_artifacts); the rest is dropped.")
        elif ended is None:
            say(f"gatebot: the artifacts could not be had in {patience:.0f} seconds; the rest is dropped.")
        unpacked = await asyncio.to_thread(_unpack, spool, into, largest)
        if unpacked.dropped:
            why = f"their names cannot be shown, or there are more than {_MOST}"
            say(f"gatebot: {unpacked.dropped} artifacts are dropped: {why}.")
        if unpacked.others:
            say(f"gatebot: left out of the artifacts, because only plain files are kept: {_few(unpacked.others)}")
        return unpacked.returned


def _packing(places: Places, names: tuple[str, ...]) -> Command:
    """Packs what is there of these."""
    return Command(("sh", "-c", _PACK, "sh", places.home, *names), {"PATH": "/usr/bin:/bin"}, places.home)


@dataclass(frozen=True, slots=True)
class _Unpacked:
    """What was returned, how many artifacts were not kept, and what was among them that is no plain file: links ..."""

    returned: Returned
    dropped: int
    others: tuple[str, ...]


def _few(others: tuple[str, ...]) -> str:
    """Some names, as a line of a log may show them, and how many more there are."""
    names = [name if name.isprintable() else ascii(name) for name in others[:_NAMED]]
    more = len(others) - len(names)
    return ", ".join(name[:_LONGEST_NAME] for name in names) + (f" and {more} more" if more else "")


def _unpack(spool: IO[bytes], into: Path | None, room: int) -> _Unpacked:
    told = {RESULT: b"", SECRET_RESULT: b""}
    left, dropped, others = _MOST, 0, list[str]()
    damaged = (tarfile.TarError, OSError, EOFError)  # by the job, or cut off: what was whole is kept
    with contextlib.suppress(*damaged):
        for archive, member in entries(spool):
            if member.name in told and member.isfile() and member.size <= _LARGEST_RESULT:
                file = archive.extractfile(member)
                told[member.name] = file.read() if file else b""
            elif into is not None and member.name.startswith(_BELOW) and member.isfile() and member.size <= room:
                if not left or not member.name.isprintable():
                    dropped += 1
                    continue
                left -= 1
                room -= member.size  # a sparse file is small in the archive and large on the disk
                _keep(archive.extractfile(member), into, f"{ARTIFACTS}/{member.name.partition('/')[2]}")
            elif into is not None and member.name.startswith(_BELOW) and not (member.isfile() or member.isdir()):
                others.append(
                    f"{member.name.partition('/')[2]}{' (a link)' if member.issym() or member.islnk() else ''}"
                )
    return _Unpacked(read(told[RESULT], told[SECRET_RESULT]), dropped, tuple(sorted(others)))


def _keep(content: IO[bytes] | None, into: Path, name: str) -> None:
    """One file, by its name below the build's directory; no other kind of entry is ever made, so no link exists."""
    parts = PurePosixPath(name).parts
    if content is None or ".." in parts or PurePosixPath(name).is_absolute():
        return
    target = into.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)
