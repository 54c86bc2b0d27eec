# SPDX-License-Identifier: Apache-2.0
"""What ties a planned meeting to the one that is held, its name, and to others of its project.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from .. import names
from .model import Planned


def meeting_name(meeting: Planned) -> str:
    """The name by which a planned meeting is started, as it stands in addresses."""
    return names.slug(meeting.meeting_id or meeting.project) or names.default_name(meeting.key)


def agenda_path(name: str) -> str:
    """The address of a meeting's agenda on this site."""
    return f"/meetings/{quote(name, safe='')}/agenda"


def of_project(meetings: Sequence[Planned], name: str) -> list[Planned]:
    """The meetings of a project: whose files name it, and those that have its page as theirs.

    A file's `project` is often the name of a meeting, as in OpenDev's files; teams of one project share its page then.
    """
    named = [one for one in meetings if names.slug(one.project) == name]
    pages = {one.project_url.rstrip("/") for one in named if one.project_url}
    return [one for one in meetings if one in named or one.project_url.rstrip("/") in pages]
