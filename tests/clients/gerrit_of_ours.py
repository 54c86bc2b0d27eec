# SPDX-License-Identifier: Apache-2.0
"""gatebot in the place of the Gerrit that is gated: what `tests/gerrit` asks of a server, answered by a gatebot.

So the pipeline's own source for Gerrits is tried on gatebot's own REST, SSH and git, with the tests of the real one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.clients import stand_in_gerrit
from tools.gerrit import SECRET, Gerrit

GATEBOT = str(Path(sys.executable).with_name("gatebot"))
_RIGHTS = """
[access "refs/heads/*"]
	label-Code-Review = -2..+2 group Registered Users
	label-Workflow = -1..+1 group Registered Users
	label-Verified = -2..+2 group Service Users
	submit = group Service Users
	push = group Service Users
	pushMerge = group Service Users
	forgeAuthor = group Service Users
	forgeCommitter = group Service Users
[capability]
	streamEvents = group Service Users
[submit-requirement "Verified"]
	submittableIf = label:Verified=MAX AND -label:Verified=MIN
	canOverrideInChildProjects = true
[submit-requirement "Workflow"]
	submittableIf = label:Workflow=MAX AND -label:Workflow=MIN
	canOverrideInChildProjects = true
"""
# Accounts with a password that is shorter than gatebot lets people choose one.
_PEOPLE = """
import asyncio, sys
from pathlib import Path
from argon2 import PasswordHasher
from gatebot.app.places import load
from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.identity import Identity, store
_, where = load(Path(sys.argv[1]))
db = Database.open(where.database_url)
async def make():
    for name, groups in (("ann", ()), ("bob", ()), ("gate", ("Service Users",))):
        identity = Identity(db, SystemClock())
        known = await identity.by_username(name)
        account = known or await identity.create(name, name=name.title(), email=f"{name}@example.com", groups=groups)
        await db.run(store.set_password, account.id, PasswordHasher().hash("secret"))
    await db.close()
asyncio.run(make())
"""


class GerritOfOurs(Gerrit):
    """A gatebot that does what `tools/gerrit.py` does with a Gerrit."""

    def init(self) -> None:
        """Make the site; its people are there from the beginning."""
        stand_in_gerrit.init(self.root, GATEBOT)
        ours = self.root.parent / "pristine"
        python = str(Path(GATEBOT).with_name("python"))
        subprocess.run([python, "-c", _PEOPLE, str(ours)], check=True)
        owner = (ours / "data").stat()
        subprocess.run(["chown", "-R", f"{owner.st_uid}:{owner.st_gid}", str(ours / "data")], check=True)
        (self.root / "etc" / "gerrit.config").write_text(
            f"[httpd]\nlistenUrl = {self.url}\n[sshd]\nlistenAddress = 127.0.0.1:{self.ssh_port}\n"
        )

    def start(self) -> None:
        """Serve; it answers when this returns."""
        subprocess.run([str(self.root / "bin" / "gerrit.sh"), "start"], check=True)

    def stop(self) -> None:
        """End it."""
        subprocess.run([str(self.root / "bin" / "gerrit.sh"), "stop"], check=True)

    def furnish(self, gate_key: str) -> None:
        """Rights as the guide asks for them; the gate's key."""
        self.call("POST", "accounts/self/sshkeys", gate_key, who="gate")
        work = self.root / "rights"
        host = self.url.removeprefix("http://")

        def git(*words: str) -> None:
            who = ["-c", "user.name=Admin", "-c", "user.email=admin@example.com"]
            subprocess.run(["git", *who, *words], cwd=work, check=True, capture_output=True)

        work.mkdir()
        git("init", "-q")
        git("fetch", "-q", f"http://admin:{SECRET}@{host}/a/All-Projects", "refs/meta/config")
        git("checkout", "-q", "FETCH_HEAD")
        text = (work / "project.config").read_text()
        before, _, _ = text.partition('[submit-requirement "Workflow"]')
        (work / "project.config").write_text(before + _RIGHTS)
        git("commit", "-q", "-a", "-m", "Let the gate work")
        git("push", "-q", f"http://admin:{SECRET}@{host}/a/All-Projects", "HEAD:refs/meta/config")

    def known_hosts(self) -> str:
        """The server's keys."""
        line = ["ssh-keyscan", "-t", "ed25519", "-p", str(self.ssh_port), "127.0.0.1"]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout
