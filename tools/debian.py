# SPDX-License-Identifier: Apache-2.0
"""What gatebot takes from the distribution: programs, why each, how to see that it is there, how apt brings it.

Standard library only, and nothing newer than Python 3.8: set-up runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

# Debian keeps servers in /usr/sbin, which is not on everybody's PATH.
PROGRAMS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
POLICY = "/usr/sbin/policy-rc.d"
SERVICES = ("ngircd", "postgresql")


@dataclass(frozen=True)
class Need:
    """One Debian package; it is there when one of `signs` is: a program on PATH, or a file by its pattern."""

    package: str
    signs: tuple[str, ...]
    why: str
    without: str
    for_tests: bool = False
    required: bool = False

    @property
    def present(self) -> bool:
        """Is it installed, by whatever way?"""
        return any(glob.glob(sign) if "/" in sign else shutil.which(sign, path=PROGRAMS) for sign in self.signs)


NEEDS = (
    Need("git", ("git",), "stores and merges every change", "nothing works", required=True),
    Need("bubblewrap", ("bwrap",), "the sandbox of jobs", "jobs run without a sandbox, and every page says so"),
    Need("uidmap", ("newuidmap",), "user ids inside the sandbox", "a sandboxed job has one user id only"),
    Need(
        "libseccomp2",
        ("/usr/lib/*/libseccomp.so.2", "/lib/*/libseccomp.so.2", "/usr/lib*/libseccomp.so.2"),
        "the system call filter of the sandbox",
        "jobs run without a system call filter",
    ),
    Need("mmdebstrap", ("mmdebstrap",), "makes the Debian that jobs run in", "jobs run on this host's own files"),
    Need("ngircd", ("ngircd",), "the IRC server of the tour", "the tour uses a small IRC server of its own"),
    Need("irssi", ("irssi",), "a client in which people meet", "the meeting from irssi is left out", for_tests=True),
    Need("tmux", ("tmux",), "the terminal it runs in", "the meeting from irssi is left out", for_tests=True),
    Need("openssh-client", ("ssh",), "git over SSH in tests", "tests of SSH are left out", for_tests=True),
    Need(
        "postgresql",
        ("/usr/lib/postgresql/*/bin/initdb", "initdb"),
        "every database test runs on SQLite and on PostgreSQL",
        "they run on SQLite only",
        for_tests=True,
    ),
    Need("openssh-server", ("sshd",), "a host that tests enter", "tests of such hosts are left out", for_tests=True),
    Need("podman", ("podman",), "nodes that are containers", "tests of such nodes are left out", for_tests=True),
    Need("runc", ("runc", "crun"), "runs them", "tests of such nodes are left out", for_tests=True),
    Need("catatonit", ("catatonit",), "begins them", "tests of such nodes are left out", for_tests=True),
    Need("busybox-static", ("busybox",), "what they have in them", "tests of such nodes are left out", for_tests=True),
    Need("chromium", ("chromium",), "the browser of the page tests", "tests in a browser are left out", for_tests=True),
    Need(
        "fonts-noto-cjk",
        ("/usr/share/fonts/opentype/noto/NotoSansCJK*", "/usr/share/fonts/*/noto*cjk*/*"),
        "Korean text in screenshots",
        "Korean text shows as boxes in screenshots",
        for_tests=True,
    ),
)


def missing(for_tests: bool) -> list[Need]:
    """What a tour, or the tests, would use and this machine does not have."""
    return [need for need in NEEDS if (for_tests or not need.for_tests) and not need.present]


def can_install() -> bool:
    """Are we root on a system with apt?"""
    return os.geteuid() == 0 and shutil.which("apt-get", path=PROGRAMS) is not None


def command(needs: Sequence[Need]) -> list[str]:
    """What a person would type to install them."""
    return ["apt-get", "install", "--no-install-recommends", "--yes", *(need.package for need in needs)]


def environment() -> dict[str, str]:
    """No questions, and English, which `size` reads."""
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "PATH": PROGRAMS}


def size(needs: Sequence[Need]) -> str:
    """How much apt would fetch and unpack, in apt's own words; it is asked and then told no."""
    asked = [*(word for word in command(needs) if word != "--yes"), "--assume-no"]
    said = subprocess.run(asked, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    lines = said.stdout.decode("utf-8", "replace").splitlines()
    sizes = [line.rstrip(".") for line in lines if line.startswith(("Need to get", "After this operation"))]
    return "; ".join(sizes) or "apt could not say how large"


def install(needs: Sequence[Need], run: Callable[..., bool]) -> bool:
    """Install, without starting the services that come along; `run(what, command, environment)` shows progress."""
    with _services_stay_off():
        if run("Debian packages", command(needs), environment()):
            return True
        # One that this system does not know must not keep the others away.
        alone = [run(need.package, command([need]), environment()) for need in needs] if len(needs) > 1 else [False]
        return all(alone)


@contextlib.contextmanager
def _services_stay_off() -> Generator[None, None, None]:
    """gatebot's own IRC server and the tests' PostgreSQL are theirs alone; Debian's services are not wanted."""
    ours = not os.path.exists(POLICY)
    new = [name for name in SERVICES if not glob.glob(f"/lib/systemd/system/{name}.service")]
    if ours:
        with open(POLICY, "w", encoding="ascii") as script:
            script.write("#!/bin/sh\nexit 101\n")
        os.chmod(POLICY, 0o755)  # noqa: S103  (dpkg runs it)
    try:
        yield
    finally:
        if ours:
            os.unlink(POLICY)
        came = [name for name in new if glob.glob(f"/lib/systemd/system/{name}.service")]
        if came and os.path.isdir("/run/systemd/system"):
            subprocess.run(["systemctl", "disable", "--quiet", *came], check=False)
