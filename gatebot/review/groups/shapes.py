# SPDX-License-Identifier: Apache-2.0
"""Groups in Gerrit's JSON, and the terms by which they are looked for.

Reads nothing: groups in, values or a choice out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from ...assignment import Json
from ...errors import Invalid
from ...identity import Group
from ...reasons import reason
from ..gerrit_labels import timestamp


def group_info(group: Group, names: Mapping[str, str]) -> dict[str, Json]:
    """Gerrit's GroupInfo; `names` of groups by UUID tell the owner's."""
    info: dict[str, Json] = {
        "id": quote(group.uuid, safe=""),
        "name": group.name,
        "options": {"visible_to_all": True} if group.visible and group.number else {},
    }
    if not group.number:  # everybody's: nobody joins it or changes it, so there is no page of it
        return info
    info["url"] = f"#/admin/groups/uuid-{quote(group.uuid, safe='')}"
    if group.description:
        info["description"] = group.description
    info["group_id"] = group.number
    if group.owner:
        info |= {"owner": names.get(group.owner, group.owner), "owner_id": quote(group.owner, safe="")}
    if group.created is not None:
        info["created_on"] = timestamp(group.created)
    return info


def chosen(groups: Sequence[Group], query: str) -> list[Group]:
    """The groups that Gerrit's query words describe; all words must fit."""
    found = list(groups)
    for word in query.split():
        name, colon, value = word.partition(":")
        if not colon:
            name, value = "inname", word
        found = [one for one in found if _fits(one, name, value.strip('"{}').lower(), groups)]
    return found


def _fits(group: Group, name: str, value: str, groups: Sequence[Group]) -> bool:
    match name:
        case "inname":
            return value in group.name.lower()
        case "name":
            return value == group.name.lower()
        case "uuid":
            return value == group.uuid.lower()
        case "description":
            return value in group.description.lower()
        case "owner":
            owner = next((one.name.lower() for one in groups if one.uuid == group.owner), "")
            return value in (group.owner.lower(), owner)
        case "is" if value in ("visibletoall", "visible-to-all"):
            return group.visible
        case _:
            raise Invalid(reason=reason("review.group-query", operator=f"{name}:{value}"[:60]))
