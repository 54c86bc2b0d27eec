# SPDX-License-Identifier: Apache-2.0
"""What the node objects of a layout come to: problems of their names, and the labels that gatebot can serve.

A provider begins with its section and that section's parents; labels take the site's keys of `[labels.NAME]` from what
stands there: the image's name, its architecture, and what the flavor says of memory, disk and processors. What only a
cloud understands (credentials, quotas, networks, ages of nodes, uploads) is kept and not mapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...assignment import Json
from ...merging import merged
from ...reasons import Reason, reason
from .layout import Layout
from .objects_nodes import Config, Label, NodeObject, Provider, Section

# What flavors and labels of Zuul's drivers call a thing, by our key; numbers of memory are MiB, of disk GiB.
_MEMORY = ("memory", "ram")
_DISK = ("storage", "disk", "volume-size")
_CPUS = ("cpus", "cpu", "vcpus")


@dataclass(frozen=True, slots=True)
class Flat:
    """A provider with everything that its sections say."""

    connection: str = ""
    images: Mapping[str, Config] = field(default_factory=dict[str, Config])
    flavors: Mapping[str, Config] = field(default_factory=dict[str, Config])
    labels: Mapping[str, Config] = field(default_factory=dict[str, Config])


def node_problems(layout: Layout) -> Iterator[tuple[NodeObject, Reason, str]]:
    """Everything that is wrong between the node objects of a layout: the object, why, and the word at fault."""
    for label in layout.labels.values():
        for why, word in _label_problems(layout, label):
            yield label, why, word
    for section in layout.sections.values():
        if section.parent and section.parent not in layout.sections:
            yield section, reason("config.unknown-section", section=section.parent), section.parent
    for provider in layout.providers.values():
        for why, word in _provider_problems(layout, provider):
            yield provider, why, word


def _label_problems(layout: Layout, label: Label) -> Iterator[tuple[Reason, str]]:
    if label.image not in layout.images:
        yield reason("config.unknown-image", image=label.image), label.image
    if label.flavor not in layout.flavors:
        yield reason("config.unknown-flavor", flavor=label.flavor), label.flavor
    for alias in label.aliases:
        if alias not in layout.labels:
            yield reason("config.unknown-label", label=alias), alias


def _provider_problems(layout: Layout, provider: Provider) -> Iterator[tuple[Reason, str]]:
    """Sections that are missing or go in circles, connections that differ, and objects that are not defined."""
    chain = _sections(layout, provider.section)
    if provider.section not in layout.sections:
        yield reason("config.unknown-section", section=provider.section), provider.section
    elif chain[-1].parent in {one.name for one in chain}:
        yield reason("config.section-cycle", section=chain[-1].name), provider.section
    connections = {one.connection for one in (provider, *chain) if one.connection}
    if len(connections) > 1:
        yield reason("config.two-connections", provider=provider.name, names=", ".join(sorted(connections))), "section"
    flat = flattened(layout, provider)
    for name in flat.images:
        if name not in layout.images:
            yield reason("config.unknown-image", image=name), name
    for name in flat.flavors:
        if name not in layout.flavors:
            yield reason("config.unknown-flavor", flavor=name), name
    for name in flat.labels:
        if name not in layout.labels:
            yield reason("config.unknown-label", label=name), name


def _sections(layout: Layout, name: str) -> list[Section]:
    """A section and its parents, innermost first, each once."""
    found: list[Section] = []
    while name in layout.sections and layout.sections[name] not in found:
        found.append(layout.sections[name])
        name = found[-1].parent
    return found


def flattened(layout: Layout, provider: Provider) -> Flat:
    """A provider with its sections: outermost first, lists by name, mappings merged, defaults put below."""
    parts = (*reversed(_sections(layout, provider.section)), provider)
    config: Config = {}
    images: dict[str, Config] = {}
    flavors: dict[str, Config] = {}
    labels: dict[str, Config] = {}
    for part in parts:
        config = merged(config, part.config)
        images |= part.images
        labels |= part.labels
        flavors |= part.flavors if isinstance(part, Section) else {}
    return Flat(
        connection=next((part.connection for part in parts if part.connection), ""),
        images={name: _above(config, "image-defaults", own) for name, own in images.items()},
        flavors={name: _above(config, "flavor-defaults", own) for name, own in flavors.items()},
        labels={name: _above(config, "label-defaults", own) for name, own in labels.items()},
    )


def _above(config: Config, defaults: str, own: Config) -> Config:
    below = config.get(defaults)
    return merged(below, own) if isinstance(below, Mapping) else own


def site_labels(layout: Layout) -> dict[str, dict[str, object]]:
    """The labels that providers have, each with the keys of `[labels.NAME]` that its objects say.

    A label serves for its aliases where no provider has them.
    """
    providers = [flattened(layout, provider) for provider in layout.providers.values()]
    served = [(label, flat) for label in layout.labels.values() for flat in providers if label.name in flat.labels]
    found: dict[str, dict[str, object]] = {}
    for label, flat in served:
        found.setdefault(label.name, _keys(label, flat))
    for label, _ in served:
        for alias in label.aliases:
            found.setdefault(alias, found[label.name])
    return found


def _keys(label: Label, flat: Flat) -> dict[str, object]:
    said = merged(flat.flavors.get(label.flavor, {}), flat.labels.get(label.name, {}))
    architecture = flat.images.get(label.image, {}).get("architecture")
    keys: dict[str, object] = {"image": label.image}
    if isinstance(architecture, str):
        keys["arch"] = architecture
    for key, names, unit in (("memory", _MEMORY, "M"), ("disk", _DISK, "G")):
        if (size := _number(said, names)) is not None:
            keys[key] = f"{int(size)}{unit}"
    if (cpus := _number(said, _CPUS)) is not None:
        keys["cpus"] = cpus
    return keys


def _number(config: Config, names: tuple[str, ...]) -> int | float | None:
    said: list[Json] = [config[name] for name in names if name in config]
    return next((one for one in said if isinstance(one, int | float) and not isinstance(one, bool) and one > 0), None)
