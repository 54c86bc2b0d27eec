# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST call that changes the access rights of a project: rules taken away, rules added, another parent.

Thin: the rules become lines of `project.config`, which is checked as a whole before it counts.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from aiohttp import web

from ...access import Actor
from ...access_rules import SYSTEM_GROUPS
from ...assignment import Json
from ...errors import Conflict, Unprocessable
from ...reasons import reason
from ..answers import Handler, body_of, json_answer
from ..config import editing, groups_file, whole
from ..config.model import ALL_PROJECTS, GROUPS, PROJECT_CONFIG, GroupLine
from ..config.shown import GLOBAL
from ..drafts import Object, bad, object_of, text_of
from ..permission import require_account
from ..shaper import Calls, Shaper
from .model import rule_line
from .service import Files

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class RestAccessEdit(Calls):
    """`POST /projects/{project}/access`."""

    def __init__(self, shaper: Shaper, shown: Callable[[web.Request, str], Awaitable[dict[str, Json]]]) -> None:
        super().__init__(shaper)
        self._shown = shown

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        one = "/projects/{project}"
        return (
            ("POST", f"{one}/access", self._edit),
            *((method, f"{one}/access:review", self._propose) for method in ("PUT", "POST")),
        )

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        """ProjectAccessInput in, ProjectAccessInfo out."""
        actor, name, message, change = await self._wanted(request)
        await self._room.config_editing.edit(actor, name, message, change)
        return json_answer(request, await self._shown(request, name))

    async def _propose(self, request: web.Request) -> web.StreamResponse:
        """The same as a change of `refs/meta/config`, to be reviewed as any other; that change is answered."""
        actor, name, message, change = await self._wanted(request)
        made = await self._room.config_editing.propose(actor, name, message, change)
        return json_answer(request, await self._shaper.info_of(request, made.number), 201)

    async def _wanted(self, request: web.Request) -> tuple[Actor, str, str, Callable[[Files], Files]]:
        """Who asks, of which project, with which message, and what of its files shall be another way."""
        require_account(self._asker.actor(request))
        name, body = request.match_info["project"].removesuffix(".git"), await body_of(request)
        actor = self._asker.actor(request)
        await self._room.reading.project(actor, name)
        names = await self._room.groups.names()
        remove, add = (_sections(body, what) for what in ("remove", "add"))
        if GLOBAL in {*remove, *add} and name != ALL_PROJECTS:
            raise Conflict(reason=reason("review.config-capability-place"))
        parent = text_of(body["parent"], "parent").strip() if body.get("parent") is not None else None
        message = text_of(body.get("message"), "message") or "Change the rights"

        def change(files: Files) -> Files:
            known = _Groups(files.groups, names)
            text = files.config
            for ref, permissions in remove.items():
                text = _removed(text, ref, permissions, known)
            for ref, permissions in add.items():
                text = _added(text, ref, permissions, known)
            if parent is not None:
                values = [] if parent in ("", ALL_PROJECTS) else [parent]
                text = editing.with_values(text, "access", None, "inheritFrom", values)
            return replace(files, config=text, groups=known.text())

        return actor, name, message, change


class _Groups:
    """The groups that the files name, and those of the site, by UUID."""

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self._before = text
        self._lines = list(groups_file.parse(text)[0])
        self._names = dict(names)

    def name_of(self, uuid: str) -> str:
        """What `project.config` calls a group; the file `groups` gets a line where it has none."""
        for line in self._lines:
            if line.uuid == uuid:
                return line.name
        by_name = {name: one for one, name in self._names.items()}
        uuid = by_name.get(uuid, uuid)
        name = self._names.get(uuid)
        if name is None:
            raise Unprocessable(reason=reason("hall.group-missing", group=uuid[:80]))
        if name not in SYSTEM_GROUPS and all(line.uuid != uuid for line in self._lines):
            self._lines.append(GroupLine(uuid, name))
        return name

    def text(self) -> str:
        """The file, as it was where no group came."""
        before, _ = groups_file.parse(self._before)
        return self._before if len(before) == len(self._lines) else groups_file.write(self._lines)


def _sections(body: Object, what: str) -> dict[str, dict[str, Object]]:
    """The permissions of each reference."""
    found: dict[str, dict[str, Object]] = {}
    for ref, section in object_of(body.get(what), what).items():
        permissions = object_of(object_of(section, what).get("permissions"), f"{what}.permissions")
        for name in (ref, *permissions):
            # What is written into a file of lines must be one word of a line.
            if not name.isprintable() or (name is not ref and not _NAME.fullmatch(name)):
                raise bad(what, f"{name[:40]!r} is no name of a reference or permission")
        found[ref] = {name: object_of(one, f"{what}.{name}") for name, one in permissions.items()}
    return found


def _place(ref: str) -> tuple[str, str | None]:
    return ("capability", None) if ref == GLOBAL else ("access", ref)


def _values(text: str, ref: str, name: str) -> list[str]:
    config, _ = whole.read({PROJECT_CONFIG: text, GROUPS: ""})
    section, subsection = _place(ref)
    return [one.value or "" for one in config.file.all(section, name, subsection)]


def _removed(text: str, ref: str, permissions: Mapping[str, Object], groups: _Groups) -> str:
    """Without a section, without a permission of it, or without the rules of some groups."""
    section, subsection = _place(ref)
    if not permissions:
        return editing.without_section(text, section, subsection)
    for name, said in permissions.items():
        rules = object_of(said.get("rules"), "rules")
        gone = {groups.name_of(uuid) for uuid in rules}
        left = [one for one in _values(text, ref, name) if gone and one.rpartition("group ")[2].strip() not in gone]
        text = editing.with_values(text, section, subsection, name, left)
        if not left:
            text = _exclusive(text, ref, name, on=False)
    return text


def _added(text: str, ref: str, permissions: Mapping[str, Object], groups: _Groups) -> str:
    """With these rules; a group's rule takes the place of the one that it had."""
    section, subsection = _place(ref)
    for name, said in permissions.items():
        values = _values(text, ref, name)
        for uuid, rule in object_of(said.get("rules"), "rules").items():
            group = groups.name_of(uuid)
            given: Mapping[str, Json] = {} if rule is None else object_of(rule, "rule")
            values = [one for one in values if one.rpartition("group ")[2].strip() != group]
            values.append(rule_line(name, given, group))
        text = editing.with_values(text, section, subsection, name, values)
        if isinstance(said.get("exclusive"), bool):
            text = _exclusive(text, ref, name, on=said["exclusive"] is True)
    return text


def _exclusive(text: str, ref: str, name: str, *, on: bool) -> str:
    if ref == GLOBAL:
        return text
    key = "exclusiveGroupPermissions"
    before = " ".join(_values(text, ref, key)).split()
    names = [one for one in before if one.lower() != name.lower()] + ([name] if on else [])
    return (
        text if names == before else editing.with_values(text, "access", ref, key, [" ".join(names)] if names else [])
    )
