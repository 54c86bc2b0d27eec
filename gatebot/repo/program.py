# SPDX-License-Identifier: Apache-2.0
"""Runs the git program for the server: no user's or system's configuration, no hooks from repositories.

Floor 2. Here lives everything about how git is called: environment, pinned settings of a store,
errors. What is asked of git lives in the modules beside it and in the review room.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pygit2
from pygit2.enums import ConfigLevel

from .model import GitError

_PINNED = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
\thooksPath = /dev/null
[gc]
\tauto = 0
[merge]
\trenames = true
\tdirectoryRenames = conflict
\trenameLimit = 7000
[diff]
\trenames = true
"""
# Objects are on the disk before a reference names them; a queue's own store can always be made again.
_SERVED = """\
\tfsync = committed,loose-object,reference
\tfsyncMethod = batch
"""
# Every reference of a push is moved by the server itself (`review/push.py`), never by git.
_RECEIVE = """\
[receive]
\tfsckObjects = true
\tadvertisePushOptions = true
\tprocReceiveRefs = refs
\thideRefs = refs/changes
\thideRefs = refs/meta/gatebot
\tautogc = false
\tdenyCurrentBranch = ignore
\tdenyDeleteCurrent = refuse
[uploadpack]
\tallowFilter = true
[protocol "ext"]
\tallow = never
"""


def settings_text(*, served: bool) -> str:
    """The whole `config` file of a store; `served` for projects, which people push to."""
    if not served:
        return _PINNED
    return _PINNED.replace("\tbare = true\n", "\tbare = true\n" + _SERVED) + _RECEIVE


def environment(config: Mapping[str, str | Sequence[str]] | None = None, **more: str) -> dict[str, str]:
    """The environment of a git process. `config` are settings for this process alone; its children do not see them.

    A setting that git takes several times has several values.
    """
    given = {"safe.directory": "*", **(config or {})}
    settings = [(key, value) for key, values in given.items() for value in _each(values)]
    env = {
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for index, (key, value) in enumerate(settings):
        env[f"GIT_CONFIG_KEY_{index}"] = key
        env[f"GIT_CONFIG_VALUE_{index}"] = value
    return {**env, **more}


def _each(values: str | Sequence[str]) -> Sequence[str]:
    return [values] if isinstance(values, str) else values


def run(
    arguments: Sequence[str],
    *,
    git_dir: Path | None = None,
    config: Mapping[str, str] | None = None,
    answers: Sequence[int] = (0,),
    timeout: float | None = 600,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run git to its end. An exit status outside `answers` is an error that carries git's own words."""
    where = [] if git_dir is None else [f"--git-dir={git_dir}"]
    try:
        done = subprocess.run(
            ["git", *where, *arguments],
            env=environment(config),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} was stopped: it took longer than {timeout} seconds") from error
    except OSError as error:
        raise GitError(f"git cannot be run: {error}") from error
    if done.returncode not in answers:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise GitError(f"git {arguments[0]} ended with status {done.returncode}: {said}")
    return done


def git_output(store: Path, arguments: Sequence[str]) -> str:
    """What a read-only git command prints about a store."""
    return run(arguments, git_dir=store).stdout.decode()


def isolate_libgit2() -> None:
    """The same rules for the library: no configuration but the store's, files on the disk before they are named."""
    settings = pygit2.Settings()
    for level in (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL, ConfigLevel.PROGRAMDATA):
        settings.search_path[level] = ""
    settings.owner_validation = False
    settings.enable_fsync_gitdir(True)
