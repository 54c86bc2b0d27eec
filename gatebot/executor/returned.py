# SPDX-License-Identifier: Apache-2.0
"""What a job gives back, read from the text of its result files: Zuul's `zuul_return`, or a script's own JSON.

Pure. What has the wrong shape says nothing; a job cannot break anything by what it returns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from ..assignment import Json
from ..merging import merged
from .model import Returned

_DEEPEST = 64


def read(content: bytes, secret: bytes = b"") -> Returned:
    """Data, and in it under `zuul` what the scheduler is told; `secret` is the file of secret data."""
    data = dict(_table(_parsed(content)))
    told = dict(_table(data.get("zuul")))
    redactions = _list(told.pop("redactions", None))
    if told or "zuul" in data:
        data["zuul"] = told
    artifacts = [_table(one) for one in _list(told.get("artifacts"))]
    child_jobs = told.get("child_jobs")
    return Returned(
        data=data,
        secret_data=_table(_parsed(secret)),
        retry=told.get("retry") is not False,
        pause=told.get("pause") is True,
        child_jobs=tuple(map(str, _list(child_jobs))) if isinstance(child_jobs, list) else None,
        artifacts=tuple((str(one.get("name", "")), str(one.get("url", ""))) for one in artifacts if one),
        redactions=tuple(one for one in redactions if isinstance(one, str)),
    )


def together(found: Sequence[Returned]) -> Returned:
    """What a job gave back at several places; what a later one says stands over the earlier ones."""
    result = found[0]
    for one in found[1:]:
        result = Returned(
            data=merged(result.data, one.data),
            secret_data=merged(result.secret_data, one.secret_data),
            retry=result.retry and one.retry,
            pause=result.pause or one.pause,
            child_jobs=result.child_jobs if one.child_jobs is None else one.child_jobs,
            artifacts=result.artifacts + one.artifacts,
            redactions=result.redactions + one.redactions,
        )
    return result


def _parsed(content: bytes) -> object:
    """Nothing, where it is no JSON, or says what a database or a page cannot: half characters, zero bytes, infinity."""
    try:
        found: object = json.loads(content) if content.strip() else None
        said = json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if b"\\u0000" not in said and _depth(found) <= _DEEPEST else None


def _depth(value: object) -> int:
    """How many tables and lists lie within each other."""
    level, inner = 0, [value]
    while inner := [one for table in inner for one in _within(table)]:
        level += 1
    return level


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _table(value: object) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else []
