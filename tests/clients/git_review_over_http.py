# SPDX-License-Identifier: Apache-2.0
"""Runs git-review's own functional tests over HTTP, their bodies untouched, against gatebot instead of a Gerrit.

    python over_http.py DIRECTORY GATEBOT [TEST ...]

It runs in git-review's environment. DIRECTORY takes the sites, GATEBOT is the program that serves them. Their fixture
boots a server for each test; here it boots gatebot, and what it does there as an administrator by SSH commands, to
prepare a project, is done by REST. One line of JSON is printed for each test: its name, and what went wrong.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path
from urllib.parse import quote

import requests  # type: ignore[import-untyped]
from git_review import tests as suite  # type: ignore[import-untyped]
from git_review.tests import test_git_review  # type: ignore[import-untyped]

START_SECONDS = 90
_ADMIN = ("admin", "secret")
_TOML = """
[site]
data = "data"
[web]
listen = "127.0.0.1:{port}"
[meetings]
enabled = false
[executor]
enabled = false
[gate]
tenants_file = "tenants.yaml"
"""
# git-review's tests know no gate: their projects are in no tenant.
_TENANTS = """
- tenant:
    name: main
    source:
      gatebot:
        config-projects: [gatebot-config]
"""

_PASSWORD = """
import sys
from pathlib import Path
from gatebot.app.places import load
from gatebot.db import Database
from gatebot.identity import store
from argon2 import PasswordHasher
_, where = load(Path(sys.argv[1]))
db = Database.open(where.database_url)
account = db.read_now(store.username_in, sys.argv[2])
db.run_now(store.set_password, account.id, PasswordHasher().hash(sys.argv[3]))
"""


class Site:
    """gatebot in the place of a Gerrit: what git-review's fixture asks of the server."""

    golden: Path
    program: str
    settings: str

    @classmethod
    def prepare(cls, directory: Path, program: str) -> None:
        """Make the site that every test gets a copy of."""
        cls.golden, cls.program = directory / ".gerrit" / "golden_site", program
        cls.golden.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([program, "init", str(cls.golden)], check=True, stdout=subprocess.DEVNULL)
        cls.settings = _TOML + ('[ssh]\nlisten = ""\n' if "[ssh]" in (cls.golden / "gatebot.toml").read_text() else "")
        (cls.golden / "tenants.yaml").write_text(_TENANTS)
        # Shorter than gatebot lets people choose one, and written into the tests.
        python = str(Path(program).with_name("python"))
        subprocess.run([python, "-c", _PASSWORD, str(cls.golden), *_ADMIN], check=True)

    @classmethod
    def _serve(cls, site: Path, port: int) -> subprocess.Popen[bytes]:
        (site / "gatebot.toml").write_text(cls.settings.format(port=port))
        with (site / "server.log").open("ab") as log:
            served = subprocess.Popen([cls.program, "serve", str(site)], stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and served.poll() is None:
            try:
                if requests.get(f"http://127.0.0.1:{port}/config/server/version", timeout=5).ok:
                    return served
            except requests.ConnectionError:
                time.sleep(0.1)
        cls._end(served)
        raise RuntimeError((site / "server.log").read_text()[-2000:])

    @staticmethod
    def _end(served: subprocess.Popen[bytes]) -> None:
        served.terminate()
        served.wait(30)

    @classmethod
    def boot(cls, case: unittest.TestCase, site: Path, port: int) -> None:
        """Serve a copy of the golden site until the test ends."""
        if site.exists():
            shutil.rmtree(site)
        # With its owners: a server that root starts becomes another user.
        subprocess.run(["cp", "-a", str(cls.golden), str(site)], check=True)
        case.addCleanup(shutil.rmtree, str(site), ignore_errors=True)
        (site / "tmp").mkdir()
        case.addCleanup(cls._end, cls._serve(site, port))


class OverHttp(suite.HttpMixin):  # type: ignore[misc]
    """The fixture's ways to the server."""

    def _run_gerrit(self, ssh_addr: str, ssh_port: int, http_addr: str, http_port: int) -> None:
        self.web = f"http://{http_addr}:{http_port}"
        Site.boot(self, Path(self.site_dir), http_port)  # type: ignore[arg-type]

    def _configure_ssh(self, ssh_addr: str, ssh_port: int) -> None:
        """Nothing goes by SSH here."""

    def _run_gerrit_cli(self, command: str, *args: str) -> str:
        return {
            "create-project": self._create_project,
            "create-branch": self._create_branch,
            "create-account": self._create_account,
            "review": self._review,
            "query": self._query,
        }[command](*args)

    def _call(self, method: str, path: str, body: object = None) -> object:
        answer = requests.request(method, f"{self.web}/a/{path}", json=body, auth=_ADMIN, timeout=60)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return json.loads(answer.text[4:]) if answer.text.startswith(")]}'") else None

    def _create_project(self, name: str, _empty_commit: str) -> str:
        wanted = {"create_empty_commit": True, "branches": ["master"], "rules": "team-of-one"}
        self._call("PUT", f"projects/{quote(name, safe='')}", wanted)
        return ""

    def _create_branch(self, project: str, branch: str, commit: str) -> str:
        del project
        return str(self._run_git("push", self.project_uri, f"{commit}:refs/heads/{branch}"))

    def _create_account(self, _email: str, email: str, name: str) -> str:
        self._call("PUT", f"accounts/{name}", {"email": email})
        return ""

    def _review(self, *args: str) -> str:
        commit = next(one for one in args if re.fullmatch("[0-9a-f]{40}", one))
        (found,) = self._call("GET", f"changes/?q=commit:{commit}")  # type: ignore[misc]
        change = f"changes/{found['_number']}"
        if "--abandon" in args:
            self._call("POST", f"{change}/abandon", {})
            return ""
        self._call("POST", f"{change}/revisions/{commit}/review", {"labels": {"Code-Review": 2, "Workflow": 1}})
        self._call("POST", f"{change}/submit", {})
        return ""

    def _query(self, *args: str) -> str:
        found = self._call("GET", f"changes/?q=commit:{args[-1]}&o=DETAILED_ACCOUNTS&o=DETAILED_LABELS")
        lines = []
        for one in found:  # type: ignore[attr-defined]
            people = [person for state in one.get("reviewers", {}).values() for person in state]
            lines.append(json.dumps({"number": one["_number"], "allReviewers": people}))
        return "\n".join(lines)


class HttpGitReviewTestCase(OverHttp, test_git_review.GitReviewTestCase):  # type: ignore[misc]
    """git-review's tests of pushing, downloading and listing."""


class HttpConfigTestCase(OverHttp, test_git_review.ConfigTestCase):  # type: ignore[misc]
    """git-review's tests of its configuration."""


class Told(unittest.TestResult):
    """Prints how each test ended."""

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._tell(test, "")

    def addError(self, test: unittest.TestCase, err: object = None, details: object = None) -> None:
        self._tell(test, str(err or _text(details)))

    addFailure = addError

    def addSkip(self, test: unittest.TestCase, reason: str = "", details: object = None) -> None:
        self._tell(test, f"skipped: {reason or _text(details)}")

    def _tell(self, test: unittest.TestCase, wrong: str) -> None:
        print(json.dumps({"test": test.id().rpartition(".")[2], "of": type(test).__name__, "wrong": wrong}), flush=True)


def _text(details: object) -> str:
    """What testtools has collected of a failure, without the attached files."""
    parts = [content.as_text() for name, content in dict(details or {}).items() if name.startswith("traceback")]
    return "\n".join(parts) or str(details)


def main() -> None:
    """Run the tests that are named, or all."""
    directory, program, *names = sys.argv[1:]
    os.chdir(directory)
    # The fixture gives the server a key of SSH; where nothing goes by SSH there is none to give.
    suite.requests.post = lambda *_args, **_named: type("Done", (), {"status_code": 201})
    Site.prepare(Path(directory), program)
    (Site.golden / "test_ssh_key.pub").write_text("none\n")
    loader = unittest.TestLoader()
    cases = [loader.loadTestsFromTestCase(case) for case in (HttpGitReviewTestCase, HttpConfigTestCase)]
    wanted = [test for case in cases for test in case if not names or test.id().rpartition(".")[2] in names]
    unittest.TestSuite(wanted).run(Told())


if __name__ == "__main__":
    main()
