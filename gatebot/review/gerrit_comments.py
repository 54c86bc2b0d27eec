# SPDX-License-Identifier: Apache-2.0
"""What people say of a change, in the shapes of Gerrit's REST answers: messages and comments.

Pure: values in, JSON objects out, as in `gerrit_json.py`, which stands on this. Nothing here knows a whole change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..assignment import Json
from .fixes.model import from_text
from .fixes.model import info as fix_info
from .gerrit_labels import account_info, timestamp
from .model import InlineComment, Message, Side
from .whole import Known


def lean(info: Mapping[str, Json], *kept: str) -> dict[str, Json]:
    """Without what is false or empty, as Gerrit writes JSON."""
    return {name: value for name, value in info.items() if name in kept or (value not in (None, "", False, [], {}))}


def message_info(message: Message, people: Mapping[int, Known]) -> dict[str, Json]:
    """Gerrit's ChangeMessageInfo."""
    info: dict[str, Json] = {
        "id": f"{message.id:08x}",
        "date": timestamp(message.created),
        "message": message.text,
        "tag": message.tag,
        "_revision_number": message.patch_set,
    }
    if message.account is not None and message.account in people:
        info["author"] = account_info(people[message.account])
    return lean(info, "message")


def comments_info(
    comments: Iterable[InlineComment], people: Mapping[int, Known], commits: Mapping[int, str]
) -> dict[str, Json]:
    """Gerrit's map of path to list of CommentInfo."""
    found: dict[str, list[Json]] = {}
    for comment in comments:
        found.setdefault(comment.file, []).append(comment_info(comment, people, commits))
    return {path: found[path] for path in sorted(found)}


def comment_info(comment: InlineComment, people: Mapping[int, Known], commits: Mapping[int, str]) -> dict[str, Json]:
    """Gerrit's CommentInfo, without its path."""
    author = people.get(comment.account)
    info: dict[str, Json] = {
        "author": account_info(author) if author else {"_account_id": comment.account},
        "change_message_id": f"{comment.message:08x}",
        "patch_set": comment.patch_set,
        "id": comment.id,
        "line": comment.line,
        "side": "PARENT" if comment.side is Side.PARENT else "",
        "in_reply_to": comment.in_reply_to,
        "updated": timestamp(comment.created),
        "message": comment.text,
        "tag": comment.tag,
        "commit_id": commits.get(comment.patch_set, ""),
    }
    if (span := comment.range) is not None:
        names = ("start_line", "start_character", "end_line", "end_character")
        info["range"] = {name: getattr(span, name) for name in names}
    if comment.fixes:
        info["fix_suggestions"] = [fix_info(one) for one in from_text(comment.fixes)]
    return {**lean(info), "unresolved": comment.unresolved}


def unresolved_threads(comments: Sequence[InlineComment]) -> int:
    """How many threads end in a comment that is not resolved."""
    answered = {comment.in_reply_to for comment in comments if comment.in_reply_to}
    return sum(comment.unresolved for comment in comments if comment.id not in answered)
