# SPDX-License-Identifier: Apache-2.0
"""The differences that docs/gerrit-compatibility.md lists, with their reasons: the page is what the test believes."""

from __future__ import annotations

from pathlib import Path

from tests.clients.differential.shapes import Listed

PAGE = Path(__file__).resolve().parents[3] / "docs" / "gerrit-compatibility.md"
BEGIN = "<!-- differences: answers -->"
_END = "<!-- /differences -->"


def listed(text: str | None = None) -> list[Listed]:
    """The rows of the page's table of differences."""
    page = PAGE.read_text() if text is None else text
    table = page.partition(BEGIN)[2].partition(_END)[0]
    found: list[Listed] = []
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.replace("\\|", "\0").strip().strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`"):
            step, where = (cell.strip("`").replace("\0", "|") for cell in cells[:2])
            found.append(Listed(step, where, cells[2].replace("\0", "|")))
    return found
