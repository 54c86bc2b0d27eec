# SPDX-License-Identifier: Apache-2.0
"""The people of the tour: each has a home, an account, git, git-review, and an IRC nick.

They use what any contributor uses: git over HTTP, REST, IRC on a socket. Nothing here reaches into
the server.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import GatebotError
from ..output import Client
from .tell import Teller


@dataclass(frozen=True, slots=True)
class Person:
    """One contributor. `home` holds the git settings, the stored password and the clones."""

    username: str
    name: str
    home: Path
    client: Client
    teller: Teller

    def settle(self) -> None:
        """Make the home: who I am, and my password for this site where git finds it."""
        self.home.mkdir(parents=True)
        secret = f"http://{self.username}:{self.client.token}@{self.client.url.removeprefix('http://')}\n"
        stored = self.home / ".git-credentials"
        stored.touch(mode=0o600)
        stored.write_text(secret)
        (self.home / ".gitconfig").write_text(
            f"[user]\n\tname = {self.name}\n\temail = {self.username}@localhost\n"
            f"[credential]\n\thelper = store\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n"
            f"[gitreview]\n\tremote = origin\n\tbranch = main\n"
        )

    def git(self, *args: str, cwd: Path | None = None, tell: bool = False) -> str:
        """Run git as this person; the text it printed."""
        return self._run(["git", *args], cwd or self.home, tell)

    def clone(self, project: str) -> Path:
        """Clone a project and install the hook that writes Change-Ids."""
        work = self.home / project
        self.git("clone", "--quiet", f"{self.client.url}/{project}", str(work))
        hook = work / ".git" / "hooks" / "commit-msg"
        with urllib.request.urlopen(f"{self.client.url}/tools/hooks/commit-msg", timeout=30) as answer:  # noqa: S310
            hook.write_bytes(answer.read())
        hook.chmod(0o755)
        return work

    def commit(self, work: Path, files: Path, extra: str = "", amend: bool = False) -> None:
        """Write the files of one prepared change over the clone and commit them."""
        for source in files.rglob("*"):
            if source.is_file() and source.name != "MESSAGE":
                target = work / source.relative_to(files)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        self.git("add", "--all", cwd=work)
        if amend:
            self.git("commit", "--quiet", "--amend", "--no-edit", cwd=work)
        else:
            message = (files / "MESSAGE").read_text() + (f"\n{extra}\n" if extra else "")
            self.git("commit", "--quiet", "--message", message, cwd=work)

    def push(self, work: Path, by_review: bool = False) -> int:
        """Push HEAD for review; the number of the change, read from what the server printed."""
        if by_review:
            review = Path(sys.executable).parent / "git-review"
            self.teller.ran(f"git review main    # in {work.relative_to(self.home)}, as {self.username}")
            text = self._run([str(review), "--yes", "--no-rebase", "--remote", "origin", "main"], work, tell=True)
        else:
            place = work.relative_to(self.home)
            self.teller.ran(f"git push origin HEAD:refs/for/main    # in {place}, as {self.username}")
            text = self.git("push", "origin", "HEAD:refs/for/main", cwd=work, tell=True)
        found = re.search(rf"{re.escape(self.client.url)}/c/\S+/\+/(\d+)", text)
        if not found:
            raise GatebotError(f"The push was not answered with a change:\n{text}")
        return int(found[1])

    def review(self, change: int, message: str = "", **labels: int) -> None:
        """Vote and comment on the current patch set."""
        body = {"message": message, "labels": {name.replace("_", "-"): value for name, value in labels.items()}}
        self.client.call("POST", f"/changes/{change}/revisions/current/review", body)

    def detail(self, change: int) -> Any:
        """The change with votes and messages, as Gerrit's REST tells it."""
        return self.client.get(f"/changes/{change}/detail")

    def _run(self, command: list[str], cwd: Path, tell: bool) -> str:
        env = {
            "HOME": str(self.home), "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8",
            "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120)
        text = done.stdout + done.stderr
        if tell:
            said = (line.removeprefix("remote:") for line in text.splitlines() if line.startswith("remote:"))
            self.teller.heard("\n".join(f"remote: {line.strip()}" for line in said if line.strip()))
        if done.returncode:
            raise GatebotError(f"{' '.join(command[:3])} failed: {text}")
        return text


class Chatter:
    """A person on IRC: a socket, lines out, lines in. Enough for a meeting."""

    def __init__(self, host: str, port: int, nick: str) -> None:
        self.nick = nick
        self._socket = socket.create_connection((host, port), timeout=20)
        self._buffer = b""
        self._send(f"NICK {nick}")
        self._send(f"USER {nick} 0 * :{nick}")
        self.until(" 001 ")

    def join(self, channel: str) -> None:
        """Join and wait until the server has said who is there."""
        self._send(f"JOIN {channel}")
        self.until(" 366 ")

    def say(self, channel: str, text: str) -> None:
        """Say one line."""
        self._send(f"PRIVMSG {channel} :{text}")

    def until(self, part: str) -> str:
        """Read lines until one contains `part`; that line. Raises `GatebotError` when none comes within 20 s."""
        while True:
            while b"\n" not in self._buffer:
                try:
                    piece = self._socket.recv(4096)
                except TimeoutError:
                    piece = b""
                if not piece:
                    raise GatebotError(f"{self.nick} heard nothing on IRC while waiting for: {part}")
                self._buffer += piece
            raw, self._buffer = self._buffer.split(b"\n", 1)
            line = raw.decode(errors="replace").strip()
            if line.startswith("PING"):
                self._send("PONG" + line[4:])
            elif part in line:
                return line

    def leave(self) -> None:
        """Quit."""
        self._send("QUIT :bye")
        self._socket.close()

    def _send(self, line: str) -> None:
        self._socket.sendall(line.encode() + b"\r\n")
