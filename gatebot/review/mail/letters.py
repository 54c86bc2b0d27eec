# SPDX-License-Identifier: Apache-2.0
"""What a mail about a change says: its thread, Gerrit's headers and footers, and its text in blocks.

Pure. The blocks are rendered as text and as HTML in `rendering.py`. Headers and footers are for programs and stay as
Gerrit writes them; sentences are in the language of the site's mail, by the translator that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from ..model import COMMIT_MESSAGE, PATCH_SET_LEVEL, PatchSet, ReviewerState
from .audience import Ground
from .model import Block, FileLine, Form, Happening, Kind, Letter, Listener, Quote

Translate: TypeAlias = Callable[[str], str]
_DOTS = "." * 70
_FILES_SHOWN = 50
SENTENCES: Mapping[Kind, str] = {
    Kind.NEW_CHANGE: "%(who)s has uploaded this change for review.",
    Kind.NEW_PATCH_SET: "%(who)s has uploaded patch set %(patch_set)s of this change.",
    Kind.COMMENT: "%(who)s has posted comments on this change.",
    Kind.MERGED: "This change was merged by %(who)s.",
    Kind.ABANDONED: "%(who)s has abandoned this change.",
    Kind.RESTORED: "%(who)s has restored this change.",
    Kind.REVERTED: "%(who)s has created a revert of this change.",
    Kind.DELETE_VOTE: "%(who)s has removed a vote on this change.",
    Kind.DELETE_REVIEWER: "%(who)s has removed %(removed)s from this change.",
    Kind.ADD_REVIEWER: "%(who)s would like %(invited)s to review this change.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a letter is made from. `said` is the message of a review, `fetch` how to get the commit."""

    happening: Happening
    ground: Ground
    patch_set: PatchSet
    people: Mapping[int, Listener]
    site: str
    site_name: str
    files: Sequence[FileLine] = ()
    quotes: Sequence[Quote] = ()
    attention: Sequence[int] = ()
    fetch: str = ""
    revert: str = ""


def letter(told: Told, gettext: Translate) -> Letter:
    """The letter of a happening."""
    happening, change = told.happening, told.ground.change
    host = urlsplit(told.site).hostname or "localhost"
    thread = f"<gatebot.{change.number}.{change.change_id}@{host}>"
    first = happening.kind is Kind.NEW_CHANGE and happening.patch_set == 1
    own = f"<gatebot.{change.number}.{happening.id}.{happening.kind.value}@{host}>"
    writer = told.people.get(happening.actor) if happening.actor is not None else None
    return Letter(
        id=thread if first else own,
        thread=thread,
        first=first,
        kind=happening.kind,
        at=happening.at,
        writer=writer.name if writer else told.site_name,
        writer_email=writer.email if writer and not writer.program else "",
        subject=f"Change in {change.project}[{change.branch}]: {change.subject}",
        headers=_headers(told, host),
        footers=_footers(told),
        blocks=tuple(_blocks(told, gettext)),
        url=_url(told),
    )


def _url(told: Told) -> str:
    change = told.ground.change
    return f"{told.site.rstrip('/')}/c/{quote(change.project)}/+/{change.number}"


def _headers(told: Told, host: str) -> tuple[tuple[str, str], ...]:
    change, kind = told.ground.change, told.happening.kind
    attention = ", ".join(_name(told, id) for id in told.attention)
    list_name = change.project.replace("/", "-")
    headers = (
        ("Auto-Submitted", "auto-generated"),
        ("Precedence", "bulk"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Gerrit-MessageType", kind.told),
        ("X-Gerrit-Change-Id", change.change_id),
        ("X-Gerrit-Change-Number", str(change.number)),
        ("X-Gerrit-ChangeURL", _url(told)),
        ("X-Gerrit-Commit", told.patch_set.commit),
        ("X-Gerrit-PatchSet", str(told.patch_set.number)),
        ("X-Gerrit-Project", change.project),
        ("X-Gerrit-Branch", change.branch),
        ("X-Gerrit-Attention-Set", attention),
        ("List-Id", f"{list_name} <gerrit-{list_name}.{host}>"),
        ("List-Archive", f"<{archive_url(told.site, change.project, told.happening.at.strftime('%Y-%m'))}>"),
    )
    return tuple((name, value) for name, value in headers if value)


def archive_url(site: str, project: str, month: str) -> str:
    """Where the mails of a project and a month are read."""
    return f"{site.rstrip('/')}/mail/{quote(project)}/{month}"


def _footers(told: Told) -> tuple[tuple[str, str], ...]:
    """The lines for filters of mail programs that see only the text."""
    change, happening = told.ground.change, told.happening
    people = [("Gerrit-Owner", change.owner)]
    named = {ReviewerState.REVIEWER: "Gerrit-Reviewer", ReviewerState.CC: "Gerrit-CC"}
    people += [(named[one.state], one.account) for one in told.ground.reviewers if one.account != change.owner]
    people += [("Gerrit-Attention", id) for id in told.attention]
    lines = [
        ("Gerrit-MessageType", happening.kind.told),
        ("Gerrit-Project", change.project),
        ("Gerrit-Branch", change.branch),
        ("Gerrit-Change-Id", change.change_id),
        ("Gerrit-Change-Number", str(change.number)),
        ("Gerrit-PatchSet", str(told.patch_set.number)),
        *((name, _full(told, id)) for name, id in people if id in told.people),
    ]
    if happening.kind is Kind.COMMENT:
        lines += [
            ("Gerrit-Comment-Date", happening.at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")),
            ("Gerrit-HasComments", "Yes" if told.quotes else "No"),
            ("Gerrit-Has-Labels", "Yes" if happening.votes else "No"),
        ]
    return tuple(lines)


def _name(told: Told, id: int | None) -> str:
    known = told.people.get(id) if id is not None else None
    return known.name if known else told.site_name


def _full(told: Told, id: int) -> str:
    one = told.people[id]
    return f"{one.name} <{one.email}>" if one.email else one.name


def _blocks(told: Told, gettext: Translate) -> list[Block]:
    happening, change = told.happening, told.ground.change
    blocks: list[Block] = []
    if told.attention:
        names = ", ".join(_name(told, id) for id in told.attention)
        blocks.append(Block(Form.SAID, gettext("Attention is currently required from: %(names)s.") % {"names": names}))
    words = {
        "who": _name(told, happening.actor),
        "patch_set": told.patch_set.number,
        "removed": _name(told, happening.removed),
        "invited": ", ".join(_name(told, id) for id in happening.invited),
    }
    blocks.append(Block(Form.SAID, gettext(SENTENCES[happening.kind]) % words))
    blocks.append(Block(Form.LINK, _url(told), _url(told)))
    blocks.append(Block(Form.HEADING, gettext("Change subject: %(subject)s") % {"subject": change.subject}))
    blocks.append(Block(Form.RULE, _DOTS))
    match happening.kind:
        case Kind.NEW_CHANGE | Kind.NEW_PATCH_SET | Kind.ADD_REVIEWER:
            blocks += _work(told, gettext)
        case Kind.REVERTED:
            blocks.append(Block(Form.LINK, told.revert, told.revert))
        case Kind.MERGED:
            blocks += [Block(Form.SAID, said) for said in [_votes(told)] if said]
            blocks += _work(told, gettext)
        case _ if happening.text.strip():
            blocks.append(Block(Form.SAID, happening.text.strip()))
        case _:
            pass
    return blocks + _comments(told, gettext)


def _votes(told: Told) -> str:
    return "\n".join(f"{label}: {value:+d}" for label, value in told.happening.votes)


def _work(told: Told, gettext: Translate) -> list[Block]:
    """The commit: its message, its files, how to get it."""
    blocks = [Block(Form.CODE, told.patch_set.message.rstrip())]
    if told.files:
        lines = [f"{one.status} {one.path}" for one in told.files[:_FILES_SHOWN]]
        if len(told.files) > _FILES_SHOWN:
            lines.append(gettext("and %(count)s more") % {"count": len(told.files) - _FILES_SHOWN})
        counts = {
            "files": len(told.files),
            "added": sum(one.added for one in told.files),
            "deleted": sum(one.deleted for one in told.files),
        }
        lines.append(gettext("Files changed: %(files)s, lines added: %(added)s, lines deleted: %(deleted)s") % counts)
        blocks.append(Block(Form.CODE, "\n".join(["---", *lines])))
    if told.fetch:
        blocks.append(Block(Form.CODE, told.fetch))
    return blocks


def _comments(told: Told, gettext: Translate) -> list[Block]:
    """Inline comments by file, each under the line that it is about."""
    blocks: list[Block] = []
    for one in told.quotes:
        if one.file == PATCH_SET_LEVEL:
            title = gettext("Patch set %(patch_set)s:") % {"patch_set": one.patch_set}
        elif one.file == COMMIT_MESSAGE:
            title = gettext("Commit message:")
        else:
            title = gettext("File %(file)s:") % {"file": one.file}
        if not blocks or title not in (block.text for block in blocks if block.form is Form.HEADING):
            blocks.append(Block(Form.HEADING, title))
        blocks.append(Block(Form.LINK, one.url, one.url))
        if one.line:
            words = {"patch_set": one.patch_set, "line": one.line, "text": one.context.strip()}
            place = gettext("PS%(patch_set)s, line %(line)s: %(text)s") % words
            blocks.append(Block(Form.CODE, place.rstrip(": ")))
        if one.answers:
            blocks.append(Block(Form.QUOTED, one.answers))
        blocks.append(Block(Form.SAID, one.text.strip()))
    return blocks
