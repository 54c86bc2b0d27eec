# SPDX-License-Identifier: Apache-2.0
"""How tables of variables are laid over each other: the same where jobs are frozen and where they run.

Pure. Mappings inside mappings are merged, everything else is replaced, as Zuul does it.
"""

from __future__ import annotations

from collections.abc import Mapping

from .assignment import Json


def merged(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """Two mappings of variables: mappings are merged, everything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        before = result.get(key)
        if before is not None and isinstance(value, Mapping) and isinstance(before, Mapping):
            result[key] = merged(before, value)
        else:
            result[key] = value
    return result
