# SPDX-License-Identifier: Apache-2.0
"""Figures as they are printed, and what they are made of. Pure, but for the printing."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable


def percentile(values: Iterable[float], part: float) -> float:
    """The least value that at least this part of all values do not exceed: of twenty, the 95th is the nineteenth."""
    ordered = sorted(values)
    return ordered[max(math.ceil(part * len(ordered) - 1e-9), 1) - 1]


def figure(name: str, value: float, unit: str, n: int, **more: object) -> None:
    """Print one figure as a line of JSON; the load says how busy the machine was besides."""
    told = {"figure": name, "value": round(value, 4), "unit": unit, "n": n, **more, "load": os.getloadavg()[0]}
    print(json.dumps(told), flush=True)
