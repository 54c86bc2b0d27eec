# SPDX-License-Identifier: Apache-2.0
"""One `git push` of a hosted repository to a remote, in a process that dies with whoever waits for it.

Passwords go by the environment of that process, keys by ssh's own options; neither stands in a command line.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from ...repo import Repositories
from ...repo.program import environment
from ...repo.showing import showing
from .model import PatchSetOf, Remote
from .planning import refspecs, shown

_TIMEOUT = 600.0
_TOLD = 300


class Pusher:
    """Pushes."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    async def push(self, remote: Remote, project: str, url: str, patch_sets: Sequence[PatchSetOf] = ()) -> str:
        """Bring a remote's copy up to date; what went wrong, nothing when nothing did.

        `patch_sets` are those that a copy with changes may have.
        """
        store = self._repositories.path(project)
        if not remote.changes:
            return await _push(remote, store, url)
        references = await asyncio.to_thread(self._repositories.references, project)
        with contextlib.ExitStack() as stack:
            made = await asyncio.to_thread(stack.enter_context, showing(store, shown(references, patch_sets)))
            return await _push(remote, made, url)


async def _push(remote: Remote, store: Path, url: str) -> str:
    prune = ["--prune"] if remote.mirror else []
    command = ["git", "push", "--porcelain", "--quiet", *prune, "--", url, *refspecs(remote)]
    try:
        env = await asyncio.to_thread(_environment, remote)
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=store,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        return str(error)
    try:
        async with asyncio.timeout(_TIMEOUT):
            said, _ = await process.communicate()
    except TimeoutError:
        return f"it took longer than {_TIMEOUT:.0f} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return "" if process.returncode == 0 else _words(said.decode("utf-8", "replace"))


def _environment(remote: Remote) -> dict[str, str]:
    config: dict[str, str] = {}
    if remote.user and remote.password_file:
        pair = f"{remote.user}:{Path(remote.password_file).read_text('utf-8').strip()}"
        config["http.extraHeader"] = f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"
    options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=20"]
    if remote.ssh_key:
        options += ["-i", remote.ssh_key, "-o", "IdentitiesOnly=yes"]
    if remote.known_hosts:
        options += ["-o", f"UserKnownHostsFile={remote.known_hosts}", "-o", "StrictHostKeyChecking=yes"]
    return environment(config, GIT_SSH_COMMAND=shlex.join(["ssh", *options]))


def _words(said: str) -> str:
    """The lines that tell what is wrong, without git's advice."""
    lines = [
        line.strip() for line in said.splitlines() if line.strip() and not line.startswith(("hint:", "To ", "Done"))
    ]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "!", "ssh:"))] or lines
    return " ".join(telling)[:_TOLD] or "git push failed"
