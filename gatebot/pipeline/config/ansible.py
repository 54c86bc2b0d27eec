# SPDX-License-Identifier: Apache-2.0
"""Versions of Ansible that configuration may name.

Pure. Jobs run with the site's own Ansible; a version that Zuul does not know either is a mistake, and is told as one.
"""

from __future__ import annotations

from ...reasons import reason
from .fields import get
from .schema import Findings
from .yamltext import YamlMap

KNOWN = ("9", "11")
"""Those of Zuul 14."""


def version(conf: YamlMap, attribute: str, found: Findings) -> str | None:
    """The version that an attribute names, be it a number or a text."""
    said = get(conf, attribute)
    if said is None:
        return None
    if str(said) not in KNOWN:
        why = reason("config.unknown-ansible", attribute=attribute, version=str(said), known=", ".join(KNOWN))
        found.add(conf.lines[attribute], why)
    return str(said)
