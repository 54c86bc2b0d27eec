# SPDX-License-Identifier: Apache-2.0
"""Somebody at a desk with OpenSSH's own client and a key: commands over SSH, and git over it."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.git import WorkTree
from tests.fakes.ssh_host import new_key
from tests.programs import need


@dataclass(frozen=True)
class SshDesk:
    """`key` is the private key's file; the host key is believed at first sight."""

    name: str
    key: Path
    port: int

    @classmethod
    def new(cls, name: str, home: Path, port: int) -> SshDesk:
        """With a new key."""
        need("ssh", "openssh-client")
        home.mkdir(parents=True, exist_ok=True)
        new_key(home / "id")
        return cls(name, home / "id", port)

    @property
    def public(self) -> str:
        """What the server must know."""
        return self.key.with_suffix(".pub").read_text().strip()

    @property
    def options(self) -> list[str]:
        """Of `ssh`, `scp` and `sftp`; no configuration of this machine."""
        settings = {
            "IdentityFile": self.key, "IdentitiesOnly": "yes", "BatchMode": "yes", "LogLevel": "ERROR",
            "StrictHostKeyChecking": "no", "UserKnownHostsFile": self.key.with_name("known_hosts"),
            "GlobalKnownHostsFile": "/dev/null", "SendEnv": "GIT_PROTOCOL LANG",
        }  # fmt: skip
        return ["-F", "none", *(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))]

    @property
    def line(self) -> list[str]:
        """`ssh` up to where a command begins."""
        return ["ssh", *self.options, "-p", str(self.port), f"{self.name}@127.0.0.1"]

    def run(self, *command: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """A command, each word as it is, however it ends."""
        return subprocess.run(
            [*self.line, *command], input=stdin, env={"PATH": "/usr/bin:/bin", **env},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def said(self, *command: str, stdin: str = "") -> str:
        """What a command that succeeds prints."""
        done = self.run(*command, stdin=stdin)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def address(self, project: str) -> str:
        """What git calls a project."""
        return f"ssh://{self.name}@127.0.0.1:{self.port}/{project}"

    def work(self, path: Path) -> WorkTree:
        """An empty work tree whose git goes through this desk's ssh."""
        work = WorkTree.new(path, name=self.name.title(), email=f"{self.name}@example.org")
        work.env["GIT_SSH_COMMAND"] = shlex.join(["ssh", *self.options])
        return work

    def clone(self, project: str, path: Path) -> WorkTree:
        """A clone with the commit-msg hook, which comes over SSH too."""
        work = self.work(path)
        work.git("remote", "add", "origin", self.address(project))
        work.git("fetch", "-q", "origin")
        work.git("checkout", "-q", "-B", "main", "origin/main")
        (path / ".git" / "hooks").mkdir(exist_ok=True)
        self.copy_hook(path / ".git" / "hooks" / "commit-msg", "-O")
        return work

    def copy_hook(self, target: Path, *flags: str) -> None:
        """`scp -p`; with `-O` by its old protocol."""
        source = f"{self.name}@127.0.0.1:hooks/commit-msg"
        line = ["scp", *flags, "-p", "-q", *self.options, "-P", str(self.port), source, str(target)]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
