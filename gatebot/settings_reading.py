# SPDX-License-Identifier: Apache-2.0
"""One section of the settings: from its TOML table to a frozen value, and each key as the documentation shows it.

Pure. Which keys there are and what they may hold is told by the fields themselves (`settings_fields.py`). Sections
that have names of their own are in `settings_named.py`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from typing import cast, get_type_hints

from .settings_fields import SECTIONS
from .settings_providers import PROVIDERS
from .settings_words import BYTES, GIB, KIB, MIB, guess, written

_SIZE = re.compile(r"(\d+)\s*([KMG]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB}


@dataclass(frozen=True, slots=True)
class Described:
    """One setting as the documentation shows it."""

    section: str
    key: str
    default: object
    unit: str
    about: str
    choices: tuple[str, ...]
    least: int | None
    hint: object

    @property
    def name(self) -> str:
        """`section.key`."""
        return f"{self.section}.{self.key}"

    @property
    def default_text(self) -> str:
        """The default as the file writes it."""
        if self.unit == BYTES and isinstance(self.default, int):
            size, letter = (self.default // GIB, "G") if self.default % GIB == 0 else (self.default // MIB, "M")
            return f'"{size}{letter}"'
        return written(self.default)


def described() -> tuple[Described, ...]:
    """Every setting, in the order of the file."""
    found: list[Described] = []
    for section, section_class in (*SECTIONS, *((f"providers.{kind}", its_class) for kind, its_class in PROVIDERS)):
        hints = get_type_hints(section_class)
        for item in dataclasses.fields(section_class):
            told = item.metadata
            found.append(
                Described(
                    section,
                    item.name,
                    item.default,
                    told["unit"],
                    told["about"],
                    told["choices"],
                    told["least"],
                    hints[item.name],
                )
            )
    return tuple(found)


def read_section(section: str, place: str, section_class: type, given: object, errors: list[str]) -> object:
    """One section's values; what is wrong is added to `errors` under `place`."""
    if not isinstance(given, dict):
        errors.append(f"{place}: this is a section; write [{place}] and its keys on the lines below it.")
        return section_class()
    known = {item.key: item for item in described() if item.section == section}
    values: dict[str, object] = {}
    for key, value in cast(dict[str, object], given).items():
        item = known.get(key)
        if item is None:
            errors.append(f"{place}.{key}: there is no such key.{guess(key, known)}")
            continue
        try:
            values[key] = _value(item, value)
        except ValueError as error:
            errors.append(f"{place}.{key}: {error}")
    return section_class(**values)


def _value(item: Described, value: object) -> object:
    """A value as its field wants it; a `ValueError` says what to write."""
    match item.hint, value:
        case _, _ if item.unit == BYTES:
            return _size(value)
        case type() as hint, bool() if hint is bool:
            return value
        case type() as hint, int() if hint is int and not isinstance(value, bool):
            if item.least is not None and value < item.least:
                raise ValueError(f"{value} is too small; the least is {item.least}.")
            return value
        case type() as hint, int() | float() if hint is float and not isinstance(value, bool) and math.isfinite(value):
            if item.least is not None and value < item.least:
                raise ValueError(f"{value} is too small; the least is {item.least}.")
            return float(value)
        case type() as hint, str() if hint is str:
            if item.choices and value not in item.choices:
                near = guess(value, item.choices, known=False)
                raise ValueError(f"{written(value)} is none of {', '.join(item.choices)}.{near}")
            return value
        case _, list() if item.hint == tuple[str, ...]:
            texts = cast(list[object], value)
            if all(isinstance(text, str) for text in texts):
                return tuple(texts)
        case _:
            pass
    raise ValueError(
        f"{written(cast(object, value))} cannot be used; write {_KINDS[item.hint]}, such as {item.default_text}."
    )


_KINDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    tuple[str, ...]: "a list of texts in brackets",
}


def _size(value: object) -> int:
    match = _SIZE.fullmatch(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
    if match is None or int(match[1]) == 0:
        raise ValueError(f'{written(value)} cannot be used; write a number of bytes, or a text such as "512M" or "2G".')
    return int(match[1]) * _UNITS[match[2].upper()]
