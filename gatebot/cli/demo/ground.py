# SPDX-License-Identifier: Apache-2.0
"""The ground the tour plays on: free ports, a fresh site, an IRC server, a wheelhouse, the server itself.

Everything lives in one directory that is removed at the end. Ports that are taken are replaced, and
the replacements are told. What cannot be had (ngIRCd, a wheelhouse) has a told fallback.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ... import assets, words
from ...errors import Conflict, GatebotError, Unavailable
from ...reasons import reason
from ...settings_file import init_text
from .tell import Teller

CHANNEL = "#gatebot-meeting"

_GRACE = 15.0  # seconds for the server to end by itself


def told_port(teller: Teller, what: str, wanted: int) -> int:
    """The wanted port on loopback, or the next one that can be had, which is told."""
    why = ""
    for port in range(wanted, min(wanted + 200, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                why = why or str(error.strerror)
                continue
        if port != wanted:
            teller.say(f"Port {wanted} cannot be had ({why}): {what} takes {port}.")
        return port
    raise GatebotError(f"No port from {wanted} on can be had for {what} ({why}). Name another: --port, --irc-port.")


@contextmanager
def scratch(keep: Path | None) -> Generator[Path]:
    """A directory that other users may enter (the server gives up root), removed at the end unless named."""
    if keep:
        if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
            raise Conflict(f"{keep} is not empty. Give --dir the name of a new directory, or leave it away.")
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
            # Python 3.11.2, which Debian 12 has, knows no filters yet; the archive is our own.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(target)  # noqa: S202
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


def wheelhouse(target: Path, teller: Teller) -> float:
    """Fetch the few packages that gatebot's own tests need in their job; the seconds that took."""
    began = time.monotonic()
    target.mkdir(parents=True)
    teller.say("Fetching the packages that gatebot's own tests need in their job (5 MB).")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", str(target)]
    command += ["--timeout", "15", "--retries", "1", "-r", str(assets.path("demo", "wheelhouse.txt"))]
    command += _for_python_of_jobs()
    with teller.working("pip download"):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_plain_environment())
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise Unavailable(
            f"The packages of gatebot's own job cannot be fetched: {said[-1][-300:]}\n"
            "  The tour needs a package index. pip's usual settings hold: pip.conf, PIP_INDEX_URL, PIP_FIND_LINKS, "
            "https_proxy. Set that right and run it again."
        )
    for path in target.iterdir():
        path.chmod(0o644)
    return time.monotonic() - began


def _for_python_of_jobs() -> list[str]:
    """Jobs run the distribution's Python, which need not be the one that runs us."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    ask = ["/usr/bin/python3", "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
    try:
        theirs = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return []
    return ["--python-version", theirs] if theirs != own else []


def _plain_environment() -> dict[str, str]:
    """pip's own words without colours."""
    return {**os.environ, "NO_COLOR": "1", "PIP_NO_COLOR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def url(port: int) -> str:
    """The address of the tour's site."""
    return f"http://127.0.0.1:{port}"


def site_text(base: Path, port: int, irc_port: int, *, sandbox: str = "auto") -> str:
    """The settings of the tour's site: everything by default but names, ports, and what this machine cannot do."""
    changes: dict[str, object] = {
        "site.name": "gatebot demo",
        "site.data": "data",
        "web.listen": f"127.0.0.1:{port}",
        "web.url": url(port),
        "ssh.listen": "",
        "executor.wheelhouse": str(base / "wheelhouse"),
        "executor.sandbox": sandbox,
    }
    # The tour's network listens on this machine only, and tells no accounts: a nick is the proof there.
    irc = {"trust_nicks": True, "host": "127.0.0.1", "port": irc_port, "tls": False, "channels": ["#gatebot", CHANNEL]}
    return init_text(changes, [irc])


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
def server(base: Path, port: int, teller: Teller) -> Generator[None]:
    """`gatebot serve`, as anybody would start it."""
    command = [str(Path(sys.executable).parent / "gatebot"), "serve", str(base / "site")]
    log_file = base / "server.log"
    with log_file.open("ab") as log, _running(command, log, os.environ.copy()) as process:

        def answers() -> bool | None:
            if process.poll() is not None:
                raise GatebotError(f"The server ended at its start:\n{log_file.read_text()[-2000:]}")
            return True if health(port) else None

        teller.wait(f"the server answers, whose log is {log_file}", answers, 300)  # it lives: the machine is busy
        yield


def health(port: int) -> dict[str, dict[str, object]]:
    """What the site says about its parts; empty while it does not answer."""
    with suppress(OSError), urllib.request.urlopen(f"{url(port)}/health", timeout=5) as answer:  # noqa: S310
        parts: dict[str, dict[str, object]] = json.load(answer)["parts"]
        return parts
    return {}


def says_sandbox_none(port: int, path: str) -> bool:
    """Whether a page says that jobs run without a sandbox."""
    with urllib.request.urlopen(url(port) + path, timeout=10) as answer:  # noqa: S310
        text: str = answer.read().decode()
    return html.escape(words.say(reason("executor.sandbox-none"))) in text.replace("&#34;", "&quot;")


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
