# SPDX-License-Identifier: Apache-2.0
"""What it means when a cloud does not do what it was asked, and what passes by itself.

Pure. Services say that a quota is used up in ways of their own: compute forbids, networks conflict, volumes are too
large a request; all of them name it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus

from ...reasons import Reason, reason
from ..providers.answers import table

QUOTA = "executor.cloud-quota"
FULL = "executor.cloud-full"
AWAY = "executor.cloud-away"
REFUSED = "executor.cloud-refused"
#: What is over when somebody waits.
_PASSING = frozenset({QUOTA, FULL, AWAY})
_USED_UP = re.compile(
    r"quota exceeded|exceeded for quota|overquota|too many key ?pairs|exceeds allowed \S+ quota"
    r"|no more ip addresses available|unable to find any ip address",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^>]*>")
_LONGEST = 500


def trouble(service: str, status: int, text: str) -> Reason:
    """Why a service answered with that status."""
    said = _message(text) or f"{status}"
    told = f"{service}: {status} {said}"[:_LONGEST]
    if _USED_UP.search(said):
        return reason(QUOTA, told=told)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        return reason(AWAY, told=told)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return reason(AWAY, told=told)
    return reason(REFUSED, told=told)


def unreachable(service: str, told: str) -> Reason:
    """Why nothing was answered."""
    return reason(AWAY, told=f"{service}: {' '.join(told.split())}"[:_LONGEST])


def passing(why: Reason) -> bool:
    """Whether it is worth asking again."""
    return why.kind in _PASSING


def pauses(first: float, longest: float) -> Iterator[float]:
    """How long to wait before asking again: longer each time."""
    while True:
        yield first
        first = min(first * 1.5, longest)


def _message(text: str) -> str:
    """What an answer says: services put it one level deep, each under a name of its own."""
    try:
        found: object = json.loads(text)
    except ValueError:
        return " ".join(_TAG.sub(" ", text).split())[:_LONGEST]
    if not isinstance(found, dict):
        return ""
    body: dict[str, object] = {str(name): value for name, value in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    for name in body:
        inner = table(body, name)
        said = inner.get("message") or body.get("message")
        if isinstance(said, str):
            kind = inner.get("type")
            return " ".join((f"{kind}: {said}" if isinstance(kind, str) else said).split())
    return ""
