# SPDX-License-Identifier: Apache-2.0
"""Images, flavors, labels, sections and providers as configuration has them.

Frozen, made by `parse_nodes.py` from one file alone. What they come to together is in `nodes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...assignment import Json
from .model import Location

Config = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Image:
    """`type` is `zuul` for one that jobs build, `cloud` for one that the provider has."""

    name: str
    at: Location
    type: str = "cloud"
    description: str = ""
    retain: int = 2
    max_retain: int | None = None


@dataclass(frozen=True, slots=True)
class Flavor:
    name: str
    at: Location
    description: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A kind of node: an image on a flavor. The numbers are Zuul's, of keeping nodes ready."""

    name: str
    at: Location
    image: str
    flavor: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    min_ready: int = 0
    max_ready_age: int = 0
    max_age: int = 0
    min_retention_time: int = 0
    max_nodes: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a cloud. `images`, `flavors` and `labels` are by name; `config` is everything else that it says."""

    name: str
    at: Location
    parent: str = ""
    connection: str = ""
    abstract: bool = False
    images: Mapping[str, Config] = field(default_factory=dict[str, Config])
    flavors: Mapping[str, Config] = field(default_factory=dict[str, Config])
    labels: Mapping[str, Config] = field(default_factory=dict[str, Config])
    config: Config = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Provider:
    """Something that makes nodes: a section, with more images and labels."""

    name: str
    at: Location
    section: str
    connection: str = ""
    images: Mapping[str, Config] = field(default_factory=dict[str, Config])
    labels: Mapping[str, Config] = field(default_factory=dict[str, Config])
    config: Config = field(default_factory=dict[str, Json])


NodeObject = Image | Flavor | Label | Section | Provider
