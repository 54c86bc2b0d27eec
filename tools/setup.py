# SPDX-License-Identifier: Apache-2.0
"""Set-up: says what is missing and how large it is, then installs it. `make demo` and `make test` call it first.

    python3 tools/setup.py demo|test [--dry-run]

Needs nothing but a Python: no pip, no ensurepip. Where nothing has changed it takes a tenth of a second.

Where things go. The server gives up root's rights, and another user must then be able to read the code and its
libraries. So a root set-up in a place that others cannot enter (a checkout below /root, say) keeps a copy of the
checkout with its `.venv` below /var/lib/gatebot/checkouts, brought up to date every time; the checkout's `.venv`
is then a link to that one. Everywhere else `.venv` is a plain directory in the checkout.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import debian
import places

ROOT = Path(__file__).resolve().parent.parent
STAMP = ".gatebot-setup.json"
# What a set-up installs from the package index, and its size as measured (download, on disk).
LOCKS = {
    "demo": ("requirements.lock", "about 50 MB to fetch, 230 MB on disk"),
    "test": ("requirements-dev.lock", "about 180 MB to fetch, 680 MB on disk"),
}
IMAGE = "about 120 MB to fetch, 420 MB on disk, a minute or two"
LAST_WORDS = 12


FAILED_DOWNLOAD = """\
The Python packages could not be installed; pip's last words are above.
  No network, or an index of your own? pip's usual settings hold: pip.conf, PIP_INDEX_URL, PIP_CERT,
  PIP_FIND_LINKS, https_proxy. A hash that differs: the index serves another file than the one that was
  locked. Set that right and run the same command again: what is installed already is kept."""


@dataclass(frozen=True)
class Image:
    """The Debian that jobs run in, to be made: where, and what keeps it from being made (empty: nothing)."""

    place: str
    lacks: str


def main(arguments: Sequence[str]) -> int:
    """Tell, then do."""
    parser = argparse.ArgumentParser(prog="tools/setup.py", description="Install what the tour or the tests need.")
    parser.add_argument("goal", choices=sorted(LOCKS))
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and stop")
    options = parser.parse_args(arguments)
    python = places.interpreter()
    if python is None:
        print(f"gatebot needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.", file=sys.stderr)
        print("Install one (Debian 12: apt-get install python3) and run this again.", file=sys.stderr)
        return 1
    home = places.home(ROOT)
    lacking = debian.missing(for_tests=options.goal == "test")
    stale = not is_current(home, options.goal, python)
    image = image_to_build(python)
    tell(lacking, stale, image, options.goal, home)
    if options.dry_run:
        return 0
    if not install_programs(lacking):
        return 1
    if home != ROOT:
        places.copy_checkout(ROOT, home)
    if stale and not install_packages(home, options.goal, python):
        return 1
    if image is not None and not image.lacks:
        build_image(home)
    return 0


def tell(lacking: list[debian.Need], stale: bool, image: Image | None, goal: str, home: Path) -> None:
    """What is missing, what will be installed, how large that is."""
    if not lacking and not stale and (image is None or image.lacks):
        return
    print(f"Set-up for `make {goal}`.")
    if lacking:
        print("  Missing on this system:")
        for need in lacking:
            print(
                f"    {need.package:<16}{need.why}" + ("" if debian.can_install() else f"; without it {need.without}")
            )
        if debian.can_install():
            refresh_lists()
            print(f"  apt installs them. {debian.size(lacking)}.")
        else:
            print("  Only root can install these; this goes on without. To have them, run as root:")
            print(f"    {shlex.join(debian.command(lacking))}")
    if stale:
        print(f"  Python packages, exact versions checked by hash: {LOCKS[goal][1]}, into {home / '.venv'}.")
    if image is not None:
        # What nobody here could change is told once, with everything else that is missing.
        reason = f"is not made: {image.lacks}; jobs run on this system's own files"
        print(f"  The Debian that jobs run in {reason if image.lacks else f'({IMAGE}), into {image.place}'}.")
    if home != ROOT:
        print(f"  Users other than root cannot enter {ROOT}, and the server does not run as root:")
        print(f"  the code is copied to {home} each time. (A checkout below /srv or /opt needs no copy.)")
    sys.stdout.flush()


def refresh_lists() -> None:
    """A machine that never asked what packages there are does not know their sizes."""
    run("package lists", ["apt-get", "update", "--quiet"], debian.environment())


def install_programs(lacking: list[debian.Need]) -> bool:
    """Debian's packages, when we may; else only what nothing works without stops us."""
    if lacking and debian.can_install() and not debian.install(lacking, run):
        print("apt could not install everything; its last words are above. Mend that, then run this again.")
    still = [need for need in lacking if not need.present]
    for need in still:
        if need.required:
            print(f"{need.package} is missing: {need.without}. As root: {shlex.join(debian.command([need]))}")
    return not any(need.required for need in still)


def image_to_build(python: str) -> Image | None:
    """The Debian that jobs run in, unless it is there."""
    asked = subprocess.run([python, "-P", "-B", str(ROOT / "tools" / "image.py")], stdout=subprocess.PIPE, check=True)
    said = json.loads(asked.stdout.decode())
    if said["there"]:
        return None
    if os.geteuid() == 0 and not debian.can_install() and not shutil.which("mmdebstrap"):
        return Image(said["place"], "mmdebstrap is not installed")
    return Image(said["place"], said["lacks"])


def build_image(home: Path) -> None:
    """Jobs run without it too, so nothing stops when it cannot be made."""
    if not run(
        "The Debian that jobs run in", [str(home / ".venv" / "bin" / "gatebot"), "image", "build"], dict(os.environ)
    ):
        print("  Jobs run on this system's own files instead. To try again: .venv/bin/gatebot image build")


def locks() -> dict[str, str]:
    """The hash of each lock file."""
    return {goal: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for goal, (name, _) in LOCKS.items()}


def is_current(home: Path, goal: str, python: str) -> bool:
    """Was this very set-up done before, by this interpreter, and is it still there?"""
    try:
        stamp = json.loads((home / ".venv" / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    wanted = {"python": os.path.realpath(python), "home": str(home), goal: locks()[goal]}
    there = (ROOT / ".venv" / "bin" / "gatebot").exists()
    return there and all(stamp.get(key) == value for key, value in wanted.items())


def install_packages(home: Path, goal: str, python: str) -> bool:
    """The virtual environment: made without pip, filled by the pip that lies beside this file."""
    venv = home / ".venv"
    pip = next(iter(sorted((ROOT / "tools").glob("pip-*.whl"))), None)
    if pip is None:
        print("tools/pip-*.whl is missing. It is part of the repository: `git checkout tools` brings it back.")
        return False
    if not usable(venv, python):
        if venv.is_symlink():
            venv.unlink()
        subprocess.run([python, "-m", "venv", "--clear", "--without-pip", str(venv)], check=True)
    (venv / STAMP).unlink(missing_ok=True)
    lock = ROOT / LOCKS[goal][0]
    options = ["--require-hashes", "--no-input", "--disable-pip-version-check", "--no-warn-script-location"]
    command = [str(venv / "bin" / "python"), str(pip / "pip"), "install", *options, "--prefer-binary", "-r", str(lock)]
    if not run("Python packages", command, dict(os.environ)):
        print(FAILED_DOWNLOAD)
        return False
    connect(venv, home)
    done = locks()
    # The lock of the tests holds that of the tour: who has the one has the other.
    hashes = done if goal == "test" else {"demo": done["demo"]}
    (venv / STAMP).write_text(
        json.dumps({"python": os.path.realpath(python), "home": str(home), **hashes}) + "\n", "utf-8"
    )
    if home != ROOT:
        places.link(ROOT / ".venv", venv)
    return True


def usable(venv: Path, python: str) -> bool:
    """Is it a virtual environment of this interpreter?"""
    try:
        settings = (venv / "pyvenv.cfg").read_text("utf-8")
    except OSError:
        return False
    executable = f"executable = {os.path.realpath(python)}"
    return not venv.is_symlink() and executable in settings.splitlines() and (venv / "bin" / "python").exists()


def connect(venv: Path, home: Path) -> None:
    """Make the checkout importable in the environment, and `gatebot` a command."""
    site = next(iter((venv / "lib").glob("python3*/site-packages")))
    (site / "gatebot-checkout.pth").write_text(f"{home}\n", "utf-8")
    script = venv / "bin" / "gatebot"
    # -P: a folder named gatebot in the current directory is not the program.
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(venv / "bin" / "python"))} -P -m gatebot "$@"\n', "utf-8")
    script.chmod(0o755)


def run(what: str, command: Sequence[str], environment: dict[str, str]) -> bool:
    """Run a long command: one moving line on a terminal, two lines elsewhere, and its last words if it fails."""
    started = time.monotonic()
    alive = sys.stdout.isatty()
    last: list[str] = []
    print(f"  {what} ...", end="" if alive else "\n", flush=True)
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    for raw in iter(process.stdout.readline, b""):
        line = raw.decode("utf-8", "replace").rstrip()
        last = [*last, line][-LAST_WORDS:]
        if alive:
            width = shutil.get_terminal_size().columns - 1
            print(
                f"\r\033[K  {what} ({time.monotonic() - started:.0f} s) {line.strip()}"[: width + 4], end="", flush=True
            )
    process.stdout.close()
    good = process.wait() == 0
    print(f"{chr(13) + chr(27) + '[K' if alive else ''}  {what}: {'done' if good else 'FAILED'}", end="")
    print(f" in {time.monotonic() - started:.0f} s", flush=True)
    if not good:
        print("\n".join(f"    {line[:160]}" for line in last))
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
