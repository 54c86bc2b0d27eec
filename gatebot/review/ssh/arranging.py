# SPDX-License-Identifier: Apache-2.0
"""`gerrit set-reviewers`, `set-topic` and `set-hashtags`: what stands around changes, several at once.

What goes wrong with one change is told, the others are still done; then the command fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ... import words as sentences
from ...errors import GatebotError
from ..model import ReviewerState
from ..room import ReviewRoom
from ..whole import ChangeView
from . import arguments
from .arguments import Given, Option
from .model import Call, Failed
from .naming import Naming

_REVIEWERS = (
    Option(("--add", "-a"), "REVIEWER", "user or group that should be added as reviewer"),
    Option(("--remove", "-r"), "REVIEWER", "user or group that should be removed from the reviewer list"),
    Option(("--project", "-p"), "PROJECT", "project containing the change"),
)
_TOPIC = (
    Option(("--topic", "-t"), "TOPIC", "applies a topic to the given changes"),
    Option(("--project", "-p"), "PROJECT", "project containing the change"),
)
_HASHTAGS = (
    Option(("--add", "-a"), "HASHTAG", "hashtag to add"),
    Option(("--remove", "-r"), "HASHTAG", "hashtag to take away"),
    Option(("--project", "-p"), "PROJECT", "project containing the change"),
)


class Arranging:
    """Changes reviewers, topics and hashtags."""

    def __init__(self, room: ReviewRoom, naming: Naming) -> None:
        self._room = room
        self._naming = naming

    async def set_reviewers(self, call: Call) -> None:
        """Add and remove reviewers."""
        given = self._read(call, "set-reviewers", _REVIEWERS)

        async def arrange(view: ChangeView) -> None:
            number, here = view.change.number, {one.account for one in view.reviewers}
            for name in given.all("--remove"):
                named = await self._naming.invited(call.actor, view.change, name, confirmed=True)
                for account in named if len(named) == 1 else sorted(here.intersection(named)):
                    await self._room.review.remove_reviewer(call.actor, number, account)
            for name in given.all("--add"):
                for account in await self._naming.invited(call.actor, view.change, name, confirmed=True):
                    await self._room.review.add_reviewer(call.actor, number, account, ReviewerState.REVIEWER)

        await self._each(call, given, arrange)

    async def set_topic(self, call: Call) -> None:
        """Put changes under a topic; without one they are taken out of theirs."""
        given = self._read(call, "set-topic", _TOPIC)

        async def arrange(view: ChangeView) -> None:
            await self._room.states.set_topic(call.actor, view.change.number, given.text("--topic"))

        await self._each(call, given, arrange)

    async def set_hashtags(self, call: Call) -> None:
        """Add and take away hashtags."""
        given = self._read(call, "set-hashtags", _HASHTAGS)

        async def arrange(view: ChangeView) -> None:
            lists = given.all("--add"), given.all("--remove")
            await self._room.states.set_hashtags(call.actor, view.change.number, *lists)

        await self._each(call, given, arrange)

    def _read(self, call: Call, command: str, options: tuple[Option, ...]) -> Given:
        given = arguments.read(options, call.words)
        if given.has(arguments.HELP):
            raise Failed(arguments.usage(f"gerrit {command}", "CHANGE ...", options))
        if not given.rest:
            raise Failed('fatal: Argument "CHANGE" is required')
        return given

    async def _each(self, call: Call, given: Given, arrange: Callable[[ChangeView], Awaitable[None]]) -> None:
        """Every change that is named; what goes wrong with one does not stop the others."""
        failed = False
        for word in dict.fromkeys(given.rest):
            try:
                await arrange(await self._naming.change(call.actor, word, project=given.text("--project")))
                continue
            except GatebotError as error:
                text = sentences.say(error.reason, call.language) if error.reason else str(error)
            except Failed as error:
                text = error.text.removeprefix("fatal: ")
            await call.terminal.complain(f"error: {text}\n")
            failed = True
        if failed:
            raise Failed("fatal: one or more updates failed; review output above")
