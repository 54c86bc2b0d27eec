# SPDX-License-Identifier: Apache-2.0
"""Starts a process as root of a user namespace, with all ids that this user was given for such.

`newuidmap` and `newgidmap` hand them over, which look into /etc/subuid and /etc/subgid themselves. Where there are none
the process is alone in its namespace.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from ...errors import Unavailable
from ...reasons import reason
from . import kernel, subordinate

#: Goes on when its ids are there: the same process, which is root by then.
_WAITING = 'read -r _ && exec "$@" < /dev/null'
_FILES = (Path("/etc/subuid"), Path("/etc/subgid"))


def ids() -> int:
    """How many ids there are besides one's own; 0 also where the programs that hand them over are missing."""
    if shutil.which("newuidmap") is None or shutil.which("newgidmap") is None:
        return 0
    return min(subordinate.total(_given(name)) for name in ("subuid", "subgid"))


def unused() -> int:
    """From which id on a range can be given to somebody."""
    return subordinate.beyond(*(path.read_text("utf-8") for path in _FILES if path.exists()))


def user() -> str:
    """The name of whoever runs this, or his number where he has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def start(
    line: Sequence[str], most: int, *, environment: Mapping[str, str], given: Sequence[int], said: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a program as root of a namespace with `most` ids from 1 on. Raises `Unavailable` where that may not be."""
    tried = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise Unavailable(reason=reason("executor.sandbox-refused", told=tried.stderr.strip()[-500:]))
    if not most:
        alone = ["unshare", "--user", "--map-root-user", "--", *line]
        return subprocess.Popen(alone, env=environment, pass_fds=given, stdin=subprocess.DEVNULL, stderr=said)
    process = subprocess.Popen(
        ["sh", "-c", _WAITING, "sh", *line],
        env=environment,
        pass_fds=given,
        stdin=subprocess.PIPE,
        stderr=said,
        preexec_fn=lambda: kernel.unshare(kernel.NEW_USERS),
    )
    assert process.stdin is not None
    try:
        for program, name, own in (("newuidmap", "subuid", os.geteuid()), ("newgidmap", "subgid", os.getegid())):
            told = subordinate.mapped(own, _given(name), most)
            ended = subprocess.run(
                [program, str(process.pid), *map(str, told)], capture_output=True, text=True, check=False
            )
            if ended.returncode:
                raise Unavailable(reason=reason("executor.sandbox-refused", told=ended.stderr.strip()[-500:]))
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(b"\n")
    return process


def _given(name: str) -> list[tuple[int, int]]:
    with contextlib.suppress(OSError):
        return subordinate.given(Path("/etc", name).read_text("utf-8"), user(), os.geteuid())
    return []
