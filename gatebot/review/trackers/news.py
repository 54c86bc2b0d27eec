# SPDX-License-Identifier: Apache-2.0
"""What trackers are told when a change merges: one JSON object for each thing that its commit message names.

Pure. Private changes are told to nobody: a tracker has other readers than this site.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from ...events import ChangeMerged
from ..model import Change, PatchSet
from .model import Delivery, Named, Tracker
from .rules import named


def news(
    tracker: Tracker, fact: ChangeMerged, number: int, at: datetime, change: Change, patch_set: PatchSet, site: str
) -> Iterator[Delivery]:
    """What one tracker is to be told of a merge; `number` and `at` are the fact's place in the journal."""
    if not tracker.hook or change.private:
        return
    found: dict[tuple[str, str], Named] = {}
    for one in named(patch_set.message, tracker.rules):
        found.setdefault((one.footer.lower(), one.id), one)
    for count, one in enumerate(found.values(), 1):
        key = f"{number}-{count}"
        told = {
            "type": "change-merged",
            "delivery": key,
            "tracker": tracker.name,
            "id": one.id,
            "footer": one.footer,
            "link": one.url,
            "change": change.number,
            "subject": patch_set.subject,
            "project": change.project,
            "branch": change.branch,
            "commit": fact.commit,
            "url": f"{site}/{change.path}",
            "merged": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        yield Delivery(tracker.name, key, json.dumps(told, ensure_ascii=False).encode())
