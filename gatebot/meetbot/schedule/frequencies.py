# SPDX-License-Identifier: Apache-2.0
"""The frequencies that a file may name: those of yaml2ical, each day of the week, and the last one of a month.

Pure: a table and what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .model import DAYS, ORDINALS, Frequency, Kind


def _all() -> Mapping[str, Frequency]:
    weeks = [("weekly", 1, 0), ("biweekly-even", 2, 0), ("biweekly-odd", 2, 1), ("quadweekly", 4, 0)]
    weeks += [(f"quadweekly-week-{rest}", 4, rest) for rest in (1, 2, 3)] + [("quadweekly-alternate", 4, 2)]
    found = [Frequency(name, Kind.WEEKS, every, rest) for name, every, rest in weeks]
    for number, ordinal in enumerate(ORDINALS, 1):
        nth = -1 if ordinal == "last" else number
        found += [Frequency(f"{ordinal}-{day.lower()}", Kind.MONTHS, nth=nth) for day in DAYS]
    return MappingProxyType({one.name: one for one in (*found, Frequency("adhoc", Kind.NEVER))})


FREQUENCIES = _all()
"""By name."""


def weekday_of(frequency: Frequency) -> int | None:
    """The day of the week that a frequency names itself, as `first-monday` does."""
    if frequency.kind is not Kind.MONTHS:
        return None
    return [day.lower() for day in DAYS].index(frequency.name.partition("-")[2])
