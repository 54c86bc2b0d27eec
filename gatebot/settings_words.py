# SPDX-License-Identifier: Apache-2.0
"""What a setting is: a field of a frozen dataclass that tells what it is for; and how a refused one is spoken of.

The words that the tables of settings are written in; the settings themselves are in `settings_fields.py` and
`settings_providers.py`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import TypeVar, cast

T = TypeVar("T")

BYTES = "bytes"
"""The unit of sizes; in the file a number or a text such as "512M"."""

KIB, MIB, GIB = 1024, 1024**2, 1024**3


def setting(default: T, about: str, *, unit: str = "", choices: tuple[str, ...] = (), least: int | None = None) -> T:
    """A field that describes itself; typed as its value, because that is what readers of it get."""
    metadata = {"about": about, "unit": unit, "choices": choices, "least": least}
    return field(default=default, metadata=metadata)


def written(value: object) -> str:
    """A value as TOML writes it; what we have to write is the part that JSON writes alike."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(each) for each in cast(Sequence[object], value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)


def guess(name: str, names: Iterable[str], *, known: bool = True) -> str:
    """The end of a refusal: which of these names was meant, or, where that is not clear and not said, all of them."""
    names = list(names)
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f" Did you mean {near[0]}?"
    return f" Known are: {', '.join(sorted(names))}." if known else ""
