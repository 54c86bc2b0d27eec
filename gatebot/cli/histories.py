# SPDX-License-Identifier: Apache-2.0
"""Git as the person at the command line runs it, and the push of a whole history to a new project of the site.

The site sees an ordinary push of all branches and tags: it needs no access to where they come from.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ..errors import GatebotError, NotFound, Unavailable
from .output import Client, quote


def make_project(client: Client, name: str, *, empty_commit: bool) -> None:
    """Host a project that is not there yet."""
    try:
        client.get(f"/projects/{quote(name)}")
    except NotFound:
        client.call("PUT", f"/projects/{quote(name)}", {"create_empty_commit": empty_commit})
    else:
        raise GatebotError(f"There is a project {name} already: {client.url}/project/{name}")


def push_history(client: Client, name: str, repository: Path) -> None:
    """Push all branches and tags of a repository of this machine as this user."""
    header = f"Authorization: {client.auth_header()}"
    config = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": header}
    refs = ("refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")
    push = ["-C", str(repository), "push", "--quiet", f"{client.url}/a/{name}", *refs]
    git(push, "cannot be pushed to the site", config)


def git(args: list[str], failed: str, environment: Mapping[str, str] | None = None) -> str:
    """Run git and give what it prints; `failed` says what could not be done, git says why."""
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", **(environment or {})}
    try:
        done = subprocess.run(["git", *args], env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Unavailable("git is not installed here: install it and try again.") from None
    if done.returncode:
        raise GatebotError(f"The repository {failed}: {done.stderr.strip()}")
    return done.stdout
