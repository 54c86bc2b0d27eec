# SPDX-License-Identifier: Apache-2.0
"""Where set-up puts things, and which Python runs them, so that a server without root's rights can read them.

Standard library only, and nothing newer than Python 3.8: set-up runs before anything is installed.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST = (3, 11)
CHECKOUTS = Path("/var/lib/gatebot/checkouts")
NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
_ASK = (
    "import sys, sysconfig; print(*sys.version_info[:2], sys.prefix == sys.base_prefix, sysconfig.get_path('stdlib'))"
)


def open_to_all(path: Path) -> bool:
    """May every user of this machine reach and read it?"""
    try:
        way = path.resolve(strict=True)
        return bool(way.stat().st_mode & 0o004) and all(above.stat().st_mode & 0o001 for above in way.parents)
    except OSError:
        return False


def interpreter() -> str | None:
    """A Python that is new enough; for root, one that other users can run too, if there is one."""
    suitable = (python for python in _candidates() if _suits(python))
    if os.geteuid() != 0:
        return next(suitable, None)
    found: list[str] = []
    for python in suitable:
        if _open_python(python):
            return python
        found.append(python)
    return next(iter(found), None)


def home(root: Path) -> Path:
    """Where the code and its environment live: in the checkout, or, if others could not read that, in a copy."""
    if os.geteuid() != 0 or (open_to_all(root) and open_to_all(root / "gatebot" / "__init__.py")):
        return root
    return CHECKOUTS / f"{root.name}-{hashlib.sha256(bytes(root)).hexdigest()[:8]}"


def copy_checkout(root: Path, copy: Path) -> None:
    """Bring the copy up to date: the same commits, the same files, readable by all; what is gone here goes there."""
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not (root / ".git").exists():  # an unpacked archive
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".venv"), dirs_exist_ok=True)
        return
    if not (copy / ".git").is_dir():
        shutil.rmtree(copy, ignore_errors=True)
        _git(copy.parent, "clone", "--quiet", "--no-hardlinks", "--no-checkout", str(root), str(copy))
    _git(copy, "fetch", "--quiet", "--force", "--update-head-ok", str(root), "HEAD", "+refs/heads/*:refs/heads/*")
    _git(copy, "update-ref", "--no-deref", "HEAD", "FETCH_HEAD")
    _git(copy, "read-tree", "HEAD")
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    wanted = {name for name in listed if name and (root / name).is_file()}
    there = _git(copy, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in {name for name in there if name} - wanted:
        (copy / name).unlink(missing_ok=True)
    for name in sorted(wanted):
        _copy(root / name, copy / name)
    subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)


def link(at: Path, target: Path) -> None:
    """Make `at` a link to `target`, whatever was there."""
    if at.is_symlink() or at.exists():
        if at.is_dir() and not at.is_symlink():
            shutil.rmtree(at)
        else:
            at.unlink()
    at.symlink_to(target, target_is_directory=True)


def _candidates() -> Iterator[str]:
    yield sys.executable
    for name in NAMES:
        for folder in [*os.get_exec_path(), "/usr/bin", "/usr/local/bin"]:
            path = Path(folder) / name
            if os.access(path, os.X_OK) and not path.is_dir():
                yield str(path)


@functools.lru_cache(maxsize=None)  # noqa: UP033  (an old Python shall reach the sentence that asks for a newer one)
def _facts(python: str) -> list[str] | None:
    asked = subprocess.run([python, "-c", _ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return asked.stdout.decode().strip().split(" ", 3) if asked.returncode == 0 else None


def _suits(python: str) -> bool:
    """New enough, and no virtual environment itself: ours would hang on that one."""
    facts = _facts(python)
    return facts is not None and (int(facts[0]), int(facts[1])) >= OLDEST and facts[2] == "True"


def _open_python(python: str) -> bool:
    facts = _facts(python)
    return facts is not None and open_to_all(Path(python)) and open_to_all(Path(facts[3]))


def _copy(source: Path, target: Path) -> None:
    if target.exists() and not target.is_symlink():
        there, here = target.stat(), source.stat()
        if (there.st_size, there.st_mtime_ns) == (here.st_size, here.st_mtime_ns):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _git(where: Path, *arguments: str) -> str:
    # A root checkout is often somebody else's directory; git would refuse to read it.
    command = ["git", "-c", "safe.directory=*", "-C", str(where), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()


def clean(root: Path) -> None:
    """Remove the environment of a checkout, and the copy of the checkout if it has one."""
    venv = root / ".venv"
    if venv.is_symlink():
        copy = venv.resolve().parent
        venv.unlink()
        if copy.parent == CHECKOUTS:
            shutil.rmtree(copy, ignore_errors=True)
    elif venv.exists():
        shutil.rmtree(venv)


if __name__ == "__main__" and sys.argv[1:] == ["clean"]:
    clean(Path(__file__).resolve().parent.parent)
