# SPDX-License-Identifier: Apache-2.0
"""Whether an answer is one that the OpenAPI description of the site tells of."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any


def strays(description: Mapping[str, Any], method: str, path: str, status: int, kind: str, body: object) -> str:
    """What the description does not say of an answer to a call: its status, or the kind of its content."""
    operation = description["paths"][path][method.lower()]
    told = operation["responses"].get(f"{status // 100}XX")
    if told is None:
        return f"{method} {path} answers {status}"
    short, known = kind.partition(";")[0], told.get("content")
    if not body or known is None or any(fnmatch(short, one) for one in known):
        return ""
    return f"{method} {path} answers {status} with {short}"
