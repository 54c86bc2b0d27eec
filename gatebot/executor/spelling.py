# SPDX-License-Identifier: Apache-2.0
"""How variables are written for Ansible: which texts of them are templates, and which are not.

Pure. JSON, which is read fastest; in it names are never templates. Where a job has templates for names, as those in
`zuul_copy_output`, it is YAML.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import yaml

from ..assignment import Json


class Plain(str):
    """A text that is no template."""

    __slots__ = ()


def plain(value: Json) -> Json:
    """The value with its texts, and the names in it, marked as texts that are no templates."""
    if isinstance(value, str):
        return Plain(value)
    if isinstance(value, Mapping):
        return {Plain(name): plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def written(value: Json) -> str:
    """As Ansible reads it."""
    if any("{" in name and not isinstance(name, Plain) for name in _names(value)):
        return yaml.dump(_own(value), Dumper=_Dumper, width=float("inf"), sort_keys=False)
    return json.dumps(spelled(value))


def spelled(value: Json) -> Json:
    """As Ansible reads it from JSON. Names that would mean something to its reader are left out: they are not ours."""
    if isinstance(value, Plain):
        return {"__ansible_unsafe": str(value)} if "{" in value else str(value)
    if isinstance(value, Mapping):
        return {str(name): spelled(inner) for name, inner in value.items() if not name.startswith("__ansible_")}
    return [spelled(inner) for inner in value] if isinstance(value, list) else value


def _names(value: Json) -> Iterable[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield name
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _own(value: Json) -> Json:
    """Without the names that mean something to Ansible's reader."""
    if isinstance(value, Mapping):
        return {name: _own(inner) for name, inner in value.items() if not name.startswith("__ansible_")}
    return [_own(inner) for inner in value] if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):
    """Writes each value where it stands, and marks what is no template."""

    def ignore_aliases(self, data: object) -> bool:
        """There are none."""
        return True


def _unsafe(_dumper: yaml.SafeDumper, text: Plain) -> yaml.ScalarNode:
    tag = "!unsafe" if "{" in text else "tag:yaml.org,2002:str"
    return yaml.ScalarNode(tag, str(text), style='"')


_Dumper.add_representer(Plain, _unsafe)
