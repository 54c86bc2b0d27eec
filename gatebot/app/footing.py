# SPDX-License-Identifier: Apache-2.0
"""What must hold before a server starts: git that can merge, files that its user can reach, an address to
listen on, and no other server.

Two servers on the same directory would both drive its queues and move its branches. The lock against
that is the kernel's, so nothing is left behind by a server that was killed.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Conflict, NotPermitted, Unavailable
from ..settings_fields import Web
from .users import User

_LOCK = "server.lock"
_OLDEST_GIT = (2, 38)
_SHOWN_GIT = ".".join(map(str, _OLDEST_GIT))


def in_the_open(web: Web) -> str:
    """What to tell an administrator whose site other machines reach by plain HTTP; nothing when they cannot."""
    host = web.listen.rpartition(":")[0].strip("[]")
    if web.tls_certificate or web.trusted_proxies or host in ("127.0.0.1", "::1", "localhost"):
        return ""
    return (
        f"{web.listen} is reached by other machines over plain HTTP: passwords are refused there, and tokens can be "
        "read on the way. Set web.tls_certificate and web.tls_key, or listen on 127.0.0.1 behind a proxy with HTTPS."
    )


def check_git() -> None:
    """Raises `Unavailable` unless there is a git that merges without a work tree (`merge-tree --write-tree`)."""
    try:
        said = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        raise Unavailable("git is not installed. Debian: apt-get install git") from None
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST_GIT:
        raise Unavailable(
            f"git {_SHOWN_GIT} or newer is needed; this is {said or 'no git at all'}. Install a newer one."
        )


def check_reach(user: User | None, data: Path) -> None:
    """Raises `Unavailable` where the user that the server becomes cannot reach its code, its Python or its data."""
    if user is None:
        return
    for place in (Path(__file__).resolve().parent, Path(sys.prefix).resolve(), Path(sys.executable).resolve().parent):
        if (closed := _closed(place, user)) is not None:
            raise Unavailable(
                f"The server gives up root and becomes {user.name}, who cannot enter {closed}, where its code is. "
                "Install gatebot where other users can read it (not below a private home)."
            )
    if (closed := _closed(data.resolve(), user)) is not None:
        raise Unavailable(
            f"The server gives up root and becomes {user.name}, who cannot enter {closed}, where the site's data is. "
            f"Keep the site elsewhere (below /srv, say), or open the way: chmod o+x {closed}"
        )


def take_address(listen: str, setting: str = "web.listen") -> socket.socket:
    """The address is taken while the server may still be root, who alone may have low ports; nothing is heard yet."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, int(port)))
    except OSError as error:
        taken.close()
        raise Unavailable(
            f"{listen} cannot be listened on ({error.strerror}). "
            f"Stop what is using it, or set another {setting} in gatebot.toml."
        ) from None
    return taken


def _closed(place: Path, user: User) -> Path | None:
    """The first directory on the way that the user cannot enter."""
    for directory in (*reversed(place.parents), place):
        if directory.is_dir():
            mode = directory.stat()
            if not mode.st_mode & 0o001 and mode.st_uid != user.uid and mode.st_gid != user.gid:
                return directory
    return None


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
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
