# SPDX-License-Identifier: Apache-2.0
"""Stores that are on another machine, fetched into bare repositories here: what is public, and what is tested.

Part of the workspace child. One fetch of a project at a time: what builds have in common comes once. What is
speculative is forgotten again by git itself, because nothing refers to it.
"""

from __future__ import annotations

import base64
import fcntl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .workspace_order import Tree

_PUBLIC = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


def copies(mirrors: Path) -> Path:
    """Where stores that are on another machine are kept here, by their projects."""
    return mirrors / "remote"


def copy_of(tree: Tree, mirrors: Path) -> Path:
    """Where one of them is."""
    return copies(mirrors) / f"{tree.project}.git"


def fetched(tree: Tree, mirrors: Path, environment: Mapping[str, str]) -> Path:
    """The copy here, brought up to date."""
    local = copy_of(tree, mirrors)
    local.parent.mkdir(parents=True, exist_ok=True)
    with (local.parent / f"{local.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (local / "HEAD").exists():
            _git(local.parent, environment, "init", "-q", "--bare", str(local))
        _fetch(local, tree.public or tree.source, environment, "--prune", *_PUBLIC)
        missing = [commit for commit in (tree.commit, *tree.others.values()) if not _has(local, commit, environment)]
        if missing:
            _fetch(local, tree.source, environment, *missing)
    return local


def _fetch(local: Path, source: str, environment: Mapping[str, str], *wanted: str) -> None:
    """`source` may have a password in it, which is not for command lines: others of this machine read those."""
    address = urlsplit(source)
    account, _, host = address.netloc.rpartition("@")
    signed = dict(environment)
    if account:
        told, count = base64.b64encode(account.encode()).decode(), int(environment.get("GIT_CONFIG_COUNT", "0"))
        signed[f"GIT_CONFIG_KEY_{count}"] = "http.extraHeader"
        signed[f"GIT_CONFIG_VALUE_{count}"] = f"Authorization: Basic {told}"
        signed["GIT_CONFIG_COUNT"] = str(count + 1)
    plain = address._replace(netloc=host).geturl()
    options = [word for word in wanted if word.startswith("--")]
    wants = [word for word in wanted if not word.startswith("--")]
    _git(local, signed, "fetch", "-q", "--no-tags", "--no-write-fetch-head", *options, plain, *wants)


def _has(local: Path, commit: str, environment: Mapping[str, str]) -> bool:
    from git.exc import GitCommandError

    try:
        _git(local, environment, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitCommandError:
        return False
    return True


def _git(directory: Path, environment: Mapping[str, str], *arguments: str) -> None:
    from git import Git

    git = Git(str(directory))
    with git.custom_environment(**environment):
        git.execute(["git", *arguments])
