# SPDX-License-Identifier: Apache-2.0
"""A build as it is handed to somebody who runs it elsewhere.

Floor 0: values only; what may be in them is decided in `bare.py`, who may have them in `service.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...assignment import Assignment


@dataclass(frozen=True, slots=True)
class Handed:
    """`lacks` are the secrets that its steps have on the site, and nowhere else.

    `host` stands for the site in workspaces. Each checkout is fetched by its project from the build's own git address.
    `site` is its host and port, kept with what goes on without it.
    """

    assignment: Assignment
    host: str
    lacks: tuple[str, ...] = ()
    site: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A job that a change runs, with the pipelines that have it."""

    name: str
    pipelines: tuple[str, ...]
