# SPDX-License-Identifier: Apache-2.0
"""What tools say of lines of files, read from their output: comments on the change.

Imported by the scripts beside it. Almost every linter, compiler and Sphinx write `PATH:LINE: MESSAGE`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_MOST = 100  # comments that the site takes of a build
_FINDING = re.compile(r"^\s*(?P<path>[^\s:]+):(?P<line>\d+):(?:\d+:?)? *(?P<message>\S.*)$")

Findings = dict[str, list[dict[str, Any]]]


def read(output: str) -> Findings:
    """The findings by the paths of files of the project, each once."""
    here, found = Path.cwd(), dict[tuple[str, int, str], None]()
    for match in map(_FINDING.match, output.splitlines()):
        if match and (path := Path(match["path"]).resolve()).is_file() and here in path.parents:
            found[str(path.relative_to(here)), int(match["line"]), match["message"]] = None
    told: Findings = {}
    for name, line, message in list(found)[:_MOST]:
        told.setdefault(name, []).append({"line": line, "message": message, "level": "warning"})
    return told


def counted(told: Findings) -> str:
    """How many there are, in words."""
    lines = sum(map(len, told.values()))
    if not lines:
        return "the reason is above"
    return f"{lines} finding{'s' * (lines != 1)} in {len(told)} file{'s' * (len(told) != 1)}, commented on the change"
