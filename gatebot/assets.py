# SPDX-License-Identifier: Apache-2.0
"""Where the data that ships with the code is: templates, static files, the job library, the tour's packages.

Floor 2: it looks at the disk. The same call answers in a checkout, where the data lies beside the package, and in
an installed wheel, where it lies inside it. Reading the files is the caller's business.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSIDE_WHEEL = _PACKAGE / "_data"


def checkout() -> Path | None:
    """The root of the source tree that runs; None: an installed wheel runs."""
    return None if _INSIDE_WHEEL.is_dir() else _PACKAGE.parent


def path(*parts: str) -> Path:
    """Where a shipped file or folder is, named from the root of the source tree: `path("web", "templates")`."""
    found = (checkout() or _INSIDE_WHEEL).joinpath(*parts)
    if not found.exists():
        raise FileNotFoundError(
            f"{'/'.join(parts)} is missing from this installation ({found}); install gatebot again, or restore the file"
        )
    return found
