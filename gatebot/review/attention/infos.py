# SPDX-License-Identifier: Apache-2.0
"""The attention set in the shapes of Gerrit's REST answers.

Pure: values in, JSON out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...assignment import Json
from ..gerrit_labels import account_info, timestamp
from ..whole import Known
from .model import Attention


def entry_info(one: Attention, people: Mapping[int, Known]) -> dict[str, Json]:
    """Gerrit's AttentionSetInfo; an account of whom nothing is known here is told by its id alone."""
    known = people.get(one.account)
    who: dict[str, Json] = account_info(known) if known else {"_account_id": one.account}
    return {"account": who, "last_update": timestamp(one.since), "reason": one.reason}


def set_info(entries: Iterable[Attention], people: Mapping[int, Known]) -> dict[str, Json]:
    """The two maps of a ChangeInfo; neither where nobody ever was in the set. `people` are told in full."""
    told: tuple[dict[str, Json], dict[str, Json]] = ({}, {})
    for one in entries:
        told[0 if one.active else 1][str(one.account)] = entry_info(one, people)
    inside, left = told
    return {"attention_set": inside, "removed_from_attention_set": left} if inside or left else {}
