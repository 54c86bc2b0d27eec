# SPDX-License-Identifier: Apache-2.0
"""Takes artifacts and returned data off a node: the node packs them itself, the server unpacks with care.

The packing runs on the node as the job's uid, so nothing hostile is read with the server's rights; what comes
is a tar stream in which only plain files and directories count.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ..assignment import Json
from .model import MIB, Places, Returned
from .providers.model import Command
from .providers.ports import Connection

_LARGEST_RESULT = MIB
_PACK = (
    'cd "$1" && exec tar --ignore-failed-read -cf - $(ls -dr artifacts result.json 2>/dev/null) </dev/null 2>/dev/null'
)


async def collect(
    connection: Connection, places: Places, into: Path, largest: int, say: Callable[[str], None]
) -> Returned:
    """Fetch what the job leaves, up to `largest` bytes; what it returned as data comes back."""
    with tempfile.TemporaryFile() as spool:
        taken = 0

        def take(piece: bytes) -> None:
            nonlocal taken
            taken += len(piece)
            if taken <= largest:
                spool.write(piece)

        argv = ("sh", "-c", _PACK, "sh", places.home)
        await connection.run(Command(argv, {"PATH": "/usr/bin:/bin"}, places.home), take)
        if taken > largest:
            say(f"gatebot: the artifacts exceed {largest // MIB} MiB (logs.max_artifacts); the rest is dropped.")
        spool.seek(0)
        return await asyncio.to_thread(_unpack, spool, into, largest)


def _unpack(spool: IO[bytes], into: Path, room: int) -> Returned:
    returned = Returned()
    try:
        with tarfile.open(fileobj=spool, mode="r|") as archive:
            for member in archive:
                if member.name == "result.json" and member.isfile() and member.size <= _LARGEST_RESULT:
                    file = archive.extractfile(member)
                    returned = _read(file.read() if file else b"")
                elif member.name.startswith("artifacts/") and member.isfile() and member.size <= room:
                    room -= member.size  # a sparse file is small in the archive and large on the disk
                    _keep(archive.extractfile(member), into, member.name)
    except (tarfile.TarError, OSError, EOFError):
        return returned  # cut off or damaged by the job: what was whole is kept
    return returned


def _keep(content: IO[bytes] | None, into: Path, name: str) -> None:
    """One file, by its name below the build's directory; no other kind of entry is ever made, so no link exists."""
    parts = PurePosixPath(name).parts
    if content is None or ".." in parts or PurePosixPath(name).is_absolute():
        return
    target = into.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _read(content: bytes) -> Returned:
    """Zuul's `zuul_return`: `data`, in it `zuul.artifacts` and `retry`."""
    try:
        value: object = json.loads(content)
    except ValueError:
        return Returned()
    data = _table(value)
    told = _table(data.get("zuul"))
    listed = told.get("artifacts")
    entries = [_table(one) for one in listed] if isinstance(listed, list) else []
    found = [(str(one.get("name", "")), str(one.get("url", ""))) for one in entries if one]
    return Returned(data, told.get("retry") is not False, tuple(found))


def _table(value: object) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else {}
