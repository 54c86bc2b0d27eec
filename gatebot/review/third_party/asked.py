# SPDX-License-Identifier: Apache-2.0
"""What the CIs elsewhere have to do with one patch set: who tests it, what each said, who was asked and is silent.

Pure. Where a comment asks by a name that is nobody's, that is said too: a mistyped `recheck-NAME` would wait for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..model import Change, Message, PatchSet
from .model import Remark, Seen, Standing, ThirdParty, Upload
from .standing import asks, covers, standing

_CALL = re.compile(r"\s*recheck-(\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """`standings`: of those that test the project; `elsewhere` were asked and do not; `nobody` is nobody's name."""

    standings: tuple[Standing, ...] = ()
    elsewhere: tuple[ThirdParty, ...] = ()
    nobody: tuple[str, ...] = ()


def asked(
    cis: Sequence[ThirdParty],
    accounts: Mapping[str, int],
    change: Change,
    patch_set: PatchSet,
    messages: Iterable[Message],
) -> Asked:
    """What is to be said of one patch set; nothing where the site knows no CI elsewhere."""
    if not cis:
        return Asked()
    current = patch_set.number == change.current
    upload = Upload(
        change.number,
        patch_set.number,
        change.project,
        patch_set.subject,
        patch_set.created,
        change.branch,
        change.owner,
        current and change.is_open,
        not current,
    )
    remarks = tuple(
        Remark(change.number, one.patch_set, one.account, one.text, one.created, one.tag)
        for one in messages
        if one.patch_set == patch_set.number
    )
    seen = Seen(patch_set.created, (upload,), remarks, accounts)
    here = [ci for ci in cis if covers(ci, change.project)]
    return Asked(
        tuple(standing(ci, seen) for ci in here),
        tuple(ci for ci in cis if ci not in here and any(asks(ci, remark) for remark in remarks)),
        tuple(dict.fromkeys(_nobodys(cis, remarks))),
    )


def _nobodys(cis: Sequence[ThirdParty], remarks: Iterable[Remark]) -> Iterable[str]:
    """The names of `recheck-NAME` alone on a line that no CI answers to; what programs say asks nobody."""
    for remark in remarks:
        if remark.tag or remark.account is None:
            continue
        for line in remark.text.splitlines():
            call = _CALL.fullmatch(line)
            if call and not any(asks(ci, replace(remark, text=line)) for ci in cis):
                yield call[1]
