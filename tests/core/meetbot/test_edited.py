# SPDX-License-Identifier: Apache-2.0
"""Minutes that somebody has changed after the end: who said an item did not say its new words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gatebot.meetbot.minutes.fold import fold
from gatebot.meetbot.minutes.render import FORMATS, OTHER_FORMATS
from gatebot.meetbot.model import Entry, EntryKind, Setting

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RECORD = (
    Entry(EntryKind.STARTED, NOON, "ann", "#gatebot", 1),
    Entry(EntryKind.TOPIC, NOON, "ann", "plans", 2),
    Entry(EntryKind.INFO, NOON, "bob", "it is late", 3),
    Entry(EntryKind.INFO, NOON, "bob", "it is dark", 4),
    Entry(EntryKind.ENDED, NOON, "ann", "sync/2026/sync.2026-11-22-12.00", 5),
    Entry(EntryKind.EDITED, NOON, "eve", "it is early", 3),
    Entry(EntryKind.EDITED, NOON, "admin", "it is noon", 3),
)
PAGES = [ending for ending in FORMATS | OTHER_FORMATS if ".log." not in ending]


@pytest.mark.parametrize("ending", PAGES)
def test_an_item_tells_who_changed_its_words_last(ending: str) -> None:
    write = (FORMATS | OTHER_FORMATS)[ending]
    mark = '"changed_by": "admin"' if ending == ".json" else "(changed by admin)"
    told = write(fold(RECORD, (), Setting()), Setting()).replace("\\", "").replace("\n", " ")
    assert told.count(mark) == 1
    assert told.index("it is noon") < told.index(mark) < told.index("it is dark")
    assert "changed by eve" not in told
    assert "changed by" not in write(fold(RECORD, (), Setting(strict=True)), Setting(strict=True))
