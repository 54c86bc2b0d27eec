# SPDX-License-Identifier: Apache-2.0
"""A webhook of a whole site: told what happens, also what happened while it was away and the site was not running."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gatebot.app.places import SETTINGS
from tests.fakes.doors import Visitor
from tests.fakes.irc import free_port
from tests.fakes.site import Builds, RunningSite, Template, eventually


@contextmanager
def listener(port: int, secret: bytes) -> Generator[list[dict[str, Any]]]:
    """What is told to a port, as far as it is signed."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            expected = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
            genuine = hmac.compare_digest(expected, self.headers["X-Gatebot-Signature"])
            if genuine:
                told.append(json.loads(body))
            self.send_response(204 if genuine else 403)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def health(site: RunningSite) -> str:
    return str(Visitor(site).get("/health", Accept="application/json").json["parts"]["webhooks"]["text"])


def test_a_webhook_hears_everything_once_over_a_restart(template: Template, tmp_path: Path, builds: Builds) -> None:
    port, directory = free_port(), template.copy(tmp_path / "site", free_port())
    (directory / "hook.secret").write_text("sesame\n")
    (directory / "hook.secret").chmod(0o644)
    with (directory / SETTINGS).open("a") as file:
        file.write(f'\n[webhook.ci]\nurl = "http://127.0.0.1:{port}/"\nsecret_file = "hook.secret"\nlocal = true\n')
        file.write('projects = ["api"]\nevents = ["patchset-created"]\n')
    with RunningSite(directory, dict(template.tokens), tmp_path / "homes", builds) as site:
        with listener(port, b"sesame") as told:
            ann = site.person("ann")
            first = ann.propose("api", "Add a door", {"door": "open\n"})
            eventually(lambda: [event["change"]["number"] for event in told] == [first])
        second = ann.propose("api", "Add a window", {"window": "open\n"})
        ann.propose("client", "Add a bell", {"bell": "ring\n"})
        eventually(lambda: "(no connection: Connection refused)" in health(site))
        assert Visitor(site).get("/health").status == 200
    with (
        listener(port, b"sesame") as told,
        RunningSite(directory, dict(template.tokens), tmp_path / "homes", builds) as site,
    ):
        eventually(lambda: [event["change"]["number"] for event in told] == [second])
        eventually(lambda: "ci: up to date, last delivered" in health(site))
