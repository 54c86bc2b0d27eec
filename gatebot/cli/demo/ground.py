# SPDX-License-Identifier: Apache-2.0
"""The ground the tour plays on: free ports, a fresh site, an IRC server, a wheelhouse, the server itself.

Everything lives in one directory that is removed at the end. Ports that are taken are replaced, and
the replacements are told. What cannot be had (ngIRCd, a wheelhouse) has a told fallback.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ... import assets
from ...errors import GatebotError
from ...settings import init_text
from .tell import Teller

CHANNEL = "#gatebot-meeting"

_GRACE = 15.0  # seconds for the server to end by itself


def free_port(wanted: int) -> int:
    """The wanted port on loopback, or the next free one."""
    for port in range(wanted, wanted + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise GatebotError(f"No free port from {wanted} to {wanted + 199}: close something and try again.")


def told_port(teller: Teller, what: str, wanted: int) -> int:
    """A free port; tells when it is not the wanted one."""
    port = free_port(wanted)
    if port != wanted:
        teller.say(f"Port {wanted} is taken: {what} takes {port}.")
    return port


@contextmanager
def scratch(keep: Path | None) -> Generator[Path]:
    """A directory that other users may enter (the server gives up root), removed at the end unless named."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    base = "/var/tmp" if os.access("/var/tmp", os.W_OK) else None  # noqa: S108 - survives small /tmp file systems
    made = Path(tempfile.mkdtemp(prefix="gatebot-demo-", dir=base))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def own_history(scratch_dir: Path) -> Path:
    """A git repository of gatebot itself: the checkout, or the snapshot in the wheel as one commit."""
    here = assets.checkout()
    if here is not None and (here / ".git").exists() and not _is_shallow(here):
        return here
    target = scratch_dir / "gatebot-source"
    target.mkdir()
    if here is not None:
        shutil.copytree(here, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__"))
    else:
        with tarfile.open(assets.path("source.tar.gz")) as archive:
            archive.extractall(target, filter="data")
    identity = ["-c", "user.name=gatebot", "-c", "user.email=gatebot@localhost"]
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "-m", "gatebot"],
    ):
        subprocess.run(["git", *command], cwd=target, check=True, capture_output=True)
    return target


def _is_shallow(repository: Path) -> bool:
    asked = subprocess.run(
        ["git", "-c", "safe.directory=*", "rev-parse", "--is-shallow-repository"],
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip() != "false"


def wheelhouse(target: Path, teller: Teller) -> bool:
    """Fetch the few packages that gatebot's own tests need in its job; False when the index cannot be reached."""
    target.mkdir(parents=True, exist_ok=True)
    wanted = assets.path("demo", "wheelhouse.txt")
    if list(target.glob("*.whl")):
        return True
    teller.say("Fetching the packages of gatebot's own job into a wheelhouse (5 MB, once).")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", str(target)]
    done = subprocess.run([*command, "-r", str(wanted)], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(target)
        teller.say(f"The package index cannot be reached, so gatebot's own job will fail: {done.stderr.strip()[-300:]}")
        return False
    for path in target.iterdir():
        path.chmod(0o644)
    return True


def site_text(port: int, irc_port: int, wheels: Path, teller: Teller) -> str:
    """The settings of the tour's site: everything by default but names, ports, and what this machine cannot do."""
    changes: dict[str, object] = {
        "site.name": "gatebot demo",
        "site.data": "data",
        "web.listen": f"127.0.0.1:{port}",
        "web.url": f"http://127.0.0.1:{port}",
        "executor.wheelhouse": str(wheels) if wheels.is_dir() else "",
    }
    if (lacking := sandbox_lacks()) is not None:
        changes["executor.sandbox"] = "none"
        teller.say(f"Jobs run without a sandbox, and every page says so: {lacking}")
    irc = {"host": "127.0.0.1", "port": irc_port, "tls": False, "channels": ["#gatebot", CHANNEL]}
    return init_text(changes, [irc])


def sandbox_lacks() -> str | None:
    """What keeps jobs from running in a sandbox here, with the way out; None: nothing, as far as can be told early."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (Debian: apt-get install bubblewrap)."
    probe = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode:
        return (
            f"bubblewrap is refused here ({done.stderr.strip()[-200:]}). Where user namespaces are off, root allows "
            "them with: sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=65536"
        )
    return None


@contextmanager
def irc_server(directory: Path, port: int, teller: Teller) -> Generator[None]:
    """ngIRCd where Debian has installed it, else the one that gatebot brings."""
    ngircd = shutil.which("ngircd") or shutil.which("ngircd", path="/usr/sbin:/usr/local/sbin")
    if ngircd:
        config = directory / "ngircd.conf"
        config.write_text(
            "[Global]\nName = irc.gatebot.example\nInfo = the tour\nListen = 127.0.0.1\n"
            f"Ports = {port}\nMotdPhrase = hello\nServerUID = nobody\nServerGID = nogroup\n"
            "[Limits]\nMaxNickLength = 30\nMaxConnectionsIP = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
        )
        config.chmod(0o644)
        command = [ngircd, "--nodaemon", "--config", str(config)]
        teller.say(f"IRC: ngIRCd on 127.0.0.1:{port}")
    else:
        command = [sys.executable, "-m", "gatebot.meetbot.irc.server", "--port", str(port)]
        teller.say(f"IRC: gatebot's own small server on 127.0.0.1:{port} (ngIRCd is not installed)")
    with (directory / "irc.log").open("wb") as log, _running(command, log, os.environ.copy()):
        _wait_port(teller, port, "the IRC server")
        yield


@contextmanager
def server(site: Path, log_file: Path, port: int, teller: Teller) -> Generator[subprocess.Popen[bytes]]:
    """`gatebot serve`, as anybody would start it."""
    command = [str(Path(sys.executable).parent / "gatebot"), "serve", str(site)]
    with log_file.open("wb") as log, _running(command, log, os.environ.copy()) as process:

        def answers() -> bool | None:
            if process.poll() is not None:
                raise GatebotError(f"The server ended at its start:\n{log_file.read_text()[-2000:]}")
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                return True if answer.status == 200 else None
            return None

        teller.wait("the server answers", answers, 60)
        yield process


@contextmanager
def _running(command: list[str], log: object, env: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)  # type: ignore[arg-type]  # pyright: ignore
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_port(teller: Teller, port: int, what: str) -> None:
    def answers() -> bool | None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return None

    teller.wait(f"{what} answers", answers, 30)


def first_commit(target: Path, files: Path) -> Path:
    """A repository whose only commit holds `files`."""
    shutil.copytree(files, target, ignore=shutil.ignore_patterns("__pycache__"))
    identity = ["-c", "user.name=gatebot", "-c", "user.email=gatebot@localhost"]
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "-m", "Begin"],
    ):
        subprocess.run(["git", *command], cwd=target, check=True, capture_output=True)
    return target


def push_history(source: Path, url: str, authorization: str) -> None:
    """Push the whole history of HEAD as `main`."""
    settings = {"http.extraHeader": f"Authorization: {authorization}", "safe.directory": "*"}
    env = {**os.environ, "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    command = ["git", "push", "--quiet", url, "HEAD:refs/heads/main"]
    done = subprocess.run(command, cwd=source, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GatebotError(f"The history cannot be pushed: {done.stderr.strip()}")
