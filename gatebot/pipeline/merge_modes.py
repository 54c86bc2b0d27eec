# SPDX-License-Identifier: Apache-2.0
"""Zuul's `merge-mode` against a project's submit type, which is the truth: what was tested is what merges.

Pure. A configuration that says otherwise would test something else than what lands, so it is an error.
"""

from __future__ import annotations

from ..reasons import Reason, reason
from .config.allowed import MERGE_MODES


def contradiction(project: str, merge_mode: str | None, submit_type: str) -> Reason | None:
    """Why a project's `merge-mode` cannot hold; None: it says nothing, or what the project does."""
    fitting = MERGE_MODES.get(submit_type, ())
    if merge_mode is None or merge_mode in fitting:
        return None
    return reason(
        "pipeline.merge-mode-differs",
        project=project,
        mode=merge_mode,
        submit_type=submit_type,
        fitting=", ".join(fitting),
    )
