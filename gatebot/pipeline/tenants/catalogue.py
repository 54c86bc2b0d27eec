# SPDX-License-Identifier: Apache-2.0
"""Jobs as people look them up: what each definition says, which jobs inherit from it, which projects run it.

Pure: derived from a layout. Attributes are shown by the names that stand in the YAML, so nothing here knows them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import cast

from ...assignment import Json
from ..config.collect import NOOP
from ..config.layout import Layout
from ..config.model import Location, Pattern
from ..config.objects import ProjectConfig, Variant
from .config_json import branches, parent

_NOT_SHOWN = {"name", "parent", "branches", "description", "variant-description"}


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of a job: `says` are its attributes and their values as text."""

    at: Location
    parent: str | None
    branches: tuple[str, ...]
    description: str
    says: tuple[tuple[str, str], ...]
    trusted: bool


@dataclass(frozen=True, slots=True)
class Use:
    """A project that lists a job, in which pipelines, and by which templates."""

    project: str
    pipelines: tuple[str, ...]
    templates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A job in a list."""

    name: str
    description: str
    parents: tuple[str, ...]
    projects: tuple[str, ...]
    definitions: int


def entries(layout: Layout, words: str = "") -> list[Entry]:
    """All jobs whose name or description has these words, by name."""
    found = (_entry(layout, name) for name in sorted(layout.jobs))
    wanted = words.lower().split()
    return [one for one in found if all(word in f"{one.name} {one.description}".lower() for word in wanted)]


def _entry(layout: Layout, name: str) -> Entry:
    known = layout.jobs[name]
    described = next((one.description for one in known if one.description), "")
    parents = dict.fromkeys(found for one in known if (found := parent(layout, one)) not in (None, name))
    places = tuple(dict.fromkeys(one.at.project for one in known))
    return Entry(name, described.split("\n")[0], tuple(cast("Iterable[str]", parents)), places, len(known))


def definitions(layout: Layout, name: str) -> list[Definition]:
    """Every definition of a job, in the order in which they count."""
    return [
        Definition(
            one.at,
            parent(layout, one),
            tuple(branches(layout, one)),
            one.description or "",
            tuple(_says(one)),
            layout.trusts(one.at.project),
        )
        for one in layout.jobs.get(name) or ((NOOP,) if name == NOOP.name else ())
    ]


def _says(job: Variant) -> Iterator[tuple[str, str]]:
    for attribute in job.said:
        value = getattr(job, attribute.replace("-", "_"), None)
        if attribute not in _NOT_SHOWN and value is not None:
            yield attribute, shown(value)


def children(layout: Layout, name: str) -> list[str]:
    """The jobs that inherit from one."""
    return [
        other
        for other in sorted(layout.jobs)
        if other != name and any(parent(layout, one) == name for one in layout.jobs[other])
    ]


def uses(layout: Layout, name: str) -> list[Use]:
    """The projects that list a job themselves or by a template."""
    by_template = {
        template: pipelines
        for template, stanzas in layout.templates.items()
        if (pipelines := _pipelines(stanzas, name))
    }
    found: list[Use] = []
    for project in sorted(layout.stanzas):
        stanzas = layout.stanzas[project]
        templates = tuple(dict.fromkeys(t for one in stanzas for t in one.templates if t in by_template))
        pipelines = (*_pipelines(stanzas, name), *(one for template in templates for one in by_template[template]))
        if pipelines:
            found.append(Use(project, tuple(dict.fromkeys(pipelines)), templates))
    return found


def _pipelines(stanzas: Iterable[ProjectConfig], job: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            pipeline
            for one in stanzas
            for pipeline, listed in one.pipelines.items()
            if any(variant.name == job for variant in listed.jobs)
        )
    )


def jobs_of(layout: Layout, project: str) -> list[tuple[str, tuple[str, ...]]]:
    """The pipelines of a project, each with the jobs that it lists there, templates first."""
    found: dict[str, dict[str, None]] = {}
    stanzas = layout.stanzas.get(project, ())
    templates = [each for one in stanzas for name in one.templates for each in layout.templates.get(name, ())]
    for stanza in (*templates, *stanzas):
        for pipeline, listed in stanza.pipelines.items():
            found.setdefault(pipeline, {}).update(dict.fromkeys(job.name for job in listed.jobs))
    return [(pipeline, tuple(found[pipeline])) for pipeline in layout.pipelines if pipeline in found]


def value(given: object) -> Json:
    """A value of the configuration as JSON: patterns as their expressions, objects by what they say."""
    if isinstance(given, Pattern):
        return f"not {given.regex}" if given.negate else given.regex
    if isinstance(given, Enum):
        return str(given.value)
    if is_dataclass(given) and not isinstance(given, type):
        told = {one.name: value(getattr(given, one.name)) for one in fields(given) if one.name not in ("at", "refused")}
        told = {name: each for name, each in told.items() if each not in (None, False, "", [], {})}
        first = next(iter(told.values()), "")
        return first if len(told) == 1 else told
    if isinstance(given, Mapping):
        return {str(name): value(each) for name, each in cast("Mapping[object, object]", given).items()}
    if isinstance(given, tuple | list | frozenset):
        return [value(each) for each in cast("Iterable[object]", given)]
    return cast(Json, given)


def shown(given: object) -> str:
    """The same as text for people: lists by commas, everything deeper as JSON."""
    told = value(given)
    if isinstance(told, bool):
        return "true" if told else "false"
    if isinstance(told, list) and all(isinstance(one, str) for one in told):
        return ", ".join(str(one) for one in told)
    return json.dumps(told, indent=1, ensure_ascii=False) if isinstance(told, list | Mapping) else str(told)
