#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job meeting-conflicts: the files of planned meetings, checked by the site; each problem is a comment on its line.

The site checks as `gatebot meeting check` does on one's own machine.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import job

_ENDINGS = (".yaml", ".yml")


def site() -> str:
    """The address of the site, as the change has it."""
    address = urlsplit(str(job.variables()["zuul"].get("change_url") or ""))
    if not address.netloc:
        job.fail("meeting-conflicts is for changes: name it in check and gate, and in no other pipeline.")
    return f"{address.scheme}://{address.netloc}"


def files() -> dict[str, str]:
    """The files of the directory by their paths; bytes that are no UTF-8 stay what they are."""
    place = Path(job.text("meetings_directory"))
    found = [one for one in sorted(place.rglob("*")) if one.suffix in _ENDINGS and one.is_file()]
    if not found:
        job.fail(
            f"{place} holds no .yaml files. Name the directory of the meetings in the variable meetings_directory."
        )
    return {str(one): one.read_text("utf-8", errors="surrogateescape") for one in found}


def main() -> None:
    """Let the site check all files at once."""
    asked = {"files": files(), "months": int(job.text("meetings_months"))}
    address = f"{site()}/api/meetings/check"
    answer = job.answer(address, asked)
    if answer is None:
        job.fail(f"the meetings could not be checked: the reason is above. {address} must be in reach of the node.")
    comments: dict[str, list[dict[str, object]]] = {}
    for one in answer["problems"]:
        print(one["text"], flush=True)
        comments.setdefault(one["file"], []).append({"line": one["line"], "message": one["message"]})
    job.give_back(file_comments=comments)
    count = len(answer["problems"])
    if count:
        first = answer["problems"][0]["text"]
        more = f" And {count - 1} more, each a comment on its line." if count > 1 else ""
        job.fail(f"{first}{more}")
    print(f"{answer['meetings']} meetings, none in the way of another.", flush=True)
    sys.exit(0)


main()
