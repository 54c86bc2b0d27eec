# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls that read and change the configuration of a project: its switches, its parent, its labels.

Thin: `service.py` writes `project.config`. Rights are in `rest_access.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aiohttp import web

from ...access import Target, Verb
from ...assignment import Json
from ...errors import Invalid, NotFound
from ...reasons import reason
from ..answers import Handler, body_of, json_answer, must_be_new
from ..config import editing
from ..config.model import ALL_PROJECTS, ConfigFile
from ..config.syntax import truth
from ..drafts import Object, bad, flag, object_of, text_of, texts
from ..labels.configured import read_label
from ..labels.model import Label
from ..model import Project, SubmitType
from ..permission import require, require_account
from ..shaper import Calls
from ..trackers.commentlinks import commentlinks
from ..verdict import signed
from .model import STATES, SWITCHES, label_lines
from .service import Files, inheriting

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_VALUE = re.compile(r" *[+-]?[0-9]{1,4}")


class RestConfig(Calls):
    """`/projects/{project}/config`, `parent` and `labels`."""

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        project = "/projects/{project}"
        label = f"{project}/labels/{{label}}"
        return (
            ("GET", f"{project}/config", self._config),
            ("PUT", f"{project}/config", self._configure),
            ("GET", f"{project}/parent", self._parent),
            ("PUT", f"{project}/parent", self._set_parent),
            ("GET", f"{project}/labels", self._labels),
            ("GET", label, self._label),
            ("PUT", label, self._put_label),
            ("DELETE", label, self._delete_label),
            ("POST", f"{label}/delete", self._delete_label),
        )

    # -- switches --------------------------------------------------------------------------------------

    async def _config(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, self._info(await self._project(request)))

    async def _configure(self, request: web.Request) -> web.StreamResponse:
        """What is named changes; `INHERIT` leaves a switch to the parent."""
        project, body = await self._project(request), await body_of(request)
        actor = self._asker.actor(request)
        require(actor, Verb.OWN, Target(project.name), self._room.rules)
        wanted = _submit_type(text_of(body.get("submit_type"), "submit_type"), project)
        switches = {name: _switch(body[name], name) for name in SWITCHES if body.get(name) is not None}
        state = text_of(body.get("state"), "state").upper()
        if state and state not in STATES:
            raise bad("state", f"it is one of {', '.join(STATES)}")

        def change(files: Files) -> Files:
            text = files.config
            for name, value in switches.items():
                section, key = SWITCHES[name]
                text = editing.with_values(text, section, None, key, [] if value is None else [value])
            if state:
                text = editing.with_values(text, "project", None, "state", [] if state == "ACTIVE" else [STATES[state]])
            return replace(files, config=text)

        if switches or state:
            message = text_of(body.get("commit_message"), "commit_message")
            await self._room.config_editing.edit(actor, project.name, message or "Change the settings", change)
        if "description" in body or wanted is not project.submit_type:
            about = text_of(body["description"], "description") if "description" in body else project.description
            project = await self._room.projects.change(actor, replace(project, description=about, submit_type=wanted))
        return json_answer(request, self._info(project))

    def _info(self, project: Project) -> dict[str, Json]:
        """Gerrit's ConfigInfo, of what counts here."""
        files = self._room.configs.files(project.name)
        info: dict[str, Json] = {}
        if project.description:
            info["description"] = project.description
        for name, (section, key) in SWITCHES.items():
            info[name] = _inheritable(files, section, key)
        kind: dict[str, Json] = {"value": project.submit_type.value, "configured_value": project.submit_type.value}
        info |= {
            "submit_type": project.submit_type.value,
            "default_submit_type": kind,
            "commentlinks": _commentlinks(files),
        }
        info |= {"max_object_size_limit": {}, "plugin_config": {}, "state": state_of(files)}
        return info

    async def _parent(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, self._room.configs.parent((await self._project(request)).name))

    async def _set_parent(self, request: web.Request) -> web.StreamResponse:
        """For administrators: another parent may undo what the one blocks."""
        require_account(self._asker.actor(request))
        project, body = await self._project(request), await body_of(request)
        parent = text_of(body.get("parent"), "parent").strip() or ALL_PROJECTS
        message = text_of(body.get("commit_message"), "commit_message") or f"Inherit from {parent}"
        await self._room.config_editing.edit(self._asker.actor(request), project.name, message, inheriting(parent))
        return json_answer(request, parent)

    # -- labels ----------------------------------------------------------------------------------------

    async def _labels(self, request: web.Request) -> web.StreamResponse:
        """Those that the project itself defines; with `inherited` those that it has from others, too."""
        project = await self._project(request)
        own = {label.name.lower() for label, _ in self._own(project)}
        rules = self._room.judge.rules_for(project.name, project.rules)
        shown = rules.labels if "inherited" in request.query else tuple(label for label, _ in self._own(project))
        where = {label.name: project.name if label.name.lower() in own else ALL_PROJECTS for label in shown}
        return json_answer(
            request, [_label_info(one, where[one.name]) for one in sorted(shown, key=lambda it: it.name)]
        )

    async def _label(self, request: web.Request) -> web.StreamResponse:
        project, name = await self._project(request), request.match_info["label"]
        for label, _ in self._own(project):
            if label.name == name:
                return json_answer(request, _label_info(label, project.name))
        raise _no_label(project, name)

    async def _put_label(self, request: web.Request) -> web.StreamResponse:
        """Define a label, or change what is named of one."""
        require_account(self._asker.actor(request))
        project, name, body = await self._project(request), request.match_info["label"], await body_of(request)
        known = next((label for label, _ in self._own(project) if label.name == name), None)
        must_be_new(request, known is not None)
        wanted = text_of(body.get("name"), "name").strip() or name
        if not _NAME.fullmatch(wanted):
            raise bad("name", "a label's name is letters, digits and '-'")
        lines = _label_lines(body, known)
        message = text_of(body.get("commit_message"), "commit_message") or f"Define the label {wanted}"

        def change(files: Files) -> Files:
            text = editing.without_section(files.config, "label", name) if wanted != name else files.config
            for key, values in lines.items():
                text = editing.with_values(text, "label", wanted, key, values)
            return replace(files, config=text)

        await self._room.config_editing.edit(self._asker.actor(request), project.name, message, change)
        made = next((label for label, _ in self._own(project) if label.name == wanted), None)
        if made is None:
            raise _no_label(project, wanted)
        return json_answer(request, _label_info(made, project.name), 200 if known is not None else 201)

    async def _delete_label(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        project, name = await self._project(request), request.match_info["label"]
        if all(label.name != name for label, _ in self._own(project)):
            raise _no_label(project, name)

        def change(files: Files) -> Files:
            return replace(files, config=editing.without_section(files.config, "label", name))

        await self._room.config_editing.edit(
            self._asker.actor(request), project.name, f"Delete the label {name}", change
        )
        return web.Response(status=204)

    def _own(self, project: Project) -> list[tuple[Label, ConfigFile]]:
        """The labels of the project's own file."""
        files = self._room.configs.files(project.name)[:1]
        found = [(read_label(file, name), file) for file in files for name in file.subsections("label")]
        return [(label, file) for label, file in found if label is not None]

    async def _project(self, request: web.Request) -> Project:
        name = request.match_info["project"].removesuffix(".git")
        return await self._room.reading.project(self._asker.actor(request), name)


def state_of(files: Iterable[ConfigFile]) -> str:
    """Gerrit's word for what a project's own file says of its state."""
    said = next((file.get("project", "state") or "" for file in files), "").strip().lower().replace("_", " ")
    return next((name for name, word in STATES.items() if word == said), "ACTIVE")


def _commentlinks(files: Sequence[ConfigFile]) -> dict[str, Json]:
    """Gerrit's CommentLinkInfo by name."""
    return {
        one.name: {"match": one.match, **({"link": one.link} if one.link else {}), "enabled": True}
        for one in commentlinks(files)
    }


def _inheritable(files: Iterable[ConfigFile], section: str, key: str) -> dict[str, Json]:
    """Gerrit's InheritedBooleanInfo: the own file's word, then what the parents say."""
    said = [None if (one := file.entry(section, key)) is None else truth(one.value) for file in files]
    own, inherited = (said[0] if said else None), next((one for one in said[1:] if one is not None), False)
    word = "INHERIT" if own is None else "TRUE" if own else "FALSE"
    info: dict[str, Json] = {"configured_value": word, "inherited_value": inherited}
    return {"value": True, **info} if (inherited if own is None else own) else info


def _switch(value: Json, name: str) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    word = text_of(value, name).upper()
    if word not in ("TRUE", "FALSE", "INHERIT"):
        raise bad(name, "it is TRUE, FALSE or INHERIT")
    return None if word == "INHERIT" else word.lower()


def _submit_type(given: str, project: Project) -> SubmitType:
    if given.upper() in ("", "INHERIT"):
        return project.submit_type
    if given.upper() not in list(SubmitType):
        raise Invalid(reason=reason("review.bad-submit-type", value=given[:40], known=", ".join(SubmitType)))
    return SubmitType(given.upper())


_TEXTS = (("copy_condition", "copyCondition"), ("description", "description"), ("function", "function"))
_FLAGS = (
    ("can_override", "canOverride"), ("allow_post_submit", "allowPostSubmit"),
    ("ignore_self_approval", "ignoreSelfApproval"),
)  # fmt: skip


def _label_lines(body: Object, known: Label | None) -> Mapping[str, list[str]]:
    """The entries of a label, by name, that a LabelDefinitionInput sets."""
    values = {key: text_of(text, f"values.{key}") for key, text in object_of(body.get("values"), "values").items()}
    for key in values:
        if not _VALUE.fullmatch(key):
            raise bad(f"values.{key[:20]}", "it must be a whole number")
    if not values and known is None:
        raise Invalid(reason=reason("review.field-needed", field="values"))
    said = {key: text_of(body[name], name).strip() for name, key in _TEXTS if name in body}
    for name, key in _FLAGS:
        if (on := flag(body.get(name), name)) is not None:
            said[key] = "true" if on else "false"
    if "default_value" in body:
        said["defaultValue"] = text_of(body["default_value"], "default_value")
    lines = dict(label_lines(values, said, texts(body.get("branches"), "branches")))
    if not values:
        lines.pop("value")
    if "branches" not in body:
        lines.pop("branch")
    return {key: [one for one in given if one] for key, given in lines.items()}


def _label_info(label: Label, project: str) -> dict[str, Json]:
    """Gerrit's LabelDefinitionInfo."""
    info: dict[str, Json] = {
        "name": label.name,
        "description": label.description,
        "project_name": project,
        "function": "NoBlock",
        "values": {signed(value) if value else " 0": text for value, text in label.values},
        "default_value": label.default,
        "branches": list(label.branches),
        "can_override": label.can_override,
        "copy_condition": label.copy_condition,
        "allow_post_submit": label.allow_post_submit,
    }
    return {name: value for name, value in info.items() if value is not False and value not in ("", [])}


def _no_label(project: Project, name: str) -> NotFound:
    return NotFound(reason=reason("review.no-own-label", label=name[:80], project=project.name))
