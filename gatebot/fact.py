# SPDX-License-Identifier: Apache-2.0
"""The root of all facts, whoever they belong to.

`events.py` has those that rooms tell each other, and is what others import; here is only what they are all made
from. A fact is a frozen dataclass: no behaviour, no IO.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """The root of all facts; `subject` is what the fact is about, for filtering the journal."""

    @property
    def subject(self) -> str:
        """For example `change/12`, `project/demo/api`, `build/5f..`, `meeting/7`."""
        for name in ("change", "meeting", "build", "project", "account", "channel", "tenant"):
            value = getattr(self, name, None)
            if value is not None:
                return f"{name}/{value}"
        return ""
