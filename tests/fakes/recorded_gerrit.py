# SPDX-License-Identifier: Apache-2.0
"""A Gerrit that answers what a real one answered once, by REST and git, on a real port.

`tests/clients/importing/record.py` wrote it down: before and after people went on there.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

DATA = Path(__file__).resolve().parent.parent / "data" / "gerrit-import"
USER, PASSWORD = "admin", "secret"
_PREFIX = ")]}'\n"


class RecordedGerrit:
    """`stage` is `before` or `after`; `forged` are other answers and `statuses` other ends, by path.

    So many answers as `cut` says end in their middle; with `leads` all of them lead to that address.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.url = ""
        self.forged: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.cut = 0
        self.leads = ""
        self.signed: list[str] = []
        self.asked: list[str] = []
        self.stage("before")

    def stage(self, name: str) -> None:
        """What it is from now on."""
        self.answers: dict[str, str] = json.loads((DATA / name / "answers.json").read_text())
        self.git = self._root / name
        if not self.git.exists():
            for bundle in (DATA / name).glob("*.bundle"):
                target = self.git / f"{bundle.stem.replace('--', '/')}"
                subprocess.run(["git", "clone", "-q", "--mirror", str(bundle), str(target)], check=True)

    @contextmanager
    def served(self) -> Generator[RecordedGerrit]:
        """While it answers."""
        there = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                there.answer(self)

            do_POST = do_GET

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        path = request.path.removeprefix("/")
        self.asked.append(path)
        self.signed.append(request.headers.get("Authorization", ""))
        if self.leads:
            request.send_response(302)
            request.send_header("Location", f"{self.leads}/{path}")
            request.send_header("Content-Length", "0")
            return request.end_headers()
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if path.startswith("a/") and request.headers.get("Authorization") != f"Basic {basic}":
            return self._say(request, 401, b"Unauthorized")
        if path in self.statuses:
            return self._say(request, self.statuses[path], b"It is broken")
        if "/info/refs" in path or path.endswith("/git-upload-pack"):
            return self._git(request)
        text = self.forged.get(path, self.answers.get(path, ""))
        self._say(request, 200 if text else 404, (text or "Not found").encode())

    def _say(self, request: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.cut:
            self.cut -= 1
            body, request.close_connection = body[: len(body) // 2], True
        request.wfile.write(body)

    def _git(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        env = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.git), "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": unquote(parts.path).removeprefix("/a"), "QUERY_STRING": parts.query,
            "REQUEST_METHOD": request.command, "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""), "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        }  # fmt: skip
        said = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=True).stdout
        head, _, content = said.partition(b"\r\n\r\n")
        kind = next(line[14:] for line in head.decode().splitlines() if line.startswith("Content-Type: "))
        self._say(request, 200, content, kind)
