# SPDX-License-Identifier: Apache-2.0
"""Settings of what goes out of a site and who comes into it: mail, sign-up, an OpenID Connect provider, copies,
webhooks, trackers.

Only frozen values, as in `settings_fields.py`, which lists these sections; and what is wrong with them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from .expressions import strictly
from .settings_checks import no_regexes
from .settings_words import guess, setting, written

_PLACE = re.compile(r"[^\s/@]+:\d{1,5}")
WEBHOOK_EVENTS = (
    "patchset-created", "comment-added", "vote-deleted", "reviewer-added", "reviewer-deleted", "change-merged",
    "change-abandoned", "change-restored", "topic-changed", "hashtags-changed", "wip-state-changed",
    "private-state-changed", "custom-keyed-values-changed", "change-deleted", "ref-updated", "project-created",
    "project-head-updated",
)  # fmt: skip
"""What `gerrit stream-events` tells of."""
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """Mail about changes. It can be read at /mail/ whether or not it is sent."""

    smtp: str = setting("", "The server that takes the site's mail; empty: none is sent.", unit="host:port")
    tls: str = setting(
        "starttls", "How the connection is encrypted: from its beginning (tls), by STARTTLS, or not at all.",
        choices=("starttls", "tls", "none"),
    )  # fmt: skip
    user: str = setting("", "The account at that server; empty: it asks for none.")
    password_file: str = setting("", "Holds the account's password.", unit="file")
    sender: str = setting(
        "", "The address that mail comes from; empty: gatebot@ the host of the site's address.", unit="address"
    )
    language: str = setting("en", "The language of the sentences in mail.", choices=("en", "ko"))


@dataclass(frozen=True, slots=True)
class Accounts:
    """How people get accounts."""

    sign_up: str = setting(
        "admin", "Who makes accounts: administrators only, or people too who prove their address by mail.",
        choices=("admin", "mail"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Oidc:
    """A provider of OpenID Connect at which people sign in; its redirect address here is URL/login/oidc/back."""

    issuer: str = setting("", "The provider's issuer, exactly as it writes it; empty: there is none.", unit="URL")
    name: str = setting("", "What people call it, on the button; empty: the issuer.")
    client_id: str = setting("", "The name of this site there.")
    client_secret_file: str = setting("", "Holds the secret that goes with it.", unit="file")
    create: bool = setting(True, "Whether who comes for the first time gets an account.")


@dataclass(frozen=True, slots=True)
class Replication:
    """A place where copies of the hosted repositories are kept; the name is what the health page calls it."""

    url: str = setting(
        "", "The address that git pushes to; ${name} stands for the project.", unit="URL, HOST:PATH or directory"
    )
    projects: tuple[str, ...] = setting((), "The projects that are copied, as RE2 expressions; empty: all.")
    changes: bool = setting(False, "Whether patch sets are copied too (refs/changes), but those of private changes.")
    mirror: bool = setting(False, "Whether branches and tags that are gone here are deleted there.")
    user: str = setting("", "The account there, for an address that begins with https.")
    password_file: str = setting("", "Holds its password or token.", unit="file")
    ssh_key: str = setting("", "The private key, without a passphrase, for an address of SSH.", unit="file")
    known_hosts: str = setting("", "Holds the host key there, as `ssh-keyscan` prints it.", unit="file")


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told what happens, as `gerrit stream-events` tells it; the health page uses the name."""

    url: str = setting("", "The address that events are POSTed to.", unit="URL")
    projects: tuple[str, ...] = setting((), "The projects that it is told of, as RE2 expressions; empty: all.")
    events: tuple[str, ...] = setting(
        (), "The types of events that it is told, such as change-merged; empty: all.", unit="types"
    )
    secret_file: str = setting("", "Holds the secret that requests are signed with; empty: they are not.", unit="file")
    account: str = setting(
        "", "The user name of the account whose view is told; empty: what a stranger may see. "
        "Private changes are never told.",
    )  # fmt: skip
    local: bool = setting(False, "Whether the address may lead to this machine itself (loopback) or its link.")


def webhook_errors(place: str, one: Webhook) -> Iterator[str]:
    """What is wrong with one webhook."""
    if not one.url:
        yield f"{place}.url: this is needed."
    elif not re.fullmatch(r"https?://[^\s/?#]+([/?]\S*)?", one.url):
        yield f"{place}.url: write http:// or https://, a host, and no fragment."
    elif "@" in urlsplit(one.url).netloc:
        yield f"{place}.url: a password has no place here; put a secret into secret_file."
    yield from no_regexes(f"{place}.projects", one.projects)
    for kind in one.events:
        if kind not in WEBHOOK_EVENTS:
            yield f"{place}.events: {written(kind)} is no type of event.{guess(kind, WEBHOOK_EVENTS)}"


@dataclass(frozen=True, slots=True)
class Tracker:
    """A tracker of bugs or tasks elsewhere: what texts name of it becomes links, and it may be told of merges."""

    rules: str = setting(
        "none", "Rules that come with gatebot, beside the one that the next three keys make.",
        choices=("none", "launchpad", "storyboard"),
    )  # fmt: skip
    footers: tuple[str, ...] = setting((), "The footers that name it, such as Closes-Bug; empty: any place of a text.")
    match: str = setting(
        "",
        "What names one thing, as an RE2 expression; its group is the id. Empty: one word, with or without a #.",
        unit="expression",
    )
    link: str = setting("", "Where it is; {id} stands for the id, $1 for a group.", unit="URL")
    hook: str = setting("", "Where it is told of merged changes that name it; empty: it is told nothing.", unit="URL")
    local: bool = setting(False, "Whether the hook may be on this machine.")
    token_file: str = setting("", "Holds the token that the hook gets as `Authorization: Bearer`.", unit="file")


def tracker_errors(place: str, one: Tracker) -> Iterator[str]:
    """What is wrong with one tracker."""
    if one.rules == "none" and not (one.footers or one.match):
        yield f"{place}: write footers or match, so that it is known what names it, or rules."
    if one.link and not (one.footers or one.match):
        yield f"{place}.link: this needs footers or match."
    for name in one.footers:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
            yield f"{place}.footers: {written(name)} is no footer; write it without the colon, such as Closes-Bug."
    try:
        strictly(one.match)
    except ValueError as problem:
        yield f"{place}.match: {written(one.match)} is no RE2 expression: {problem}."
    if one.link and not re.fullmatch(r"(https?://[^\s/?#\\\"'<>`$]|mailto:)[^\s\\\"'<>`]*", one.link):
        yield f"{place}.link: {written(one.link)} cannot be used; write http://, https:// or mailto:."
    elif one.link and not re.search(r"\{id\}|\$\d", one.link):
        yield f"{place}.link: write {{id}} where the id stands in it."
    if one.hook and not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", one.hook):
        yield f"{place}.hook: write http:// or https://, and no password in it."
    if one.token_file and not one.hook:
        yield f"{place}.token_file: this needs hook."


def replication_errors(place: str, one: Replication) -> Iterator[str]:
    """What is wrong with one place."""
    if not one.url:
        yield f"{place}.url: this is needed."
    elif "${name}" not in one.url:
        yield f"{place}.url: write ${{name}} where the project stands in it: each has a repository of its own."
    elif one.url.startswith("-") or "::" in one.url:
        yield f"{place}.url: write https://, ssh://, git://, file://, HOST:PATH or a directory."
    if re.match(r"[a-z+]+://[^/@:]*:[^/@]+@", one.url):
        yield f"{place}.url: a password has no place here; put it into password_file."
    if bool(one.user) != bool(one.password_file):
        yield f"{place}.user: a password needs user and password_file."
    yield from no_regexes(f"{place}.projects", one.projects)


def accounts_errors(accounts: Accounts, oidc: Oidc, mail: Mail) -> Iterator[str]:
    """What is wrong with how people get in."""
    if accounts.sign_up == "mail" and not mail.smtp:
        yield "accounts.sign_up: mail cannot be sent; set mail.smtp too."
    if oidc.issuer and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", oidc.issuer):
        yield "oidc.issuer: write http:// or https://, without ? and #."
    if oidc.issuer and not (oidc.client_id and oidc.client_secret_file):
        yield "oidc.issuer: a provider needs client_id and client_secret_file."


def mail_errors(mail: Mail, host: str) -> Iterator[str]:
    """What is wrong with how mail is sent; `host` is that of the site's address."""
    if mail.smtp and not _PLACE.fullmatch(mail.smtp):
        yield 'mail.smtp: write a host and a port, such as "mail.example.org:587".'
    if bool(mail.user) != bool(mail.password_file):
        yield "mail.user: logging in needs user and password_file."
    if mail.user and mail.tls == "none":
        yield "mail.tls: a password would go over the network as it is; write starttls or tls."
    if mail.smtp and not mail.sender and (host == "localhost" or ":" in host):
        yield f"mail.sender: write an address; gatebot@{host}, which it would be, is none that others can read."
    if mail.sender and not _ADDRESS.fullmatch(mail.sender):
        yield 'mail.sender: write an address, such as "review@example.org".'
