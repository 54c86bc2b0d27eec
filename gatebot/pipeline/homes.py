# SPDX-License-Identifier: Apache-2.0
"""Where changes are at home, and what of a pipeline concerns them there.

Pure. The name of a connection means another Gerrit where the settings have one of that name; every other name of a
review server means this site, whatever tenant files call it.
"""

from __future__ import annotations

from dataclasses import replace

from ..reasons import Reason, reason
from .config.layout import Layout
from .config.model import PipelineConfig

_HERE = ""


def home(layout: Layout, project: str) -> str:
    """The connection that a project of the tenant comes from; empty: this site."""
    known = layout.project(project)
    return _means(layout, known.connection) if known is not None else _HERE


def concerning(layout: Layout, pipeline: PipelineConfig, project: str) -> PipelineConfig:
    """The pipeline with the triggers, requirements and reporters that changes of a project have to do with.

    What is written under a connection speaks of its own changes only; where no connection leads elsewhere, of all.
    """
    if not layout.tenant.others:
        return pipeline
    at = home(layout, project)

    def mine(connection: str) -> bool:
        review = layout.tenant.connections.get(connection, "gerrit") == "gerrit"
        return not review or _means(layout, connection) == at

    return replace(
        pipeline,
        triggers=tuple(one for one in pipeline.triggers if mine(one.connection)),
        require=tuple(one for one in pipeline.require if mine(one.connection)),
        reject=tuple(one for one in pipeline.reject if mine(one.connection)),
        reporters={
            moment: tuple(one for one in told if mine(one.connection)) for moment, told in pipeline.reporters.items()
        },
    )


def stranger(layout: Layout, pipeline: PipelineConfig, project: str) -> Reason | None:
    """Why a pipeline that takes nothing of `allow-other-connections` has no place for a project."""
    if pipeline.allow_other_connections:
        return None
    at = home(layout, project)
    if at in {_means(layout, name) for name in pipeline.connections}:
        return None
    known = layout.project(project)
    named = {"connection": known.connection if known is not None else "", "project": project}
    return reason("pipeline.other-connection", pipeline=pipeline.name, known=", ".join(pipeline.connections), **named)


def _means(layout: Layout, connection: str) -> str:
    return connection if connection in layout.tenant.others else _HERE
