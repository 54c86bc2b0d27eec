# SPDX-License-Identifier: Apache-2.0
"""gatebot where a test suite expects a Gerrit: `java -jar gerrit.war init|reindex -d SITE`, then `SITE/bin/gerrit.sh`.

    python stand_in_gerrit.py DIRECTORY GATEBOT        write DIRECTORY/java, to be put first on PATH
    python stand_in_gerrit.py init -d SITE             what that `java` runs: a site; the admin's password is secret
    python stand_in_gerrit.py start|stop SITE          what `gerrit.sh` runs: on the ports of SITE/etc/gerrit.config

Suites copy the site as whoever they are, but a gatebot that root starts becomes another user: the data of gatebot lies
beside the site and is copied, with its owners, at each start. Standard library only.
"""

from __future__ import annotations

import configparser
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

START_SECONDS = 240
_HERE = Path(__file__).resolve()
_TOML = """
[site]
data = "data"
[web]
listen = "{http}"
[ssh]
listen = "{ssh}"
[git]
change_id = "strict"
default_branch = "master"
[meetings]
enabled = false
[executor]
enabled = false
[gate]
tenants_file = "tenants.yaml"
"""
# What suites of Gerrit's clients make is in no tenant: they know no gate.
_TENANTS = """
- tenant:
    name: main
    source:
      gatebot:
        config-projects: [gatebot-config]
"""
# As in Gerrit, where one approval is enough. The password is shorter than gatebot lets people choose one, and written
# into the suites.
_FURNISH = """
import sys
from pathlib import Path
from argon2 import PasswordHasher
from gatebot.app.places import load
from gatebot.db import Database
from gatebot.identity import store
from gatebot.repo import Repositories, person
_, where = load(Path(sys.argv[1]))
db = Database.open(where.database_url)
account = db.read_now(store.username_in, "admin")
db.run_now(store.set_password, account.id, PasswordHasher().hash("secret"))
git, ref, root = Repositories(where.git), "refs/meta/config", "All-Projects"
tip = git.resolve(root, ref)
files = {path: git.read_file(root, tip, path) for path, _ in git.list_files(root, tip)}
files["project.config"] += b'''
[access "refs/heads/*"]
	label-Verified = -2..+2 group Administrators
[submit-requirement "Code-Review"]
	submittableIf = label:Code-Review=MAX AND -label:Code-Review=MIN
	canOverrideInChildProjects = true
[submit-requirement "Workflow"]
	submittableIf = is:true
	applicableIf = is:false
	canOverrideInChildProjects = true
'''
who = person("admin", "admin@example.com", 1767603600)
commit = git.write_commit(root, git.write_tree(root, files), (tip,), who, who, "Be as a new Gerrit\\n")
assert git.update_ref(root, ref, tip, commit)
"""


def write_java(directory: Path, gatebot: str) -> None:
    """The program `java`, which knows where gatebot is."""
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "java"
    program.write_text(
        f'#!/bin/sh\n# java -jar WAR COMMAND ...\nshift 2\nGATEBOT={gatebot} exec {sys.executable} {_HERE} "$@"\n'
    )
    program.chmod(0o755)


def init(site: Path, gatebot: str) -> None:
    """What Gerrit's own `init` leaves: a configuration and a program that starts and stops."""
    for name in ("etc", "bin", "logs", "tmp"):
        (site / name).mkdir(parents=True, exist_ok=True)
    (site / "etc" / "gerrit.config").write_text("[container]\n\tjavaHome = /nowhere\n")
    program = site / "bin" / "gerrit.sh"
    program.write_text(
        '#!/bin/sh\nsite=$(cd "$(dirname "$0")/.." && pwd)\n'
        f'GATEBOT={gatebot} exec {sys.executable} {_HERE} "$1" "$site"\n'
    )
    program.chmod(0o755)
    ours = site.parent / "pristine"
    shutil.rmtree(ours, ignore_errors=True)
    subprocess.run([gatebot, "init", str(ours)], check=True, stdout=subprocess.DEVNULL)
    (ours / "tenants.yaml").write_text(_TENANTS)
    subprocess.run([str(Path(gatebot).with_name("python")), "-c", _FURNISH, str(ours)], check=True)
    owner = (ours / "data").stat()
    subprocess.run(["chown", "-R", f"{owner.st_uid}:{owner.st_gid}", str(ours / "data")], check=True)


def start(site: Path, gatebot: str) -> None:
    """Serve until `stop`; it answers when this returns."""
    read = configparser.ConfigParser(strict=False)
    read.read(site / "etc" / "gerrit.config")
    http = urlsplit(read["httpd"]["listenurl"]).netloc
    ours = site / "gatebot"
    subprocess.run(["cp", "-a", str(site.parent / "pristine"), str(ours)], check=True)
    (ours / "gatebot.toml").write_text(_TOML.format(http=http, ssh=read["sshd"]["listenaddress"]))
    ssh = read["sshd"]["listenaddress"]
    with (site / "logs" / "error_log").open("ab") as log:
        served = subprocess.Popen(
            [gatebot, "serve", str(ours)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (site / "logs" / "gerrit.pid").write_text(str(served.pid))
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and served.poll() is None:
        host, _, port = ssh.rpartition(":")
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://{http}/config/server/version", timeout=5),
            socket.create_connection((host, int(port)), timeout=5) as asked,
        ):
            assert asked.recv(4) == b"SSH-"
            return
        time.sleep(0.1)
    served.terminate()
    sys.exit((site / "logs" / "error_log").read_text()[-2000:])


def stop(site: Path) -> None:
    """End the server that `start` began, and wait until it is gone."""
    process = int((site / "logs" / "gerrit.pid").read_text())
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            os.kill(process, 0)
            time.sleep(0.05)
        os.kill(process, signal.SIGKILL)


def main() -> None:
    """Do what the command line asks for."""
    match sys.argv[1:]:
        case ["init", "-d", site, *_]:
            init(Path(site), os.environ["GATEBOT"])
        case ["reindex", *_]:
            pass
        case ["start", site]:
            start(Path(site), os.environ["GATEBOT"])
        case ["stop", site]:
            stop(Path(site))
        case [directory, gatebot]:
            write_java(Path(directory), gatebot)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
