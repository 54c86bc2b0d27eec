# SPDX-License-Identifier: Apache-2.0
"""Accepted errors as values: which error, whose, why, until when; and what of an item's errors they leave.

Pure. An error is known by its content and place, whatever its line is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ...reasons import Reason, reason
from ..config.model import ConfigError


@dataclass(frozen=True, slots=True)
class Accepted:
    """`owner` is who mends the error, `account` who accepted it."""

    tenant: str
    key: str
    project: str
    owner: str
    why: str
    account: int
    at: datetime
    until: datetime


def key_of(error: ConfigError) -> str:
    """The name of an error: the same on another line."""
    told = repr((error.reason, replace(error.at, line=0), error.stanza))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def standing(
    errors: Iterable[ConfigError], accepted: Mapping[str, Accepted]
) -> tuple[tuple[ConfigError, ...], tuple[Reason, ...]]:
    """The errors that stop the item, and for the others, by whom and until when they are accepted.

    One that stops it although it is accepted says who mends it.
    """
    left: list[ConfigError] = []
    told: dict[Reason, None] = {}
    for error in dict.fromkeys(errors):
        known = accepted.get(key_of(error)) if accepted else None
        if known is None:
            left.append(error)
        elif stops(error):
            left.append(replace(error, reason=_mended(error, known)))
        else:
            told[accepted_reason(error, known)] = None
    return tuple(left), tuple(told)


def stops(error: ConfigError) -> bool:
    """Whether an error stops items even when it is accepted: without its secret no job succeeds."""
    return error.reason.kind == "pipeline.secret-unusable"


def _mended(error: ConfigError, known: Accepted) -> Reason:
    until = f"{known.until:%Y-%m-%d}"
    return reason("pipeline.error-mended-by", error.reason, owner=known.owner, why=known.why, until=until)


def accepted_reason(error: ConfigError, known: Accepted) -> Reason:
    """The sentence of an accepted error."""
    return reason(
        "pipeline.error-accepted",
        error.reason,
        owner=known.owner,
        why=known.why,
        until=f"{known.until:%Y-%m-%d}",
        project=error.at.project,
        path=error.at.path,
        line=error.at.line,
    )
