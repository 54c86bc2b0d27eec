# SPDX-License-Identifier: Apache-2.0
"""Durations in words: how long something took, and about how long something will take.

Pure, and light to import: the command line tells durations too. Moments are shown by `site.py`.
"""

from __future__ import annotations

from math import ceil

_UNITS = {"en": (" h", " min", " s"), "ko": ("시간", "분", "초")}
_MOMENT = {"en": "under 1 s", "ko": "1초 미만"}


def duration(seconds: float | None, language: str = "en") -> str:
    """`1 h 20 min`, `2 min 03 s`, `4 s`, `under 1 s`: the two largest units."""
    if seconds is None:
        return ""
    if seconds < 1:
        return _MOMENT[language]
    hour, minute, second = _UNITS[language]
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours}{hour} {minutes:02d}{minute}"
    return f"{minutes}{minute} {whole % 60:02d}{second}" if minutes else f"{whole}{second}"


def about(seconds: float, language: str = "en") -> str:
    """A guess: in steps of 10 s below a minute, else in whole minutes. More would be more than is known."""
    if seconds <= 50:
        return duration(about_seconds(seconds), language)
    return duration(max(1, round(seconds / 60)) * 60, language).removesuffix(f" 00{_UNITS[language][2]}")


def about_seconds(seconds: float) -> int:
    """A guess below a minute: the next 10 s, for what ends sooner than told is a smaller disappointment."""
    return max(1, ceil(seconds / 10)) * 10
