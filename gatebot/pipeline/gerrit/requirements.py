# SPDX-License-Identifier: Apache-2.0
"""What a Gerrit still requires before a change may be submitted.

Pure. From submit requirements, or from the older submit records. What only waits for the gate's own votes is no reason
to wait: the gate casts those when its jobs have passed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from ...reasons import Reason, reason
from .model import Json, Mirrored, Need

_LABEL = re.compile(r"\blabel:\"?([A-Za-z0-9-]+)")
_OPEN = ("UNSATISFIED", "ERROR")


def needs(requirements: Sequence[Json] | None, records: Iterable[Json]) -> tuple[Need, ...]:
    """The requirements that are not met."""
    if requirements:
        return tuple(_required(one) for one in requirements if one.get("status") in _OPEN)
    labels: list[Json] = [label for record in records for label in record.get("labels", ())]
    return tuple(
        Need(str(one["label"]), f"label:{one['label']}", (str(one["label"]),))
        for one in labels
        if one.get("status") in ("NEED", "REJECT", "IMPOSSIBLE")
    )


def waits_for(change: Mirrored, own: Collection[str]) -> Reason | None:
    """What people still have to do before the change may be submitted; `own` are the labels that the gate votes on."""
    if change.facts.work_in_progress:
        return reason("pipeline.gerrit-work-in-progress")
    missing = [need for need in change.needs if not set(need.labels) & set(own)]
    if not missing:
        return None
    told = tuple(reason("pipeline.gerrit-needs", name=one.name, expression=one.expression) for one in missing)
    return Reason(told[0].kind, told[0].params, told[1:])


def _required(one: Json) -> Need:
    result: Json = one.get("submittability_expression_result", {})
    expression = str(result.get("expression", ""))
    return Need(str(one["name"]), expression, tuple(dict.fromkeys(_LABEL.findall(expression))))
