# SPDX-License-Identifier: Apache-2.0
"""What a server of a cloud is to be, as a provider's settings and a label's `server` say it.

Only values and the reading of a label's table; nothing here knows what a cloud is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import cast

from ...errors import SettingsError
from ...settings_words import guess, written


@dataclass(frozen=True, slots=True)
class Server:
    """A server; None is what nobody said. `volume` is the size in GiB of the volume that it boots from, 0: none."""

    flavor: str | None = None
    network: str | None = None
    floating_network: str | None = None
    security_groups: tuple[str, ...] | None = None
    zone: str | None = None
    volume: int | None = None
    user: str | None = None

    def over(self, other: Server) -> Server:
        """The same, with what it does not say as the other one says it."""
        said = {name.name: getattr(self, name.name) for name in fields(self)}
        return replace(other, **{name: value for name, value in said.items() if value is not None})


def server_from(table: Mapping[str, object], where: str) -> Server:
    """The server that a label's table `server` describes; unknown keys and unusable values name the key."""
    given: dict[str, object] = {}
    for key, value in table.items():
        match key, value:
            case (("flavor" | "network" | "floating_network" | "zone" | "user"), str()):
                given[key] = value
            case "volume", int() if value >= 0 and not isinstance(value, bool):
                given[key] = value
            case "security_groups", list() if all(isinstance(one, str) for one in cast("list[object]", value)):
                given[key] = tuple(cast("list[str]", value))
            case _ if key in _HINTS:
                raise SettingsError(f"{where}.{key}: {written(value)} cannot be used. {_HINTS[key]}")
            case _:
                raise SettingsError(f"{where}.{key}: there is no such key.{guess(key, _HINTS)}")
    return Server(**given)  # pyright: ignore[reportArgumentType]  # each was checked above


_HINTS = {
    "flavor": "Write the name of a flavor.",
    "network": "Write the name of a network.",
    "floating_network": "Write the name of an external network, or '' for none.",
    "security_groups": "Write a list of names.",
    "zone": "Write the name of an availability zone.",
    "volume": "Write a size in GiB, or 0 for none.",
    "user": "Write the name of a user.",
}
