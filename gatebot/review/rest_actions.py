# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls that make of a change another state, place or change: submit, rebase, cherry-pick, revert, move.

Thin, as `rest_changes.py`: the services beside this one decide, and refuse in Gerrit's words.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from .. import words
from ..assignment import Json
from ..errors import Invalid
from ..reasons import reason
from .answers import Handler, body_of, json_answer, text_answer
from .drafts import Object, flag, text_of
from .gerrit_json import read_options
from .gerrit_labels import requirement_info
from .labels.model import SubmitRequirement
from .mail.wishes import asked
from .permission import require_account
from .picking import Pick
from .rebasing import Rebased
from .shaper import Calls

_SHOWN = frozenset({"CURRENT_REVISION", "CURRENT_COMMIT"})


class RestActions(Calls):
    """Below `/changes/{id}`."""

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        one = "/changes/{id}"
        revision = f"{one}/revisions/{{revision}}"
        return (
            ("POST", f"{one}/submit", self._submit),
            ("POST", f"{revision}/submit", self._submit),
            ("GET", f"{one}/submitted_together", self._together),
            ("GET", f"{revision}/submit_type", self._submit_type),
            ("POST", f"{one}/check.submit_requirement", self._check),
            ("POST", f"{one}/rebase", self._rebase),
            ("POST", f"{revision}/rebase", self._rebase),
            ("POST", f"{one}/rebase:chain", self._rebase_chain),
            ("POST", f"{revision}/cherrypick", self._cherry_pick),
            ("POST", f"{one}/revert", self._revert),
            ("POST", f"{one}/revert_submission", self._revert_submission),
            ("POST", f"{one}/move", self._move),
        )

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        """A gated change is not merged when this returns; Gerrit's word for that is a conflict that tells why."""
        change, body = await self._shaper.change(request), await body_of(request)
        past = flag(body.get("bypass_gate"), "bypass_gate") is True
        done = await self._room.submission.submit(
            self._asker.actor(request), change.number, bypass_gate=past, wish=await asked(self._shaper, request)
        )
        if not done.merged:
            return text_answer(words.say(done.says, self._asker.language(request)), 409)
        return await self._shaper.answer(request)

    async def _together(self, request: web.Request) -> web.StreamResponse:
        """What is submitted with a change, the last to be merged first; nothing when it goes alone."""
        change, actor = await self._shaper.change(request), self._asker.actor(request)
        asked = request.query.getall("o", [])
        counts = "NON_VISIBLE_CHANGES" in asked
        options = read_options([name for name in asked if name != "NON_VISIBLE_CHANGES"], "") | _SHOWN
        numbers = await self._room.submission.submitted_with(change) if change.is_open else ()
        seen = await self._room.reading.visible(actor, numbers)
        shown = [number for number in reversed(numbers) if number in seen]
        found = [await self._shaper.info_of(request, one, options) for one in (shown if len(numbers) > 1 else ())]
        hidden = len(numbers) - len(shown)
        if hidden and not counts:
            raise Invalid(reason=reason("review.together-hidden"))
        return json_answer(request, {"changes": found, "non_visible_changes": hidden} if counts else found)

    async def _submit_type(self, request: web.Request) -> web.StreamResponse:
        view, _ = await self._shaper.revision(request)
        return json_answer(request, view.project.submit_type.value)

    async def _check(self, request: web.Request) -> web.StreamResponse:
        """How a requirement would stand that nobody has configured yet."""
        require_account(self._asker.actor(request))
        change, body = await self._shaper.change(request), await body_of(request)
        name = text_of(body.get("name"), "name").strip()
        rule = text_of(body.get("submittability_expression"), "submittability_expression").strip()
        for field, value in (("name", name), ("submittability_expression", rule)):
            if not value:
                raise Invalid(reason=reason("review.field-needed", field=field))
        wanted = SubmitRequirement(
            name,
            rule,
            text_of(body.get("applicability_expression"), "applicability_expression").strip(),
            text_of(body.get("override_expression"), "override_expression").strip(),
            text_of(body.get("description"), "description").strip(),
        )
        return json_answer(request, requirement_info(await self._room.reading.try_requirement(change.number, wanted)))

    async def _rebase(self, request: web.Request) -> web.StreamResponse:
        change, body = await self._shaper.change(request), await body_of(request)
        how = _base(body), flag(body.get("allow_conflicts"), "allow_conflicts") is True
        done = await self._room.rebasing.rebase(self._asker.actor(request), change.number, *how)
        return json_answer(request, await self._rebased(request, done, change.number))

    async def _rebase_chain(self, request: web.Request) -> web.StreamResponse:
        change, body = await self._shaper.change(request), await body_of(request)
        how = _base(body), flag(body.get("allow_conflicts"), "allow_conflicts") is True
        done = await self._room.rebasing.rebase_chain(self._asker.actor(request), change.number, *how)
        found = [await self._rebased(request, done, one.number) for one in done.changes]
        marked = {"contains_git_conflicts": True} if done.marked else {}
        return json_answer(request, {"rebased_changes": found, **marked})

    async def _rebased(self, request: web.Request, done: Rebased, number: int) -> dict[str, object]:
        info = await self._shaper.info_of(request, number, _SHOWN)
        return {**info, "contains_git_conflicts": True} if number in done.marked else info

    async def _cherry_pick(self, request: web.Request) -> web.StreamResponse:
        (view, patch_set), body = await self._shaper.revision(request), await body_of(request)
        parent = body.get("parent", 1)
        if isinstance(parent, bool) or not isinstance(parent, int):
            raise Invalid(reason=reason("review.bad-field", field="parent", why="it must be a whole number"))
        wanted = Pick(
            text_of(body.get("destination"), "destination"),
            text_of(body.get("message"), "message"),
            text_of(body.get("base"), "base"),
            parent,
            text_of(body.get("topic"), "topic"),
            *(flag(body.get(one), one) is True for one in ("keep_reviewers", "allow_conflicts", "allow_empty")),
            wish=await asked(self._shaper, request),
        )
        actor = self._asker.actor(request)
        made = await self._room.picking.cherry_pick(actor, view.change.number, patch_set.number, wanted)
        info = await self._shaper.info_of(request, made.change.number)
        return json_answer(request, {**info, "contains_git_conflicts": True} if made.conflicts else info)

    async def _revert(self, request: web.Request) -> web.StreamResponse:
        change, body = await self._shaper.change(request), await body_of(request)
        message, topic = text_of(body.get("message"), "message"), text_of(body.get("topic"), "topic")
        said = message, topic, await asked(self._shaper, request)
        made = await self._room.reverting.revert(self._asker.actor(request), change.number, *said)
        return json_answer(request, await self._shaper.info_of(request, made.number))

    async def _revert_submission(self, request: web.Request) -> web.StreamResponse:
        change, body = await self._shaper.change(request), await body_of(request)
        said = text_of(body.get("message"), "message"), text_of(body.get("topic"), "topic")
        said = *said, await asked(self._shaper, request)
        made = await self._room.reverting.revert_submission(self._asker.actor(request), change.number, *said)
        found = [await self._shaper.info_of(request, one.number) for one in made]
        return json_answer(request, {"revert_changes": found})

    async def _move(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        change, body = await self._shaper.change(request), await body_of(request)
        branch = text_of(body.get("destination_branch"), "destination_branch")
        keep = flag(body.get("keep_all_votes"), "keep_all_votes") is True
        text = text_of(body.get("message"), "message")
        actor = self._asker.actor(request)
        moved = await self._room.moving.move(actor, change.number, branch, text, keep_votes=keep)
        return json_answer(request, await self._shaper.info_of(request, moved.number))


def _base(body: Object) -> str | None:
    """The base that somebody asks for; not to name one is another wish than the tip, which is empty."""
    given: Json = body.get("base")
    return None if given is None else text_of(given, "base")
