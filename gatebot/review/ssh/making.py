# SPDX-License-Identifier: Apache-2.0
"""`gerrit create-project`, `create-branch`, `set-project` and `ban-commit`.

What Gerrit's options ask for and this site decides elsewhere is said, and not done in silence.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ...access import Target, Verb, may
from ...errors import GatebotError
from ...lacking import lacking
from ..branching import Branching
from ..model import Project, SubmitType
from ..operating.banning import MOST_COMMITS, Banning
from ..room import ReviewRoom
from . import arguments
from .arguments import Given, Option
from .model import Call, Failed

_TYPE = Option(("--submit-type", "-t"), f"[INHERIT | {' | '.join(SubmitType)}]", "project submit type")
_ABOUT = Option(("--description", "-d"), "DESCRIPTION", "description of project")
_SWITCHES = (
    ("--require-change-id", "--id"), ("--no-change-id", "--nid"), ("--use-content-merge",), ("--no-content-merge",),
    ("--use-signed-off-by", "--so"), ("--no-signed-off-by", "--nso"), ("--use-contributor-agreements", "--ca"),
    ("--no-contributor-agreements", "--nca"), ("--create-new-change-for-all-not-in-target", "--ncfa"),
    ("--permissions-only",),
)  # fmt: skip
_VALUES = (
    ("--change-id",), ("--content-merge",), ("--signed-off-by",), ("--contributor-agreements",), ("--parent", "-p"),
    ("--project-state", "--ps"), ("--max-object-size-limit",), ("--owner", "-o"),
)  # fmt: skip
_ELSEWHERE = (
    *(Option(names, about="has no effect") for names in _SWITCHES),
    *(Option(names, "VALUE", "has no effect") for names in _VALUES),
)
_CREATE = (
    Option(("--name", "-n"), "NAME", "name of project to be created"),
    Option(("--empty-commit",), about="to create initial empty commit"),
    Option(("--branch", "-b"), "BRANCH", "initial branch name"),
    _ABOUT, _TYPE, *_ELSEWHERE,
)  # fmt: skip
_SET = (_ABOUT, _TYPE, *_ELSEWHERE)
_BAN = (Option(("--reason", "-r"), "REASON", "reason for banning the commit"),)


class Making:
    """Makes projects and branches."""

    def __init__(self, room: ReviewRoom, branching: Branching) -> None:
        self._room = room
        self._branching = branching

    async def create_project(self, call: Call) -> None:
        """A project, with one empty commit where that is asked for."""
        given = _read(call, "create-project", "[NAME]", _CREATE)
        name = given.text("--name") or next(iter(given.rest), "")
        if not name:
            raise Failed("fatal: Project name is required.")
        branches = [branch.removeprefix("refs/heads/") for branch in given.all("--branch")] or [
            self._room.projects.default_branch
        ]
        wanted = Project(
            name.strip("/").removesuffix(".git"),
            given.text("--description"),
            _submit_type(given) or SubmitType.MERGE_IF_NECESSARY,
            default_branch=branches[0],
        )
        empty = given.has("--empty-commit")
        made = await self._room.projects.create(call.actor, wanted, empty_commit=empty)
        for branch in branches[1:] if empty else ():
            await self._branching.create(call.actor, made.name, branch, made.default_branch)
        await _warn(call, given)

    async def set_project(self, call: Call) -> None:
        """Description and submit type."""
        given = _read(call, "set-project", "NAME", _SET)
        project = await self._project(call, given, 1)
        if given.all("--description"):
            project = replace(project, description=given.text("--description"))
        if (wanted := _submit_type(given)) is not None:
            project = replace(project, submit_type=wanted)
        await self._room.projects.change(call.actor, project)
        await _warn(call, given)

    async def create_branch(self, call: Call) -> None:
        """A branch at a branch, tag or commit that is there."""
        given = _read(call, "create-branch", "PROJECT NAME REVISION", ())
        project = await self._project(call, given, 3)
        await self._branching.create(call.actor, project.name, given.rest[1], given.rest[2])

    async def ban_commit(self, call: Call) -> None:
        """Commits that no push may bring any more, noted where Gerrit notes them."""
        given = _read(call, "ban-commit", "PROJECT COMMIT ...", _BAN)
        project = await self._project(call, given, 2)
        if not may(call.actor, Verb.OWN, Target(project.name), self._room.rules):
            raise lacking(Verb.OWN, Target(project.name))
        account = await self._room.identity.by_id(call.account.id)
        commits = list(dict.fromkeys(given.rest[1:]))
        if len(commits) > MOST_COMMITS:
            raise Failed(f"fatal: at most {MOST_COMMITS} commits can be banned at a time")
        found = [await asyncio.to_thread(_commit, self._room, project.name, word) for word in commits]
        ban = Banning(self._room.repositories).ban
        banned, before = await asyncio.to_thread(ban, project.name, found, given.text("--reason"), account)
        for told, those in (("", banned), ("already ", before)):
            if those:
                await call.terminal.say("\n".join([f"The following commits were {told}banned:", *those, "", ""]))

    async def _project(self, call: Call, given: Given, words: int) -> Project:
        """The project that the first word names; there must be so many words, or more for lists."""
        names = ("NAME",) if words == 1 else ("PROJECT", "NAME", "REVISION") if words == 3 else ("PROJECT", "COMMIT")
        if len(given.rest) < words:
            raise Failed(f'fatal: Argument "{names[len(given.rest)]}" is required')
        return await self._room.reading.project(call.actor, given.rest[0].removesuffix(".git"))


def _read(call: Call, command: str, named: str, options: tuple[Option, ...]) -> Given:
    given = arguments.read(options, call.words)
    if given.has(arguments.HELP):
        raise Failed(arguments.usage(f"gerrit {command}", named, options))
    return given


def _submit_type(given: Given) -> SubmitType | None:
    wanted = given.text("--submit-type").upper()
    if wanted in ("", "INHERIT"):
        return None
    if wanted not in list(SubmitType):
        raise Failed(f'fatal: "{wanted}" is not a valid value for "--submit-type"')
    return SubmitType(wanted)


async def _warn(call: Call, given: Given) -> None:
    """Options that Gerrit has and that change nothing here."""
    for option in _ELSEWHERE:
        if given.all(option.names[0]):
            text = "has no effect here; project.config on refs/meta/config and the site's settings decide it"
            await call.terminal.complain(f"warning: {option.names[0]} {text}\n")


def _commit(room: ReviewRoom, project: str, word: str) -> str:
    try:
        return room.repositories.commit(project, word).id
    except GatebotError:
        raise Failed(f"fatal: {word}: there is no such commit in {project}") from None
