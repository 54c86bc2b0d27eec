# SPDX-License-Identifier: Apache-2.0
"""One server of the two: calls of REST, git and SSH by its people, and everything that it answered, by step."""

from __future__ import annotations

import base64
import http.client
import json
import re
import select
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.clients.differential.shapes import Names, flat, lines
from tests.fakes.git import WorkTree
from tests.fakes.ssh_desk import SshDesk

#: Everybody's password; that of the admin is the server's own.
PASSWORD = "correct-horse-battery"
_WHEN = "2026-01-05T09:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Answer:
    """What REST answered; `value` is JSON where it was JSON, else the text."""

    status: int
    kind: str
    value: Any


@dataclass
class Side:
    """A server with its people. `told` is everything that it answered: fields by step."""

    url: str
    ssh_port: int
    root: Path
    passwords: dict[str, str]
    told: dict[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict[str, Mapping[str, tuple[str, ...]]])
    spoken: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    people: dict[int, str] = field(default_factory=dict[int, str])
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    commits: dict[str, str] = field(default_factory=dict[str, str])
    _trees: dict[str, WorkTree] = field(default_factory=dict[str, WorkTree])
    _desks: dict[str, SshDesk] = field(default_factory=dict[str, SshDesk])

    @property
    def names(self) -> Names:
        """What this server calls things."""
        host = urlsplit(self.url).netloc
        return Names((self.url, host, f"127.0.0.1:{self.ssh_port}", f"127.0.0.1 {self.ssh_port}"), self.people)

    # -- REST ------------------------------------------------------------------------------------------

    def call(self, who: str, method: str, path: str, body: object = None) -> Answer:
        """A call of REST; a text is sent as text, nobody asks without a name."""
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        kind = "text/plain" if isinstance(body, str) else "application/json"
        headers = {"Accept": "application/json"} | ({"Content-Type": kind} if data is not None else {})
        if who:
            basic = base64.b64encode(f"{who}:{self.passwords[who]}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, f"{'/a' if who else ''}/{path}", data, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            kind = answer.headers.get("Content-Type", "").replace(" ", "").lower()
        finally:
            connection.close()
        value = json.loads(text.removeprefix(")]}'")) if text.startswith(")]}'") else text
        return Answer(answer.status, kind, value)

    def ask(self, step: str, who: str, method: str, path: str, body: object = None) -> Answer:
        """A call whose answer is compared: its status, its kind, and of what succeeds every field."""
        answer = self.call(who, method, path.format(**{**self.commits, **self.numbers}), body)
        fields = {"status": (str(answer.status),)}
        if answer.status < 300 and answer.value != "":
            fields |= {"content-type": (answer.kind,)} | flat(answer.value, self.names)
        self._note(step, fields)
        return answer

    def _note(self, step: str, fields: Mapping[str, tuple[str, ...]]) -> None:
        assert step not in self.told, f"two steps are called {step}"
        self.told[step] = fields

    # -- git -------------------------------------------------------------------------------------------

    def tree(self, who: str, project: str) -> WorkTree:
        """Somebody's clone, whose commits are the same at every server."""
        if f"{who}/{project}" not in self._trees:
            path = self.root / who / project
            tree = WorkTree.new(path, name=who.title(), email=f"{who}@example.com")
            tree.env |= {"GIT_AUTHOR_DATE": _WHEN, "GIT_COMMITTER_DATE": _WHEN}
            host = urlsplit(self.url).netloc
            tree.git("remote", "add", "origin", f"http://{who}:{quote(self.passwords[who])}@{host}/a/{project}")
            self._trees[f"{who}/{project}"] = tree
        return self._trees[f"{who}/{project}"]

    def push(self, step: str, who: str, project: str, *refs: str, options: tuple[str, ...] = ()) -> str:
        """A push whose words are compared."""
        wanted = [part for option in options for part in ("-o", option)]
        done = self.tree(who, project).run("push", *wanted, "origin", *refs)
        self._note(step, {"exit": (str(done.returncode),)})
        self.spoken[step] = lines(done.stderr, self.names)
        return done.stderr

    def propose(
        self, name: str, who: str, project: str, message: str, files: Mapping[str, str], *, onto: str = "",
        ref: str = "refs/for/main", options: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """A commit for review, compared as step `push NAME`; its number and commit are known by the name."""
        tree = self.tree(who, project)
        tree.git("fetch", "-q", "origin")
        tree.git("checkout", "-q", "--detach", self.commits[onto] if onto else "origin/main")
        for path, text in files.items():
            tree.put(path, text)
        self.commits[name] = tree.commit(message)
        said = self.push(f"push {name}", who, project, f"HEAD:{ref}", options=options)
        if found := re.findall(r"/\+/(\d+)", said):
            self.numbers[name] = int(found[-1])

    # -- SSH -------------------------------------------------------------------------------------------

    def desk(self, who: str) -> SshDesk:
        """Somebody's key, made known."""
        if who not in self._desks:
            made = SshDesk.new(who, self.root / "desks" / who, self.ssh_port)
            assert self.call(who, "POST", "accounts/self/sshkeys", made.public).status == 201
            self._desks[who] = made
        return self._desks[who]

    def ssh(self, step: str, who: str, command: str, stdin: str = "") -> list[Any]:
        """A command whose answer is compared: its end, its JSON by the line, else its words."""
        done = self.desk(who).run(command.format(**{**self.commits, **self.numbers}), stdin=stdin)
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        fields = {"exit": (str(done.returncode),)} | (flat(rows, self.names) if rows else {})
        self._note(step, fields)
        words = "" if rows else done.stdout
        self.spoken[step] = [self.names.text(line.rstrip()) for line in (words + done.stderr).splitlines() if line]
        return rows


class Stream:
    """`gerrit stream-events` from before the play to its end."""

    def __init__(self, side: Side, who: str) -> None:
        self._side = side
        self._process = subprocess.Popen(
            [*side.desk(who).line, "gerrit", "stream-events"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._text = b""
        self.events: list[dict[str, Any]] = []

    def hears(self, project: str, seconds: float = 30.0) -> bool:
        """Read until a project's making is told; what came before is kept."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._read(1.0) and any(one.get("projectName") == project for one in self.events):
                return True
        return False

    def _read(self, seconds: float) -> bool:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            return False
        self._text += self._process.stdout.read1()
        *whole, self._text = self._text.split(b"\n")
        self.events += [json.loads(line) for line in whole]
        return bool(whole)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
