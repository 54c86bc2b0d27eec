# SPDX-License-Identifier: Apache-2.0
"""A host that answers SSH: the real server on loopback, in a world of processes of its own.

What is killed there is only what was started there, so that even "everything" can be ended in a test.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gatebot.executor.providers.ssh import Address, SshHost, control_directory
from tests.programs import leave_out, need


@dataclass
class LoopbackHost:
    """A running server; `key` opens it, `known_hosts` knows it."""

    port: int
    root: Path
    process: subprocess.Popen[bytes]

    @property
    def key(self) -> Path:
        return self.root / "key"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    def host(self) -> SshHost:
        return SshHost(Address("127.0.0.1", "", self.port), self.key, self.known_hosts, control_directory())


def new_key(path: Path) -> str:
    """A key pair; the public half."""
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()


def free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def loopback_host(root: Path, forced: str = "") -> Generator[LoopbackHost]:
    """`forced` is run instead of each command, which it finds in SSH_ORIGINAL_COMMAND."""
    root.mkdir(exist_ok=True)
    command = f'command="{forced}" ' if forced else ""
    (root / "authorized_keys").write_text(command + new_key(root / "key"))
    public, port = new_key(root / "host_key"), free_port()
    (root / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
    with running_server(root, "127.0.0.1", port) as process:
        yield LoopbackHost(port, root, process)


@contextmanager
def running_server(root: Path, address: str, port: int) -> Generator[subprocess.Popen[bytes]]:
    """A server with the files `host_key` and `authorized_keys` of a directory."""
    server = need("sshd", "openssh-server")
    (root / "sshd_config").write_text(
        f"Port {port}\nListenAddress {address}\nHostKey {root}/host_key\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {root}/authorized_keys\nStrictModes no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nLogLevel ERROR\n"
    )
    apart = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child"]
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    else:
        apart += ["--user", "--map-current-user"]
    line = [*apart, server, "-D", "-e", "-o", "LogLevel=INFO", "-f", f"{root}/sshd_config"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        try:
            for told in process.stderr:
                if b"Server listening" in told:
                    break
            else:
                leave_out("a server of SSH that can run here", "openssh-server")
            yield process
        finally:
            process.kill()
