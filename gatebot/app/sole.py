# SPDX-License-Identifier: Apache-2.0
"""One server for one data directory: a lock that lives and dies with the process that holds it.

Two servers on the same directory would both drive its queues and move its branches. The lock is the
kernel's, so nothing is left behind by a server that was killed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Conflict, NotPermitted
from .users import User

_LOCK = "server.lock"


@contextmanager
def sole_server(data: Path, user: User | None = None) -> Generator[None]:
    """Hold a data directory; `user` is who will go on to use it. Raises `Conflict` when another process holds it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError as error:
        raise NotPermitted(
            f"{error.filename} cannot be written by the user {_own_name()}. "
            "Start the server as root or as the user that the directory belongs to."
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip()
            raise Conflict(
                f"Another server (process {holder or 'unknown'}) uses {data}. "
                "Stop it first, or make a site of its own for this one: gatebot init DIR"
            ) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        if user is not None:
            os.fchown(descriptor, user.uid, user.gid)
        yield
    finally:
        os.close(descriptor)


def _own_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
