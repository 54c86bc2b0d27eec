# SPDX-License-Identifier: Apache-2.0
"""Whether a gate merges the changes of a branch, so that nobody else does.

Pure, and closed where nobody can tell: a pipeline that is written wrongly is left out of the layout, and without it
every change that people approved could be submitted past the tests.
"""

from __future__ import annotations

from .collect import listing
from .freeze import participates
from .layout import Layout
from .model import Manager


def gated(layout: Layout, project: str, branch: str) -> bool:
    """Whether a dependent pipeline has to do with a branch, or may have: as one that cannot be read."""
    pipelines = layout.pipelines.values()
    if any(one.manager is Manager.DEPENDENT and participates(layout, one.name, project, branch) for one in pipelines):
        return True
    return layout.tenant.fail_closed and any(_may_gate(layout, key, project, branch) for key in layout.lost)


def _may_gate(layout: Layout, key: str, project: str, branch: str) -> bool:
    """Whether what was lost could be a gate of the branch: a pipeline that it lists, or a file where such stand."""
    kind, _, name = key.partition(" ")
    if kind == "file":
        return layout.trusts(name)
    return kind == "pipeline" and name not in layout.pipelines and listing(layout, name, project, branch).configured
