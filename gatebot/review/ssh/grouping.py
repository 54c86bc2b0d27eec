# SPDX-License-Identifier: Apache-2.0
"""`gerrit create-account`, `create-group` and `set-members`: people and the groups that they are in.

A group is changed by the members of the group that owns it, and by administrators.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...access import SITE, Verb, may
from ...errors import NotPermitted
from ...identity import Account, Group
from ...identity.ssh_keys import read_key
from ...reasons import reason
from ..room import ReviewRoom
from . import arguments
from .arguments import Given, Option
from .model import Call, Failed
from .naming import Naming

_ACCOUNT = (
    Option(("--email",), "EMAIL", "email address of the account"),
    Option(("--full-name",), "NAME", "display name of the account"),
    Option(("--group", "-g"), "GROUP", "groups to add account to"),
    Option(("--http-password",), "PASSWORD", "password for HTTP authentication"),
    Option(("--ssh-key",), "-|KEY", "public key for SSH authentication"),
)
_GROUP = (
    Option(("--description", "-d"), "DESC", "description of group"),
    Option(("--owner", "-o"), "GROUP", "owning group, if not specified the group will be self-owning"),
    Option(("--member", "-m"), "USERNAME", "initial set of users to become members of the group"),
    Option(("--group", "-g"), "GROUP", "initial set of groups to be included in the group"),
    Option(("--visible-to-all",), about="to make the group visible to all registered users"),
)
_MEMBERS = (
    Option(("--add", "-a"), "USER", "users that should be added as group member"),
    Option(("--remove", "-r"), "USER", "users that should be removed from the group"),
    Option(("--include", "-i"), "GROUP", "group that should be included as group member"),
    Option(("--exclude", "-e"), "GROUP", "group that should be excluded from the group"),
)
_MOST_KEY = 16 * 1024


class Grouping:
    """Makes accounts and groups."""

    def __init__(self, room: ReviewRoom, naming: Naming) -> None:
        self._room = room
        self._identity = room.identity
        self._naming = naming

    async def create_account(self, call: Call) -> None:
        """An account; `--ssh-key -` reads its key from the input."""
        given = _read(call, "create-account", "USERNAME", _ACCOUNT, least=1)
        self._require(call, Verb.CREATE_ACCOUNT)
        username, key = given.rest[0], given.text("--ssh-key")
        if key == "-":
            key = (await call.terminal.all_input(_MOST_KEY)).decode("utf-8", "replace")
        if key:
            read_key(key)  # refused before there is an account without it
        if await self._identity.by_username(username) is not None:
            raise Failed(f"fatal: username '{username}' already exists")
        groups = [await self._group(name) for name in given.all("--group")]
        for group in groups:
            await self._require_owner(call, group)
        account = await self._identity.create(
            username,
            name=given.text("--full-name") or username,
            email=given.text("--email") or f"{username}@localhost",
            password=given.text("--http-password") or None,
            groups=[group.name for group in groups],
        )
        if key:
            await self._identity.add_ssh_key(account.id, key)

    async def create_group(self, call: Call) -> None:
        """A group, with the accounts and groups that are in it from the beginning."""
        given = _read(call, "create-group", "GROUP", _GROUP, least=1)
        self._require(call, Verb.CREATE_GROUP)
        name = given.rest[0]
        if await self._identity.find_group(name) is not None:
            raise Failed(f"fatal: group '{name}' already exists")
        members = await self._accounts(given.all("--member"))
        inside = [await self._group(each) for each in given.all("--group")]
        owner = (await self._group(given.text("--owner"))).name if given.text("--owner") else ""
        made = await self._identity.create_group(
            name, description=given.text("--description"), owner=owner, visible=given.has("--visible-to-all"),
            members=[one.id for one in members], by=call.account.id,
        )  # fmt: skip
        if inside:
            await self._identity.change_members(made.uuid, include=[one.uuid for one in inside], by=call.account.id)

    async def set_members(self, call: Call) -> None:
        """Let accounts and groups in and out of groups, and tell whom."""
        given = _read(call, "set-members", "GROUP ...", _MEMBERS, least=1)
        groups = [await self._group(name) for name in given.rest]
        add, remove = await self._accounts(given.all("--add")), await self._accounts(given.all("--remove"))
        include = [await self._group(name) for name in given.all("--include")]
        exclude = [await self._group(name) for name in given.all("--exclude")]
        for group in groups:
            await self._require_owner(call, group)
        for group in groups:
            await self._identity.change_members(
                group.uuid, add=[one.id for one in add], remove=[one.id for one in remove],
                include=[one.uuid for one in include], exclude=[one.uuid for one in exclude], by=call.account.id,
            )  # fmt: skip
            people, inside = "Members {} group {}: {}\n", "Groups {} group {}: {}\n"
            for form, done, names in (
                (people, "removed from", _people(remove)), (inside, "excluded from", [one.name for one in exclude]),
                (people, "added to", _people(add)), (inside, "included to", [one.name for one in include]),
            ):  # fmt: skip
                if names:
                    await call.terminal.say(form.format(done, group.name, ", ".join(names)))

    async def _accounts(self, names: Sequence[str]) -> list[Account]:
        found: list[Account] = []
        for name in names:
            account = await self._naming.account(None, name)
            if account is None:
                raise Failed(f'fatal: user "{name}" not found')
            found.append(account)
        return found

    async def _group(self, name: str) -> Group:
        found = await self._identity.find_group(name)
        if found is None:
            raise Failed(f'fatal: Group "{name}" does not exist')
        return found

    def _require(self, call: Call, verb: Verb) -> None:
        if not may(call.actor, verb, SITE, self._room.rules):
            what = {"username": call.account.username, "capability": verb.value}
            raise NotPermitted(reason=reason("review.no-capability", **what))

    async def _require_owner(self, call: Call, group: Group) -> None:
        """Members of the owning group, and administrators."""
        if may(call.actor, Verb.ADMINISTRATE_SERVER, SITE, self._room.rules):
            return
        owner = await self._identity.find_group(group.owner)
        if owner is None or owner.name not in call.account.groups:
            raise NotPermitted(reason=reason("review.group-not-owned", group=group.name))


def _read(call: Call, command: str, named: str, options: tuple[Option, ...], *, least: int) -> Given:
    given = arguments.read(options, call.words)
    if given.has(arguments.HELP):
        raise Failed(arguments.usage(f"gerrit {command}", named, options))
    if len(given.rest) < least:
        raise Failed(f'fatal: Argument "{named.removesuffix(" ...")}" is required')
    return given


def _people(accounts: Sequence[Account]) -> list[str]:
    return [account.name or "n/a" for account in accounts]
