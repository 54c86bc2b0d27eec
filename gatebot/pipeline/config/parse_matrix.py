# SPDX-License-Identifier: Apache-2.0
"""A matrix: one definition that stands for an ordinary job for each combination of values. An addition of ours.

`unit` with `matrix: {arch: [x86_64, arm64], python: ["3.11"]}` is `unit-x86_64-py3.11` and `unit-arm64-py3.11`, which
inherit from it: names that stay the same whatever else the matrix gets, so that history, dependencies and votes follow
them. The values are variables of the job; `arch` is that of its nodes too. Whoever lists `unit` lists all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import TypeAlias

from ...architectures import ARCHITECTURES, canonical
from ...assignment import Json
from ...reasons import reason
from .fields import entries, flag, number, text
from .objects import Variant
from .schema import Findings, check
from .tables_jobs import ARCH_POLICY
from .yamltext import Node, YamlMap

Point: TypeAlias = Mapping[str, str]
"""A combination: a value for each name."""

MOST = 128
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def with_members(conf: YamlMap, base: Variant, found: Findings) -> Variant:
    """The definition with the jobs that its matrix makes of it; without a matrix it is as it was."""
    if "matrix" not in conf:
        for attribute in ("exclude", "arch-policy"):
            if attribute in conf:
                found.add(conf.lines[attribute], reason("config.no-matrix", attribute=attribute))
        return base
    axes = _axes(conf, found)
    left_out = [_point(item) for item, _ in entries(conf, "exclude") or ()]
    for one, (_, line) in zip(left_out, entries(conf, "exclude") or (), strict=True):
        if not any(one.items() <= point.items() for point in _points(axes)):
            said = ", ".join(f"{name}: {value}" for name, value in one.items())
            found.add(line, reason("config.exclude-nothing", said=said))
    points = [point for point in _points(axes) if not any(one.items() <= point.items() for one in left_out)]
    if not points or len(points) > MOST:
        found.add(conf.lines["matrix"], reason("config.matrix-size", count=len(points), most=MOST))
        return base
    policies = _policies(conf, axes, found)
    members = tuple(_member(base, point, policies.get(point.get("arch", ""))) for point in points)
    return replace(base, abstract=True, members=members)


def _axes(conf: YamlMap, found: Findings) -> dict[str, tuple[str, ...]]:
    matrix = conf["matrix"]
    axes: dict[str, tuple[str, ...]] = {}
    for name in matrix if isinstance(matrix, YamlMap) else ():
        assert isinstance(matrix, YamlMap)
        values = tuple(dict.fromkeys(str(value) for value, _ in entries(matrix, name) or ()))
        for value in values:
            if _PLAIN.fullmatch(value) is None:
                found.add(matrix.lines[name], reason("config.matrix-value", name=name, value=value))
            elif name == "arch" and canonical(value) not in ARCHITECTURES:
                known = ", ".join(ARCHITECTURES)
                found.add(matrix.lines[name], reason("config.unknown-arch", arch=value, known=known))
        axes[name] = tuple(dict.fromkeys(map(canonical, values))) if name == "arch" else values
    return axes


def _points(axes: Mapping[str, tuple[str, ...]]) -> Iterator[Point]:
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def _point(item: Node) -> Point:
    said = {name: str(value) for name, value in item.items()} if isinstance(item, YamlMap) else {}
    return {name: canonical(value) if name == "arch" else value for name, value in said.items()}


def _policies(conf: YamlMap, axes: Mapping[str, tuple[str, ...]], found: Findings) -> dict[str, YamlMap]:
    """What is said about each architecture."""
    given = conf.get("arch-policy")
    policies: dict[str, YamlMap] = {}
    for name, policy in given.items() if isinstance(given, YamlMap) else ():
        assert isinstance(given, YamlMap)
        if canonical(name) not in axes.get("arch", ()):
            found.add(given.lines[name], reason("config.arch-not-in-matrix", arch=name))
        elif isinstance(policy, YamlMap):
            check(ARCH_POLICY, policy, given.lines[name], f"arch-policy {name}", found)
            policies[canonical(name)] = policy
    return policies


def _member(base: Variant, point: Point, policy: YamlMap | None) -> Variant:
    """The job of one combination."""
    parts = (f"py{value}" if name == "python" else value for name, value in point.items())
    values: dict[str, Json] = {name.replace("-", "_"): value for name, value in point.items()}
    return Variant(
        name="-".join((base.name, *parts)),
        at=base.at,
        said=("vars",),
        parent=base.name,
        branches=base.branches,
        vars=values,
        arch=point.get("arch"),
        execution=text(policy, "execution") if policy is not None else None,
        voting=flag(policy, "voting") if policy is not None else None,
        timeout=number(policy, "timeout") if policy is not None else None,
    )
