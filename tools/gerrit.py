# SPDX-License-Identifier: Apache-2.0
"""A real Gerrit on this machine, for `make gerrit` and for the tests that gate one.

    python tools/gerrit.py fetch | run

Gerrit comes from Maven: its acceptance framework and plugin API together are the whole server. It listens on the
loopback only, has an `admin` (password `secret`), labels Verified and Workflow, and an account `gate` with what a gate
needs. Ctrl-C stops it. Standard library only.
"""

from __future__ import annotations

import base64
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

GERRIT = "3.13.5"
BOUNCY_CASTLE = "1.81"
ARTIFACTS = (
    *(f"com.google.gerrit:gerrit-{part}:{GERRIT}" for part in ("acceptance-framework", "plugin-api")),
    *(f"org.bouncycastle:{part}-jdk18on:{BOUNCY_CASTLE}" for part in ("bcprov", "bcpg", "bcpkix", "bcutil")),
)
SECRET = "secret"  # noqa: S105  (Gerrit's own, in its mode for developers)
LEAST_JAVA = 21
LIBRARY = Path(__file__).resolve().parent.parent / "var" / "gerrit"
START_SECONDS = 300
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
_CONFIG = """\
[gerrit]
\tbasePath = git
\tcanonicalWebUrl = {url}/
[auth]
\ttype = DEVELOPMENT_BECOME_ANY_ACCOUNT
[httpd]
\tlistenUrl = {url}/
[sshd]
\tlistenAddress = 127.0.0.1:{ssh}
\tidleTimeout = 0
[sendemail]
\tenable = false
[change]
	submitWholeTopic = true
[index]
\ttype = LUCENE
"""
_LOG = """\
log4j.rootCategory = WARN, console
log4j.appender.console = org.apache.log4j.ConsoleAppender
log4j.appender.console.layout = org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern = [%d] %-5p %c : %m%n
"""
_VERIFIED = {"-2": "Fails", "-1": "Fails", " 0": "No score", "+1": "Works", "+2": "Gate passed"}
_WORKFLOW = {"-1": "Work in progress", " 0": "Ready for reviews", "+1": "Approved"}


def java() -> str | None:
    """A Java that is new enough."""
    home = os.environ.get("JAVA_HOME")
    found = [f"{home}/bin/java"] if home else []
    found += [*sorted(glob.glob("/usr/lib/jvm/*/bin/java"), reverse=True), shutil.which("java") or ""]
    for program in filter(os.path.exists, found):
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
        version = re.search(r'version "(\d+)', said)
        if version is not None and int(version[1]) >= LEAST_JAVA:
            return program
    return None


def jars(library: Path = LIBRARY) -> list[Path]:
    """The files of Gerrit that are here already; empty when one is missing."""
    wanted = [library / f"{name}-{version}.jar" for _, name, version in (one.split(":") for one in ARTIFACTS)]
    return wanted if all(path.exists() for path in wanted) else []


def fetch(library: Path = LIBRARY) -> list[Path]:
    """Gerrit's files, by Maven where they are not here."""
    if not jars(library):
        for artifact in ARTIFACTS:
            print(f"fetching {artifact}", flush=True)
            command = ["mvn", "-q", "-B", _COPY, f"-Dartifact={artifact}:jar", f"-DoutputDirectory={library}"]
            subprocess.run(command, check=True)
    return jars(library)


def free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Gerrit:
    """One site below a directory. `call` speaks REST as the admin."""

    def __init__(self, root: Path, http: int = 0, ssh: int = 0) -> None:
        self.root = root.absolute()
        self.ssh_port = ssh or free_port()
        self.url = f"http://127.0.0.1:{http or free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def init(self) -> None:
        """Make the site, with its admin; a site that is there is left as it is."""
        if not (self.root / "git" / "All-Projects.git").exists():
            (self.root / "etc").mkdir(parents=True, exist_ok=True)
            (self.root / "etc" / "gerrit.config").write_text(_CONFIG.format(url=self.url, ssh=self.ssh_port))
            (self.root / "etc" / "log4j.properties").write_text(_LOG)
            options = ["--batch", "--dev", "--no-auto-start", "--skip-plugins"]
            subprocess.run(self._command("init", *options), check=True, capture_output=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.root / "console.log").open("ab") as log:
            self._process = subprocess.Popen(self._command("daemon"), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self.call("GET", "config/server/version")
                return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"Gerrit did not start; {self.root}/console.log says why")

    def stop(self) -> None:
        """Stop the server and wait until it is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def call(self, method: str, path: str, body: object = None, *, who: str = "admin", password: str = SECRET) -> Any:
        """A call of REST; a text is sent as it is."""
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        kind = "text/plain" if isinstance(body, str) else "application/json"
        credentials = base64.b64encode(f"{who}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", **({"Content-Type": kind} if data is not None else {})}
        request = urllib.request.Request(f"{self.url}/a/{path}", data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(text.removeprefix(")]}'")) if text.startswith(")]}'") else text

    def furnish(self, gate_key: str) -> None:
        """Labels, what it takes to submit, and the account of a gate with its public key."""
        for name, values in (("Verified", _VERIFIED), ("Workflow", _WORKFLOW)):
            self.call("PUT", f"projects/All-Projects/labels/{name}", {"values": values, "function": "NoBlock"})
            rule = f"label:{name}=MAX AND -label:{name}=MIN"
            body = {"name": name, "submittability_expression": rule, "allow_override_in_child_projects": True}
            self.call("PUT", f"projects/All-Projects/submit_requirements/{name}", body)
        self.add_person("gate", gate_key, groups=["Service Users"])
        self._permit(self.group("Service Users"), self.group("Registered Users"))

    def add_person(self, username: str, key: str = "", groups: list[str] | None = None) -> int:
        """An account with the password `secret`; its number."""
        body = {"name": username.title(), "email": f"{username}@example.com", "http_password": SECRET}
        made = self.call("PUT", f"accounts/{username}", {**body, "groups": groups or []})
        if key:
            self.call("POST", f"accounts/{username}/sshkeys", key)
        return int(made["_account_id"])

    def add_project(self, name: str, submit_type: str = "MERGE_IF_NECESSARY") -> None:
        """A project with a first commit on `main`."""
        body = {"create_empty_commit": True, "branches": ["main"], "submit_type": submit_type}
        self.call("PUT", f"projects/{urllib.parse.quote(name, safe='')}", body)

    def group(self, name: str) -> str:
        """The id of a group that every Gerrit has."""
        builtin = {"Registered Users": "global:Registered-Users"}
        return builtin.get(name) or str(self.call("GET", f"groups/{urllib.parse.quote(name)}")["id"])

    def _permit(self, gate: str, people: str) -> None:
        def label(name: str, least: int, most: int, group: str) -> dict[str, object]:
            return {"label": name, "rules": {group: {"action": "ALLOW", "min": least, "max": most}}}

        allow = {"rules": {gate: {"action": "ALLOW"}}}
        forms = {
            "label-Verified": label("Verified", -2, 2, gate),
            "label-Workflow": label("Workflow", -1, 1, people),
            "label-Code-Review": label("Code-Review", -2, 2, people),
            "submit": allow,
        }
        admins = {"rules": {self.group("Administrators"): {"action": "ALLOW"}}}
        forms |= dict.fromkeys(("push", "forgeAuthor", "forgeCommitter"), admins)
        caps = {"streamEvents": allow}
        add = {"refs/heads/*": {"permissions": forms}, "GLOBAL_CAPABILITIES": {"permissions": caps}}
        self.call("POST", "projects/All-Projects/access", {"add": add})

    def permit_push(self) -> None:
        """Let the gate push tested commits to branches itself."""
        allow = {"rules": {self.group("Service Users"): {"action": "ALLOW"}}}
        heads = dict.fromkeys(("push", "pushMerge", "forgeAuthor", "forgeCommitter"), allow)
        add = {"refs/heads/*": {"permissions": heads}}
        self.call("POST", "projects/All-Projects/access", {"add": add})

    def known_hosts(self) -> str:
        """The server's key as OpenSSH wants to know it."""
        key = (self.root / "etc" / "ssh_host_ed25519_key.pub").read_text().split()
        return f"[127.0.0.1]:{self.ssh_port} {key[0]} {key[1]}\n"

    def _command(self, verb: str, *options: str) -> list[str]:
        program, files = java(), jars()
        if program is None or not files:
            raise RuntimeError(f"Gerrit {GERRIT} needs Java {LEAST_JAVA} or newer and its files; get them: make gerrit")
        memory = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        path = os.pathsep.join(map(str, files))
        main = "com.google.gerrit.launcher.GerritLauncher"
        # Without it every step of every library is written down, which takes more time than the work.
        log = f"-Dlog4j.configuration=file:{self.root}/etc/log4j.properties"
        return [program, *memory, log, "-cp", path, main, verb, "-d", str(self.root), *options]


def serve(directory: Path) -> None:
    """Run one until Ctrl-C."""
    gerrit = Gerrit(directory, 8081, 29418)
    fresh = not (directory / "git").exists()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        gerrit.init()
        gerrit.start()
        if fresh:
            key = directory / "gate_key"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
            gerrit.furnish(key.with_suffix(".pub").read_text())
            (directory / "known_hosts").write_text(gerrit.known_hosts())
        print(f"Gerrit {GERRIT} serves {gerrit.url} and ssh -p {gerrit.ssh_port} 127.0.0.1; admin's password: secret")
        print(f"the account gate: its key is {directory}/gate_key, the server's {directory}/known_hosts; Ctrl-C stops")
        signal.pause()
    except KeyboardInterrupt:
        print("stopping")
    finally:
        for impatience in (signal.SIGINT, signal.SIGTERM):
            signal.signal(impatience, signal.SIG_IGN)
        gerrit.stop()


if __name__ == "__main__":
    if sys.argv[1:] not in (["fetch"], ["run"]):
        sys.exit("write: python tools/gerrit.py fetch | run")
    fetch()
    if sys.argv[1] == "run":
        serve(LIBRARY / "site")
