# SPDX-License-Identifier: Apache-2.0
"""Who the server is when it was started as root, and what belongs to him.

The server never runs as root: `init` gives the data directory to this user, `serve` becomes him.
Without root both do nothing.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..errors import Unavailable


@dataclass(frozen=True, slots=True)
class User:
    """A user of this machine by his numbers."""

    name: str
    uid: int
    gid: int


def server_user(name: str) -> User | None:
    """The user that the server becomes; None when we are not root and stay who we are.

    A missing user is made, as a system user without a home or a shell.
    """
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        found = _make(name)
    if found.pw_uid == 0:
        raise Unavailable("executor.run_as names root, and the server never runs as root. Name another user there.")
    return User(name, found.pw_uid, found.pw_gid)


def _make(name: str) -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    command = [useradd or "useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        done = subprocess.run(
            [*command, "--shell", "/usr/sbin/nologin", name], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise Unavailable(
            f"There is no user {name}, and useradd is not installed. Make the user and try again."
        ) from None
    if done.returncode:
        raise Unavailable(f"The user {name} cannot be made: {done.stderr.strip()}. Name another in executor.run_as.")
    return pwd.getpwnam(name)


def give(directory: Path, user: User | None) -> None:
    """Make everything below a directory belong to the user; links are not followed."""
    if user is None:
        return
    for root, _, files in os.walk(directory):
        os.chown(root, user.uid, user.gid, follow_symlinks=False)
        for file in files:
            os.chown(os.path.join(root, file), user.uid, user.gid, follow_symlinks=False)
