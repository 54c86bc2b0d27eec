# SPDX-License-Identifier: Apache-2.0
"""What ties a planned meeting to the one that is held: its name, which is also in addresses.

Pure.
"""

from __future__ import annotations

from urllib.parse import quote

from .. import names
from .model import Planned


def meeting_name(meeting: Planned) -> str:
    """The name by which a planned meeting is started, as it stands in addresses."""
    return names.slug(meeting.meeting_id or meeting.project) or names.default_name(meeting.key)


def agenda_path(name: str) -> str:
    """The address of a meeting's agenda on this site."""
    return f"/meetings/{quote(name, safe='')}/agenda"
