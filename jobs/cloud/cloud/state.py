# SPDX-License-Identifier: Apache-2.0
"""What a cloud's databases, broker and keys are before its services start, kept for clouds that would come to the same.

A state is named by what it is made of: the services, their tables as the code of this build makes them, our own data,
and the programs that hold it. A change that touches a migration so has a name that nobody has kept, and its cloud
begins from nothing.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .options import Options

#: What a state has, below the root.
PLACES = (
    "var/lib/mysql-cloud", "var/lib/rabbitmq", "var/cache/libvirt", "etc/keystone/fernet-keys",
    "etc/keystone/credential-keys",
)  # fmt: skip
SUFFIX = ".tar.zst"
#: Which MariaDB and which RabbitMQ write it.
_SYSTEM = Path("/var/lib/dpkg/status")
_OURS = ("data.py", "state.py", "base.py")
_TABLES = frozenset({"db", "migrations", "sql"})
_FIRST_DATA = frozenset({"bootstrap.py"})


def name(options: Options, projects: Path) -> str:
    """The name of the state that this cloud begins with; `projects` is what was installed from checkouts."""
    told = {"services": sorted(options.services), "password": options.password, "region": options.region}
    told |= {"venv": options.venv, "controller": options.controller}
    found = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for path in (*(Path(__file__).parent / ours for ours in _OURS), _SYSTEM):
        found.update(path.read_bytes() if path.exists() else b"")
    for path, shown in _sources(options, projects):
        found.update(f"\n{shown}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:32]


def _sources(options: Options, projects: Path) -> Iterator[tuple[Path, str]]:
    """The files of each service that make its tables and what is in them first, with names to hash them by."""
    packages = next(Path(options.venv).glob("lib/python3*/site-packages"), Path(options.venv))
    for service in sorted(options.services):
        place = next((above / service for above in (projects, packages) if (above / service).is_dir()), None)
        for path in sorted(place.rglob("*.py")) if place is not None else ():
            shown = path.relative_to(place.parent) if place is not None else path
            if _TABLES.intersection(shown.parts[:-1]) or path.name in _FIRST_DATA:
                yield path, str(shown)


def pack(target: Path, root: Path = Path("/")) -> None:
    """Write a state; nothing that it is of may run."""
    there = [place for place in PLACES if (root / place).is_dir()]
    target.parent.mkdir(parents=True, exist_ok=True)
    _tar("--create", "--zstd", "--sparse", "--file", str(target), "--directory", str(root), *there)


def restore(source: Path, root: Path = Path("/")) -> None:
    """Lay a state where the services look for it."""
    _tar("--extract", "--zstd", "--no-same-owner", "--file", str(source), "--directory", str(root))


def _tar(*words: str) -> None:
    subprocess.run(["tar", *words], check=True)
