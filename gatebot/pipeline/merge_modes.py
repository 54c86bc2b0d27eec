# SPDX-License-Identifier: Apache-2.0
"""Zuul's `merge-mode` against a project's submit type, which is the truth: what was tested is what merges.

Pure. A configuration that says otherwise would test something else than what lands, so it is an error.
"""

from __future__ import annotations

from ..reasons import Reason, reason

_MERGES = frozenset({"MERGE_IF_NECESSARY", "MERGE_ALWAYS", "FAST_FORWARD_ONLY"})
_REBASES = frozenset({"REBASE_IF_NECESSARY", "REBASE_ALWAYS", "FAST_FORWARD_ONLY"})
_FITTING = {
    "merge": _MERGES,
    "merge-resolve": _MERGES,
    "merge-recursive": _MERGES,
    "merge-ort": _MERGES,
    "cherry-pick": frozenset({"CHERRY_PICK"}),
    "squash-merge": frozenset[str](),
    "rebase": _REBASES,
    "rebase-first-parent": _REBASES,
}


def contradiction(project: str, merge_mode: str | None, submit_type: str) -> Reason | None:
    """Why a project's `merge-mode` cannot hold; None: it says nothing, or what the project does."""
    if merge_mode is None or submit_type in _FITTING[merge_mode]:
        return None
    fitting = ", ".join(mode for mode, types in _FITTING.items() if submit_type in types)
    return reason(
        "pipeline.merge-mode-differs", project=project, mode=merge_mode, submit_type=submit_type, fitting=fitting
    )
