# SPDX-License-Identifier: Apache-2.0
"""Images, flavors, labels, sections and providers: from checked mappings to values.

Names of others are looked up by `nodes.py`, once everything is read.
"""

from __future__ import annotations

from ...assignment import Json
from ...reasons import reason
from .fields import entries, flag, number, plain, text, texts
from .model import Location
from .objects_nodes import Flavor, Image, Label, NodeObject, Provider, Section
from .schema import Findings
from .yamltext import YamlMap

_OWN = {"name", "section", "parent", "connection", "abstract", "description", "images", "flavors", "labels"}


def node_object(kind: str, conf: YamlMap, name: str, at: Location, found: Findings) -> NodeObject:
    """One object of nodes."""
    described = text(conf, "description") or ""
    match kind:
        case "image":
            retain, most = number(conf, "retain-count"), number(conf, "max-retain-count")
            if retain is not None and most is not None and retain > most:
                found.add(conf.lines["retain-count"], reason("config.retains-too-many", count=retain, limit=most))
            return Image(name, at, text(conf, "type") or "", described, retain or 2, most)
        case "flavor":
            return Flavor(name, at, described)
        case "label":
            return _label(conf, name, at)
        case "section":
            return Section(
                name=name,
                at=at,
                parent=text(conf, "parent") or "",
                connection=text(conf, "connection") or "",
                abstract=flag(conf, "abstract") or False,
                images=_listed(conf, "images", found),
                flavors=_listed(conf, "flavors", found),
                labels=_listed(conf, "labels", found),
                config=_rest(conf),
            )
        case _:
            if "flavors" in conf:
                found.add(conf.lines["flavors"], reason("config.flavors-in-provider"))
            return Provider(
                name=name,
                at=at,
                section=text(conf, "section") or "",
                connection=text(conf, "connection") or "",
                images=_listed(conf, "images", found),
                labels=_listed(conf, "labels", found),
                config=_rest(conf),
            )


def _label(conf: YamlMap, name: str, at: Location) -> Label:
    return Label(
        name=name,
        at=at,
        image=text(conf, "image") or "",
        flavor=text(conf, "flavor") or "",
        description=text(conf, "description") or "",
        aliases=texts(conf, "aliases") or (),
        min_ready=number(conf, "min-ready") or 0,
        max_ready_age=number(conf, "max-ready-age") or 0,
        max_age=number(conf, "max-age") or 0,
        min_retention_time=number(conf, "min-retention-time") or 0,
        max_nodes=number(conf, "max-nodes"),
    )


def _listed(conf: YamlMap, attribute: str, found: Findings) -> dict[str, dict[str, Json]]:
    """The entries of a list of names, or of mappings with a `name`, by name."""
    result: dict[str, dict[str, Json]] = {}
    for item, line in entries(conf, attribute) or ():
        name = (text(item, "name") if isinstance(item, YamlMap) else str(item)) or ""
        if not name:
            found.add(line, reason("config.missing-attribute", attribute="name", object=attribute))
        elif isinstance(item, YamlMap):
            result[name] = {key: plain(value) for key, value in item.items() if key != "name"}
        else:
            result[name] = {}
    return result


def _rest(conf: YamlMap) -> dict[str, Json]:
    return {key: plain(value) for key, value in conf.items() if key not in _OWN}
