# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on access rights: what a project's are, those of several, whether somebody may do something.

Thin: rights come from the rulebook, shapes from `shown.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...access import SITE, Actor, Section, Target, Verb, allowed_range, may
from ...assignment import Json
from ...errors import Invalid
from ...identity import Account
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer
from ..drafts import Object, text_of
from ..permission import require, sees_project
from ..shaper import Shaper
from . import shown
from .model import ALL_PROJECTS, CONFIG_REF, ProjectConfig
from .ports import Configs


class RestAccess:
    """`/access/`, `/projects/P/access` and `/projects/P/check.access`."""

    def __init__(self, shaper: Shaper, configs: Configs) -> None:
        self._shaper = shaper
        self._asker = shaper.asker
        self._configs = configs
        self._rules = shaper.room.rules

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        project = "/projects/{project}"
        table = (
            ("GET", "/access", self._several),
            ("GET", f"{project}/access", self._one),
            ("GET", f"{project}/check.access", self._check),
            ("POST", f"{project}/check.access", self._check),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _several(self, request: web.Request) -> web.StreamResponse:
        names = list(dict.fromkeys(request.query.getall("project", request.query.getall("p", []))))
        return json_answer(request, {name: await self.info(request, name) for name in names})

    async def _one(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, await self.info(request, request.match_info["project"].removesuffix(".git")))

    async def info(self, request: web.Request, name: str) -> dict[str, Json]:
        """Gerrit's ProjectAccessInfo."""
        actor, rules = self._asker.actor(request), self._rules
        await self._shaper.room.reading.project(actor, name)
        config, names = self._configs.configs(name)[0], await self._shaper.room.groups.names()
        visible = {one.uuid for one in await self._shaper.room.groups.visible(actor)}
        reads = may(actor, Verb.READ, Target(name, CONFIG_REF), rules)
        owns = may(actor, Verb.OWN, Target(name), rules)

        def sees(section: Section, uuid: str) -> bool:
            if owns or reads:
                return True
            return uuid in visible and may(actor, Verb.READ, Target(name, section.pattern), rules)

        local = shown.sections_info(config, sees)
        if name == ALL_PROJECTS and may(actor, Verb.ADMINISTRATE_SERVER, SITE, rules):
            local[shown.GLOBAL] = shown.capabilities_info(config)
        refs = shown.group_refs(config, names)
        info: dict[str, Json] = {
            "local": local,
            "owner_of": self._owner_of(actor, name, config),
            "groups": {uuid: ref for uuid, ref in refs.items() if owns or reads or uuid in visible},
        }
        tip = self._shaper.room.repositories.resolve(name, CONFIG_REF)
        if tip is not None and (owns or reads):
            info["revision"] = tip
        if (parent := self._configs.parent(name)) and sees_project(actor, parent, rules):
            info["inherits_from"] = {"id": parent.replace("/", "%2F"), "name": parent}
        marks = {
            "is_owner": owns,
            "can_upload": owns or may(actor, Verb.UPLOAD, Target(name, CONFIG_REF), rules),
            "can_add": owns or may(actor, Verb.CREATE, Target(name, "refs/heads/*"), rules),
            "can_add_tags": owns or may(actor, Verb.CREATE_TAG, Target(name, "refs/tags/*"), rules),
            "config_visible": reads,
        }
        return info | {mark: True for mark, holds in marks.items() if holds}

    def _owner_of(self, actor: Actor, name: str, config: ProjectConfig) -> list[Json]:
        patterns = [one.pattern for one in config.sections]
        if may(actor, Verb.OWN, Target(name), self._rules):
            return [*([shown.GLOBAL] if name == ALL_PROJECTS else []), *patterns]
        return [one for one in patterns if may(actor, Verb.OWN, Target(name, one), self._rules)]

    async def _check(self, request: web.Request) -> web.StreamResponse:
        """Whether an account may do something to a reference, and if not, what it lacks."""
        body: Object = await body_of(request) if request.method == "POST" else {}
        asked = {
            name: request.query.get(name, "") or text_of(body.get(name), name)
            for name in ("account", "ref", "perm", "permission")
        }
        name = request.match_info["project"].removesuffix(".git")
        await self._shaper.room.reading.project(self._asker.actor(request), name)
        require(self._asker.actor(request), Verb.VIEW_ACCESS, SITE, self._rules)
        if not asked["account"]:
            raise Invalid(reason=reason("review.check-account"))
        account = await self._shaper.account_in_body(request, asked["account"])
        permission = asked["perm"] or asked["permission"] or "read"
        return json_answer(request, self._answer(account, name, asked["ref"], permission))

    def _answer(self, account: Account, project: str, ref: str, permission: str) -> dict[str, Json]:
        actor = account.actor
        if not sees_project(actor, project, self._rules):
            return _refused(f"user {account.username} cannot see project {project}")
        if not ref:
            return {"message": f"user {account.username} can see project {project}", "status": 200}
        target = Target(project, ref)
        verb = shown.verb_of(permission)
        if permission.lower().startswith("label-"):
            holds = allowed_range(actor, permission.partition("-")[2], target, self._rules) != (0, 0)
        elif verb is None:
            raise Invalid(reason=reason("review.config-permission", name=permission[:60]))
        else:
            holds = may(actor, verb, target, self._rules)
        where = f"{permission} for {ref} in project {project}"
        if not holds:
            return _refused(f"user {account.username} lacks permission {where}")
        return {"message": f"user {account.username} has permission {where}", "status": 200}


def _refused(message: str) -> dict[str, Json]:
    return {"message": message, "status": 403}
