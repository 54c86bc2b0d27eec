# SPDX-License-Identifier: Apache-2.0
"""What a job with a matrix stands for, put in its place: where it is listed, and where others depend on it.

Pure. `matrices` are the names of the jobs that each stands for; what names none of them is handed back as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from .objects import ProjectConfig, Variant

Matrices: TypeAlias = Mapping[str, tuple[str, ...]]


def depending(variant: Variant, matrices: Matrices) -> Variant:
    """Who depends on a job with a matrix depends on all that it stands for."""
    named = variant.dependencies or ()
    if not any(one.name in matrices for one in named):
        return variant
    expanded = (replace(one, name=name) for one in named for name in matrices.get(one.name, (one.name,)))
    return replace(variant, dependencies=tuple(dict.fromkeys(expanded)))


def listing(stanza: ProjectConfig, matrices: Matrices) -> ProjectConfig:
    """Who lists a job with a matrix lists all that it stands for, each with what the listing adds."""
    listed = [job for pipeline in stanza.pipelines.values() for job in pipeline.jobs]
    if not any(job.name in matrices or job.dependencies for job in listed):
        return stanza
    pipelines = {
        name: replace(
            pipeline,
            jobs=tuple(
                depending(job if member == job.name else replace(job, name=member), matrices)
                for job in pipeline.jobs
                for member in matrices.get(job.name, (job.name,))
            ),
        )
        for name, pipeline in stanza.pipelines.items()
    }
    return replace(stanza, pipelines=pipelines)
