# SPDX-License-Identifier: Apache-2.0
"""Configuration files of OpenStack's services as values: sections of options, merged, then written.

Pure. What a later part says of an option wins, as in the services themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

#: Options by section; a value is written as it is.
Sections: TypeAlias = Mapping[str, Mapping[str, str]]


def merged(*parts: Sections) -> dict[str, dict[str, str]]:
    """One file's sections out of several parts."""
    whole: dict[str, dict[str, str]] = {}
    for part in parts:
        for section, options in part.items():
            whole.setdefault(section, {}).update(options)
    return whole


def text(sections: Sections) -> str:
    """The file."""
    blocks = (
        "\n".join((f"[{section}]", *(f"{name} = {value}" for name, value in options.items())))
        for section, options in sections.items()
    )
    return "\n\n".join(blocks) + "\n"
