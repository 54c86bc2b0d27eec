# SPDX-License-Identifier: Apache-2.0
"""A repository for a moment that has the objects of a project and only those of its references that are named.

Floor 2. Who pushes from it cannot push what came into the project meanwhile, whatever patterns he names.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path

from .program import settings_text


@contextlib.contextmanager
def showing(project: Path, references: Mapping[str, str]) -> Generator[Path]:
    """The directory of that repository; `project` is the project's, `references` the ids by full names."""
    with tempfile.TemporaryDirectory(prefix="gatebot-showing-") as name:
        made = Path(name)
        (made / "objects" / "info").mkdir(parents=True)
        (made / "refs").mkdir()
        (made / "objects" / "info" / "alternates").write_text(f"{project / 'objects'}\n")
        (made / "config").write_text(settings_text(served=False))
        (made / "HEAD").write_text("ref: refs/heads/main\n")
        lines = (f"{id} {ref}\n".encode("utf-8", "surrogateescape") for ref, id in sorted(references.items()))
        (made / "packed-refs").write_bytes(b"".join(lines))
        yield made
