# SPDX-License-Identifier: Apache-2.0
"""The smallest images that have a shell, of this machine's own programs, so that no registry is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from gatebot.executor.providers.container import Podman
from tests.programs import need

NAME = "localhost/gatebot-busybox:1"


def busybox_image(root: Path, podman: Podman) -> str:
    """Import it; its name."""
    return _imported(_busybox(root / "busybox"), podman, NAME)


def python_image(root: Path, podman: Podman) -> str:
    """The same with this machine's own Python; its name."""
    tree, python, library = _busybox(root / "python"), Path(sys.executable).resolve(), Path(os.__file__).parent
    shutil.copytree(library, tree / library.relative_to("/"), ignore=shutil.ignore_patterns(*_LEFT_OUT))
    programs = [str(python), *map(str, library.glob("lib-dynload/*.so"))]
    linked = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    needed = {word for line in linked.splitlines() for word in line.split() if word.startswith("/") and ":" not in word}
    for path in (str(python), *sorted(needed)):
        target = tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (tree / "bin/python3").symlink_to(python)
    return _imported(tree, podman, "localhost/gatebot-python:1")


_LEFT_OUT = ("test", "tests", "__pycache__", "dist-packages", "site-packages", "lib2to3", "idlelib", "config-*", "*.a")


def _busybox(tree: Path) -> Path:
    busybox = need("busybox", "busybox-static")
    need("podman"), need("runc"), need("catatonit")
    for name in ("bin", "etc", "home/job", "opt/gatebot", "proc", "run", "sys", "tmp", "var/tmp", "usr/bin"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    (tree / "bin/busybox").write_bytes(Path(busybox).read_bytes())
    (tree / "bin/busybox").chmod(0o755)
    (tree / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\njob:x:1000:1000::/home/job:/bin/sh\n")
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        if name != "busybox":
            (tree / "bin" / name).symlink_to("busybox")
    return tree


def _imported(tree: Path, podman: Podman, name: str) -> str:
    archive = tree.with_suffix(".tar")
    subprocess.run(["tar", "-C", str(tree), "-cf", str(archive), "."], check=True)
    podman.write()
    line = [podman.program, "import", "--quiet", str(archive), name]
    subprocess.run(line, check=True, capture_output=True, env=podman.environment)
    return name
