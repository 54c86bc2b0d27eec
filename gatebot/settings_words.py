# SPDX-License-Identifier: Apache-2.0
"""What a setting is: a field of a frozen dataclass that tells what it is for.

The words that the tables of settings are written in; the settings themselves are in `settings_fields.py` and
`settings_providers.py`.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeVar

T = TypeVar("T")

BYTES = "bytes"
"""The unit of sizes; in the file a number or a text such as "512M"."""

KIB, MIB, GIB = 1024, 1024**2, 1024**3


def setting(default: T, about: str, *, unit: str = "", choices: tuple[str, ...] = (), least: int | None = None) -> T:
    """A field that describes itself; typed as its value, because that is what readers of it get."""
    metadata = {"about": about, "unit": unit, "choices": choices, "least": least}
    return field(default=default, metadata=metadata)
