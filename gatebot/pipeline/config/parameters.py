# SPDX-License-Identifier: Apache-2.0
"""Parameters of a manual enqueue: what a project declares, what a person gives, and what jobs get of it.

Pure. In a job's variables they stand between those of the project and its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...assignment import Json
from ...reasons import Reason, reason
from .fields import entries, flag, plain, text
from .objects import Parameter
from .schema import Findings
from .yamltext import YamlMap


def parameter(conf: YamlMap, found: Findings) -> Parameter:
    """A parameter as it is declared, with what is wrong with it."""
    kind = text(conf, "type") or ""
    values = tuple(plain(item) for item, _ in entries(conf, "values") or ())
    default = plain(conf.get("default"))
    made = Parameter(
        name=text(conf, "name") or "",
        type=kind,
        description=text(conf, "description") or "",
        values=values,
        default=default,
        required=flag(conf, "required") or False,
    )
    if kind.endswith("selection") and not values:
        found.add(conf.line, reason("config.selection-without-values", parameter=made.name))
    elif default is not None and not _fits(made, default):
        found.add(conf.lines["default"], _odd(made, default))
    return made


def values(declared: Iterable[Parameter], given: Mapping[str, Json]) -> dict[str, Json]:
    """What jobs get: what was given and fits, else the default. What nobody declared is not passed on."""
    result: dict[str, Json] = {}
    for one in declared:
        value = given.get(one.name, one.default)
        if value is not None and _fits(one, value):
            result[one.name] = value
    return result


def refusals(declared: Iterable[Parameter], given: Mapping[str, Json]) -> Iterator[Reason]:
    """Why a person may not enqueue with these parameters."""
    known = {one.name: one for one in declared}
    for name, value in given.items():
        if name not in known:
            yield reason("config.unknown-parameter", parameter=name, known=", ".join(known) or "-")
        elif not _fits(known[name], value):
            yield _odd(known[name], value)
    for name, one in known.items():
        if one.required and one.default is None and name not in given:
            yield reason("config.missing-parameter", parameter=name)


def _fits(one: Parameter, value: Json) -> bool:
    match one.type:
        case "bool":
            return isinstance(value, bool)
        case "selection":
            return value in one.values
        case "multiple-selection":
            return isinstance(value, list) and all(item in one.values for item in value)
        case _:
            return isinstance(value, str | int | float) and not isinstance(value, bool)


def _odd(one: Parameter, value: Json) -> Reason:
    told = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
    if one.values:
        return reason(
            "config.parameter-not-one-of", parameter=one.name, found=told, values=", ".join(map(str, one.values))
        )
    return reason("config.parameter-type", parameter=one.name, found=told, type=one.type)
