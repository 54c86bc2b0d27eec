# SPDX-License-Identifier: Apache-2.0
"""Drafts of whole jobs: all definitions that count, on top of each other, what jobs have in common put together once.

Most jobs of a tenant begin alike: the same base job, the same few parents. A layout remembers the draft of every
beginning, so a job costs only what it adds; and most layouts differ from the last one in a file or two, so drafts are
handed on. How one definition is put on top of another is in `draft.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...assignment import Json
from ...merging import merged
from .draft import Draft
from .layout import Layout
from .objects import Variant

_MOST = 20_000


def hand_on(last: Layout, new: Layout) -> None:
    """Let a new layout of a tenant have the drafts of the last one, and its frozen jobs where they come to the same.

    A draft is made of its definitions and of what the tenant says of projects; it keeps the definitions alive, by whose
    identity it is known.
    """
    if last.tenant != new.tenant or len(last.drafted) > _MOST:
        return
    new.drafted = last.drafted
    if last.nodesets == new.nodesets and last.secrets == new.secrets:
        new.frozen = last.frozen


def drafted(
    layout: Layout, name: str, variants: Sequence[Variant], listed: Sequence[Variant], project_vars: Mapping[str, Json]
) -> Draft:
    """A job with what a project lists of it; the same definitions come to the same, whatever the item is."""
    key = (name, *map(id, variants), 0, *map(id, listed), repr(project_vars) if project_vars else "")
    known: Draft | None = layout.drafted.get(key)
    if known is None:
        known = _beginning(layout, variants)
        if project_vars or known.intermediate or not all(variant.bare for variant in listed):
            known = known.copy()
            known.vars = merged(project_vars, known.vars)
            for variant in listed:
                known.apply(layout, variant)
        layout.drafted[key] = known
    return known


def _beginning(layout: Layout, variants: Sequence[Variant]) -> Draft:
    """The definitions of a job and its parents; each longer beginning is kept."""
    draft, key = Draft(), ()
    for variant in variants:
        key = (*key, id(variant))
        known: Draft | None = layout.drafted.get(key)
        if known is None:
            known = draft.copy()
            known.apply(layout, variant)
            layout.drafted[key] = known
        draft = known
    return draft
