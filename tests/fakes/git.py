# SPDX-License-Identifier: Apache-2.0
"""A person's git: work trees and commits made by the real program, apart from any configuration of the machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class WorkTree:
    """A clone or a new repository of a test's person."""

    def __init__(self, path: Path, *, name: str = "Mina", email: str = "mina@example.org") -> None:
        self.path = path
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(path.parent),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ADVICE": "0",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }
        if bundle := os.environ.get("SSL_CERT_FILE"):
            self.env["GIT_SSL_CAINFO"] = bundle

    @classmethod
    def new(cls, path: Path, branch: str = "main", **who: str) -> WorkTree:
        """An empty repository."""
        path.mkdir(parents=True)
        tree = cls(path, **who)
        tree.git("init", "-q", "-b", branch)
        return tree

    @classmethod
    def clone(cls, source: str | Path, path: Path, **who: str) -> WorkTree:
        """A clone."""
        path.mkdir(parents=True)
        tree = cls(path, **who)
        tree.git("clone", "-q", str(source), ".")
        return tree

    def run(self, *arguments: str, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        """git with these arguments, however it ends."""
        return subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**self.env, **env},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def git(self, *arguments: str, **env: str) -> str:
        """git with these arguments; what it printed. It must succeed."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def shell(self, command: str) -> str:
        """A command line, as a person pastes it; what it printed. It must succeed."""
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.path, env=self.env, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        """Write files; `__` in a name stands for a slash and `_dot_` for a dot."""
        for name, text in files.items():
            self.put(name.replace("__", "/").replace("_dot_", "."), text)

    def put(self, name: str, text: str) -> None:
        """Write one file."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def commit(self, message: str = "work", **files: str) -> str:
        """Write files, commit everything, answer with the commit's id."""
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")
