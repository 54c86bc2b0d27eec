# SPDX-License-Identifier: Apache-2.0
"""Reads `[contributor-agreement "NAME"]` of a `project.config`, and which of them a project asks for.

Pure. Only those of All-Projects count, as in Gerrit. What cannot be used is told by `check` when somebody wants to put
it there; an expression that lies there already and cannot be used fits every project, so that nothing gets in by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from ...expressions import strictly
from ...reasons import Reason, reason
from ..config import groups_file
from ..config.model import ConfigFile, ProjectConfig, Trouble
from .model import Agreement

SECTION = "contributor-agreement"


def agreements(config: ProjectConfig) -> tuple[Agreement, ...]:
    """The agreements of a site, from the configuration of All-Projects."""
    uuids = groups_file.known(config.groups)
    return tuple(_agreement(config.file, name, uuids) for name in config.file.subsections(SECTION))


def asked_of(known: Sequence[Agreement], project: str) -> tuple[Agreement, ...]:
    """Those that a project takes; none where they say nothing of whom they accept."""
    return tuple(
        one
        for one in known
        if one.accepted and (not one.projects or _fits(one.projects, project)) and not _fits(one.excluded, project)
    )


def on_file(wanted: Sequence[Agreement], groups: Collection[str]) -> bool:
    """Whether somebody in groups of these UUIDs has accepted one; where none is asked for, everybody has."""
    return not wanted or any(one.accepted & frozenset(groups) for one in wanted)


def check(file: ConfigFile) -> list[Trouble]:
    """Everything that is wrong with the agreements of a file."""
    found: list[Trouble] = []
    for name in file.subsections(SECTION):
        for key, why in _wrong(file, name):
            entry = file.entry(SECTION, key, name)
            found.append(Trouble(file.file, entry.line if entry else file.line_of(SECTION, name), why))
    return found


def _agreement(file: ConfigFile, name: str, uuids: Mapping[str, str]) -> Agreement:
    def several(key: str) -> tuple[str, ...]:
        return tuple(entry.value.strip() for entry in file.all(SECTION, key, name) if entry.value)

    accepted = frozenset(uuids[group] for group in map(_group, several("accepted")) if group in uuids)
    verifies = _group(file.get(SECTION, "autoVerify", name) or "")
    return Agreement(
        name, (file.get(SECTION, "description", name) or "").strip(),
        (file.get(SECTION, "agreementUrl", name) or "").strip(), accepted, uuids.get(verifies, ""),
        several("matchProjects"), several("excludeProjects"),
    )  # fmt: skip


def _group(rule: str) -> str:
    """The group of a rule that allows; other rules name nobody."""
    return rule.strip().removeprefix("group ").strip() if rule.strip().startswith("group ") else ""


def _fits(patterns: Sequence[str], project: str) -> bool:
    return any(_one_fits(pattern, project) for pattern in patterns)


def _one_fits(pattern: str, project: str) -> bool:
    try:
        return strictly(pattern).fullmatch(project) is not None
    except ValueError:
        return True


def _wrong(file: ConfigFile, name: str) -> Iterator[tuple[str, Reason]]:
    for key in ("accepted", "autoVerify"):
        for entry in file.all(SECTION, key, name):
            if not _group(entry.value or ""):
                yield key, reason("review.agreement-group", name=name, key=key, value=(entry.value or "")[:100])
    for key in ("matchProjects", "excludeProjects"):
        for entry in file.all(SECTION, key, name):
            try:
                strictly(entry.value or "")
            except ValueError as problem:
                yield key, reason("review.agreement-projects", name=name, key=key, why=str(problem))
