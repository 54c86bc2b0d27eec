# SPDX-License-Identifier: Apache-2.0
"""Build hook of the wheel: adds gatebot's own source as one archive.

The tour gates changes to gatebot itself. From a checkout it uses the repository; an installed wheel carries this
snapshot instead, which the tour imports as one commit.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "gatebot/_data/source.tar.gz"


class CustomBuildHook(BuildHookInterface[BuilderConfig]):
    """hatchling finds the hook by this name."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the archive and have it included."""
        archive = Path(self.directory) / ".source.tar.gz"
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_bytes(pack(Path(self.root)))
        build_data["force_include"][str(archive)] = NAME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave only the wheel behind."""
        (Path(self.directory) / ".source.tar.gz").unlink()


def pack(root: Path) -> bytes:
    """The same files give the same bytes, whenever and by whomever they are packed."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name in sources(root):
            path = root / name
            entry = tarfile.TarInfo(name)
            entry.size = path.stat().st_size
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)
    return buffer.getvalue()


def sources(root: Path) -> list[str]:
    """What git tracks; in an unpacked source distribution, everything. Without the vendored pip, which is large."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    asked = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if asked.returncode == 0 and (root / ".git").exists():
        names = asked.stdout.decode().split("\0")
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*")]
    return sorted(name for name in names if name and not name.endswith(".whl") and (root / name).is_file())
