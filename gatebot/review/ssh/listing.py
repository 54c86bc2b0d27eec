# SPDX-License-Identifier: Apache-2.0
"""`gerrit ls-projects`, `ls-groups`, `ls-members` and `plugin ls`: lists that scripts read.

In Gerrit's columns, as far as the asker may see what they are about.
"""

from __future__ import annotations

import asyncio

import msgspec

from ...access import SITE, Verb, may
from ...assignment import Json
from ...expressions import compiled
from ...identity import Group
from ..model import Project
from ..room import ReviewRoom
from . import arguments
from .arguments import Given, Option
from .model import Call, Failed

_PROJECTS = (
    Option(("--description", "-d"), about="include description of project in list"),
    Option(("--show-branch", "-b"), "BRANCH", "displays the sha of each project in the specified branch"),
    Option(("--prefix", "-p"), "PREFIX", "match project prefix"),
    Option(("--match", "-m"), "MATCH", "match project substring"),
    Option(("-r",), "REGEX", "match project regex"),
    Option(("--limit", "-n"), "CNT", "maximum number of projects to list"),
    Option(("--start", "-S"), "CNT", "number of projects to skip"),
    Option(("--format",), "[TEXT | JSON | JSON_COMPACT]", "output format"),
    Option(("--all",), about="display all projects that are accessible by the calling user"),
    Option(("--type",), "[CODE | PERMISSIONS | ALL]", "type of project"),
)
_GROUPS = (
    Option(("--verbose", "-v"), about="verbose output format with tab-separated columns"),
    Option(("-q", "--query", "-g", "--group"), "GROUP", "identifies a group"),
    Option(("--match", "-m"), "MATCH", "match group substring"),
    Option(("--owned",), about="list only groups that are owned by the calling user"),
    Option(("--visible-to-all",), about="list only groups that are visible to all registered users"),
)
_MEMBERS = (Option(("--recursive", "-r"), about="to resolve included groups recursively"),)
_PLUGINS = (
    Option(("--all", "-a"), about="list all plugins, including disabled plugins"),
    Option(("--format",), "[TEXT | JSON]", "output format"),
)
_NO_COMMIT = "-" * 40


class Listing:
    """Lists."""

    def __init__(self, room: ReviewRoom) -> None:
        self._room = room

    async def projects(self, call: Call) -> None:
        """Names, with what is asked for beside them."""
        given = _read(call, "ls-projects", "", _PROJECTS)
        found = sorted(await self._room.reading.projects(call.actor), key=lambda project: project.name)
        part = given.text("--match").lower()
        shown = [one for one in found if one.name.startswith(given.text("--prefix")) and part in one.name.lower()]
        if expression := given.text("-r"):
            shown = _matching(shown, expression)
        start = given.number("--start")
        shown = shown[start : start + given.number("--limit", len(shown))]
        if given.text("--format", "TEXT").upper() != "TEXT":
            await call.terminal.say(_json({one.name: _info(one) for one in shown}))
            return
        for project in shown:
            await call.terminal.say(await self._project(project, given))

    async def _project(self, project: Project, given: Given) -> str:
        """One line; the branches that are asked for stand before the name."""
        tips: dict[str, str] = {}
        wanted = [branch.removeprefix("refs/heads/") for branch in given.all("--show-branch")]
        if wanted:
            tips = await asyncio.to_thread(self._room.repositories.branches, project.name)
        before = "".join(f"{tips.get(branch, _NO_COMMIT)} " for branch in wanted)
        about = project.description.replace("\\", "\\\\").replace("\n", "\\n")
        behind = f" - {about}" if given.has("--description") and about else ""
        return f"{before}{project.name}{behind}\n"

    async def groups(self, call: Call) -> None:
        """Names; with `-v` UUID, description, owner and visibility."""
        given = _read(call, "ls-groups", "", _GROUPS)
        every = await self._room.identity.list_groups()
        names = {group.uuid: group.name for group in every}
        for group in every:
            owner = names.get(group.owner, "n/a")
            mine = owner in call.account.groups
            if not (group.visible or mine or group.name in call.account.groups or self._rules_all(call)):
                continue
            if (given.has("--owned") and not mine) or (given.has("--visible-to-all") and not group.visible):
                continue
            if given.all("-q") and not {group.name, group.uuid, str(group.number)} & set(given.all("-q")):
                continue
            if given.text("--match").lower() in group.name.lower():
                await call.terminal.say(_group(group, owner) if given.has("--verbose") else f"{group.name}\n")

    async def members(self, call: Call) -> None:
        """The accounts of a group, one a line, below a line with the names of the columns."""
        given = _read(call, "ls-members", "GROUP", _MEMBERS)
        if len(given.rest) != 1:
            raise Failed('fatal: Argument "GROUP" is required')
        group = await self._room.identity.find_group(given.rest[0])
        if group is None or not (group.visible or group.name in call.account.groups or self._rules_all(call)):
            await call.terminal.say("Group not found or not visible\n")
            return
        members = await self._room.identity.members_of(group.uuid, recursive=given.has("--recursive"))
        rows = [(str(one.id), one.username, one.name or "n/a", one.email or "n/a") for one in members]
        lines = ["\t".join(row) for row in (("id", "username", "full name", "email"), *rows)]
        await call.terminal.say("\n".join([*lines, ""]))

    async def plugins(self, call: Call) -> None:
        """There are none: what Gerrit's plugins do is built in, or is not there."""
        given = _read(call, "plugin ls", "", _PLUGINS)
        if given.text("--format", "TEXT").upper() != "TEXT":
            await call.terminal.say("{}\n")
            return
        heads = f"{'Name':30} {'Version':10} {'Api-Version':16} {'Status':8} File"
        await call.terminal.say(f"{heads}\n{'-' * 79}\n")

    def _rules_all(self, call: Call) -> bool:
        return may(call.actor, Verb.ADMINISTRATE_SERVER, SITE, self._room.rules)


def _read(call: Call, command: str, named: str, options: tuple[Option, ...]) -> Given:
    given = arguments.read(options, call.words)
    if given.has(arguments.HELP):
        raise Failed(arguments.usage(f"gerrit {command}", named, options))
    return given


def _matching(found: list[Project], text: str) -> list[Project]:
    try:
        expression = compiled(text.removeprefix("^").removesuffix("$"))
    except ValueError:
        raise Failed(f'fatal: "{text}" is not a valid value for "-r"') from None
    return [project for project in found if expression.fullmatch(project.name)]


def _group(group: Group, owner: str) -> str:
    about = group.description.replace("\n", "\\n").replace("\t", " ")
    columns = (group.name, group.uuid, about, owner, group.owner, "true" if group.visible else "false")
    return "\t".join(columns) + "\n"


def _info(project: Project) -> dict[str, Json]:
    about: dict[str, Json] = {"description": project.description} if project.description else {}
    return {"id": project.name, **about, "state": "ACTIVE"}


def _json(value: dict[str, Json]) -> str:
    return msgspec.json.encode(value).decode() + "\n"
